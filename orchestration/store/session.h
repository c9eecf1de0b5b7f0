/*
 * Workers' sessions in the writer's memory: what each may be given, what it holds, until when.
 *
 * The database knows the sessions and, by each step's row, who holds it; leases are by the
 * monotonic clock and live here only. At start every lease gets a full term.
 */
#ifndef ORCHESTRATION_STORE_SESSION_H
#define ORCHESTRATION_STORE_SESSION_H

#include "orchestration/store/backend.h"

enum {
	SESSION_RECENT = 2,      /* polls whose answers can be asked for again */
	SESSION_NAMES_MAX = 256, /* namespaces, and handlers, of one worker */
	SESSION_BUCKETS = 1024,
	ROUTES_MAX = 65536,
};

/* Nothing is queued on the route; and: something may be, of any rank. */
#define RANK_NONE INT32_MAX
#define RANK_ANY INT32_MIN

struct step_route {
	char *ns, *callable; /* NULL: no route has this number */
	int best;            /* no queued step goes before this rank */
};

struct routes {
	struct step_route *items; /* by id */
	size_t count;
};

/* An attempt a session holds. */
struct lease {
	int64_t step;
	struct uuid id;
	int attempt;
	uint32_t poll;     /* the number of the poll that handed it out */
	int64_t given_us;  /* monotonic */
	bool cancel, told; /* its task was cancelled; an answer said so */
};

struct recent_poll {
	struct uuid id;
	uint32_t number; /* 0: none */
};

struct session {
	int64_t id, registered_at, expires_at_s, issued_at_s;
	unsigned char digest[32];
	char *worker, *boot;
	char **namespaces, **handlers; /* NULL-terminated */
	int slots;
	struct lease *leases;
	size_t lease_count, lease_cap, promised; /* promised: by the open transaction */
	bool *serves;                            /* by route id */
	size_t serves_count;
	int64_t lease_until, seen_us; /* monotonic */
	bool seen;                    /* polled since the store started */
	bool ending;                  /* being replaced: gets nothing any more */
	uint64_t batch;               /* the last batch one of its polls was in */
	uint32_t polls;
	struct recent_poll recent[SESSION_RECENT]; /* newest first */
	struct store_op *parked;                   /* its poll among the waiting ones */
	struct session *next;                      /* in its bucket */
};

struct sessions {
	struct session *buckets[SESSION_BUCKETS];
	size_t count;
	/* Before this no lease ends and no session is to be closed, monotonic: a lower bound, so
	 * that a session that lives on needs no word here. */
	int64_t due;
};

/* A session with copies of all that row names; lists are JSON arrays of strings. */
MUST_CHECK bool session_new(
        const struct session_row *row, OWNED struct session **out, struct err *e);
void session_free(struct session *s);

/* Works out serves for all routes anew. */
MUST_CHECK bool session_match(struct session *s, const struct routes *routes, struct err *e);
bool session_takes(const struct session *s, int64_t route);

/* The lease of an attempt, or of any attempt of a step (attempt 0), or NULL. */
struct lease *session_lease(struct session *s, const struct uuid *step, int attempt);
/* Room for so many more leases; then session_hold() takes that many without fail. */
MUST_CHECK bool session_reserve(struct session *s, size_t more, struct err *e);
void session_hold(struct session *s, const struct lease *lease);
void session_drop(struct session *s, int64_t step, int attempt);

/* The number of the recent poll of this id; 0: none. */
uint32_t session_recent(const struct session *s, const struct uuid *poll);
void session_polled(struct session *s, const struct uuid *poll, uint32_t number);

struct session *sessions_by_id(struct sessions *all, int64_t id);
struct session *sessions_by_worker(struct sessions *all, const char *worker);
void sessions_add(struct sessions *all, struct session *s);    /* takes it */
void sessions_remove(struct sessions *all, struct session *s); /* and frees it */
void sessions_clear(struct sessions *all);
/* A lease until then was given. */
void sessions_due_by(struct sessions *all, int64_t until);
/* Finds out when the first is due: a lease ends, or nobody used a session for keep_us. */
void sessions_look(struct sessions *all, int64_t keep_us);
/* In no order: NULL gives the first; NULL is the end. */
struct session *sessions_next(struct sessions *all, const struct session *s);

MUST_CHECK bool routes_add(
        struct routes *r, int64_t id, const char *ns, const char *callable, struct err *e);
void routes_clear(struct routes *r);
struct step_route *routes_at(struct routes *r, int64_t id); /* NULL: none */

AUTO_DEFINE(session, struct session, session_free)

#endif

/*
 * A disk in memory, for simulations: what backend_memory.h keeps its rows on.
 *
 * Tables are arrays of rows; a transaction notes each row's old bytes before it changes, and how
 * many rows there were, so that taking back is copying back. What is committed outlives a crash,
 * nothing else does. It can also be flawed on purpose, to prove that whoever judges a store sees
 * what such a flaw does to it.
 */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include "orchestration/store/backend.h"

enum memory_flaw {
	MEMORY_IS_SOUND = 0,
	MEMORY_FORGETS_COMMITS,  /* a crash takes the last transaction along */
	MEMORY_KEEPS_ROLLBACKS,  /* what was rolled back stays */
	MEMORY_DROPS_WRITES,     /* now and then a step's update does nothing */
	MEMORY_SKIPS_NUMBERS,    /* now and then an event's number is left out */
	MEMORY_HURRIES_CHILDREN, /* a step with one parent counts as ready from the start */
	MEMORY_OFFERS_TWICE,     /* a step that is held is offered to others */
	MEMORY_MISTAKES_HOLDERS, /* a step is read as held by the newest session */
	MEMORY_FORGETS_TIMERS,   /* no retry is ever due */
	MEMORY_FORGETS_IDENTITY, /* no task is ever found by its identity */
	MEMORY_MIXES_RESULTS,    /* now and then a result is kept as another one's */
	MEMORY_MISCOUNTS,        /* now and then totals are not saved */
	MEMORY_FLAWS,
};

enum memory_table {
	TENANTS,
	OWNERS,
	TASKS,
	STEPS,
	EVENTS,
	TEMPLATES,
	ROUTES,
	SESSIONS,
	REVOCATIONS,
	TOTALS,
	MEMORY_TABLES,
};

struct memory_name {
	int64_t within; /* of an owner: its tenant */
	const char *name;
};

struct memory_task {
	struct task_row row;
	bool keyed, has_priority, has_parent;
	unsigned char identity[32];
	const char *initiator, *source_system, *reason;
	int priority;
	struct uuid correlation_id, parent_correlation_id;
	struct store_json tags, context;
	size_t first_step; /* its steps stand side by side */
	int64_t events;    /* how many it has */
};

struct memory_step {
	struct step_row row;
	struct store_json result, error, log;
};

struct memory_event {
	struct event_row row;
	int64_t seq;
};

struct memory_template {
	struct template_row row;
	const char *ns, *name, *version;
	struct store_json json;
};

struct memory_route {
	const char *ns, *callable;
};

struct memory_session {
	struct session_row row;
	int64_t ended_at;
};

struct memory_revocation {
	struct revocation_row row;
	bool gone;
};

struct memory; /* opaque: the tables are in memory.c */

/* An empty disk. Ends the test where there is no memory, as everything here does. */
OWNED struct memory *memory_new(enum memory_flaw flaw);
void memory_free(struct memory *m); /* NULL is fine */

size_t memory_count(const struct memory *m, enum memory_table t);
/* Row i, to read only. */
const void *memory_row(const struct memory *m, enum memory_table t, size_t i);
void *memory_touch(struct memory *m, enum memory_table t, size_t i); /* to write, once undo knows */
void *memory_add(struct memory *m, enum memory_table t);             /* a zeroed row more */
const char *memory_text(struct memory *m, const char *text, size_t len); /* a copy it keeps */

void memory_begin(struct memory *m);
bool memory_has_changes(const struct memory *m);
void memory_commit(struct memory *m);
void memory_rollback(struct memory *m);
void memory_crash(struct memory *m); /* what is not committed is gone */

/* The next commit's fsync fails; whether it had an effect nobody may rely on, and kept says. */
void memory_fail_fsync(struct memory *m, bool kept);
enum memory_fsync { FSYNC_WORKS, FSYNC_LOSES, FSYNC_KEEPS } memory_next_fsync(struct memory *m);

/* Is it time for this flaw to show? Every period-th time it is asked. */
bool memory_errs(struct memory *m, enum memory_flaw flaw, unsigned period);

AUTO_DEFINE(memory, struct memory, memory_free)

#endif

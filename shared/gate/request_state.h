/*
 * What the gate keeps of one request, from its head to the end of its reply; for the files of this
 * folder only. Requests come from their gate's pool and live on its loop.
 */
#ifndef SHARED_GATE_REQUEST_STATE_H
#define SHARED_GATE_REQUEST_STATE_H

#include "shared/base/uuid.h"
#include "shared/gate/gate.h"
#include "shared/gate/gate_fields.h"

enum {
	REQUEST_ID_MAX = 64,
	REQUEST_FIELDS = 12,     /* reply fields a handler may add */
	REQUEST_TEXT_MAX = 8192, /* their values together */
	REQUEST_INVALIDS = 50,   /* pointers in one 400 */
	REQUEST_MEMBERS_MAX = 65536,
	PROBLEM_TEXT_MAX = 512,
	PROBLEM_MAX = 262144,
	REQUESTS_POOLED = 64
};

struct request {
	struct request *prev, *next; /* among the gate's live ones; next: in its pool */
	struct gate *gate;
	struct exchange *exchange;
	struct gate_fields fields;
	enum match match;
	struct route_match found;
	const struct route *route; /* the row that answers; NULL for none */
	const char *cors_origin;   /* the listed origin that asks, or NULL */
	const struct security_context *context;
	const char *unknown_permission; /* of a token refused for it, while it is refused */
	struct grant_slot slot;
	const struct grant *grant;
	struct json *json;
	char *query; /* decoded parameters */
	void (*gone)(struct request *req, void *arg);
	void *gone_arg;
	int64_t busy_us; /* how long nobody at its address gets a token verified; 0: now */
	bool replied;
	char id[REQUEST_ID_MAX + 1];

	struct {
		const char *name;
		size_t value; /* where in text */
	} reply_fields[REQUEST_FIELDS];
	size_t reply_field_count;
	struct buf text;      /* NUL-terminated values of reply_fields */
	struct buf invalid;   /* items of "errors" */
	size_t invalid_count; /* also those past REQUEST_INVALIDS */
	struct buf members;   /* further members of the problem, each behind a comma */
};

struct gate {
	struct gate_settings settings;
	struct authenticator *authenticator;
	struct route_table *routes;
	const struct gate_metrics *metrics;
	struct meter *meter;
	struct request *live, *pool;
	size_t pooled;
	struct uuid_source ids;
};

/* Ends the request: the one place that calls exchange_reply(). body is taken, NULL for none. req is
 * gone when it returns. */
void request_finish(
        struct request *req, int status, const char *content_type, struct buf *body, bool close);

/* Writes the one error body. id may be NULL, invalid and members may be empty. */
struct problem {
	int status;
	const char *code, *message, *request_id;
	const struct buf *invalid, *members;
};
void problem_write(const struct problem *p, struct buf *out);
/* Answers x, for which there is no memory to make a request of; with a body if there is for that.
 */
void problem_no_memory(struct exchange *x);

/* Counts one, if there are metrics. */
void gate_count(struct gate *g, enum gate_metric which, struct metric_at at);
/* "/v1/tasks/{task}" or "unmatched". */
const char *gate_route_name(const struct request *req);
/* What the log and the metrics say of a refusal. */
void gate_note_denial(struct request *req, enum verdict v);
/* A token that is good in spite of it is told of once, when it is new here; a refused one in the
 * line of its refusal. */
void gate_note_unknown_permission(struct request *req, const struct authentication *result);
/* Counts a credential that took us microseconds; before: the statistics before it. Only with
 * metrics. */
void gate_note_authentication(struct request *req, const struct authentication *result,
        const struct authenticator_stats *before, int64_t us);
/* A line and a count for a request that has been answered. */
void gate_note_end(const struct request *req);

#endif

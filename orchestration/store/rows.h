/* Rows as they travel between the store's rules and its backends. Times are wall microseconds. */
#ifndef ORCHESTRATION_STORE_ROWS_H
#define ORCHESTRATION_STORE_ROWS_H

#include "orchestration/engine/task_rules.h"
#include "orchestration/store/store_op.h"

enum {
	STEP_INDEX_BITS = 10,
	STEP_INDEX_MASK = (1 << STEP_INDEX_BITS) - 1,
};

struct task_row {
	int64_t id, tenant, owner, template_id;
	struct uuid uuid;
	struct task_facts facts;
	int rank; /* minus the priority: smaller goes first */
	int64_t created_at, updated_at, completed_at;
};

struct step_row {
	int64_t id; /* task id << STEP_INDEX_BITS | index in the template */
	struct step_facts facts;
	int64_t route; /* where it queues when it is offered; only set for writing */
	int rank;
	int64_t updated_at, attempted_at, failed_at, completed_at;
	int64_t backoff_ms; /* < 0: none */
};

struct step_output {
	struct store_json result, error, log;
	const char *worker; /* who ran it last; only when read */
};

struct event_row {
	int64_t task;
	enum event_kind kind;
	int step; /* index; < 0: of the task */
	int from, to, attempt;
	int64_t session, actor; /* 0: none */
	int64_t at;
};

struct template_row {
	int64_t id; /* 0: there is none */
	int64_t created_at;
	unsigned char hash[32];
};

struct session_row {
	int64_t id, registered_at, expires_at_s, issued_at_s;
	unsigned char digest[32];
	const char *worker, *boot, *namespaces, *handlers; /* the lists as JSON arrays */
	int slots;
};

struct revocation_row {
	struct uuid id;
	enum revocation_kind kind;
	const char *name, *created_by, *reason; /* reason: NULL is none */
	int64_t before_s, until_s;              /* until_s: 0 is for good */
	int64_t created_at;
};

struct revocation_query {
	int64_t now_s; /* those that are over by then are left out */
	int64_t skip, limit;
};

struct task_list_query {
	const struct task_list_in *filters;
	int64_t below; /* only task ids below this */
};

struct event_query {
	int64_t after, task; /* task: only its events, and scope was looked at; 0: all in scope */
	int limit;
};

struct totals {
	int64_t tasks[TASK_STATE_END], steps[STEP_STATE_END];
};

/* Each may fail; then the caller stops and reports. */
typedef bool (*step_row_fn)(
        const struct step_row *row, const struct step_output *out, void *arg, struct err *e);
typedef bool (*session_row_fn)(const struct session_row *row, void *arg, struct err *e);
typedef bool (*revocation_row_fn)(const struct revocation_row *row, void *arg, struct err *e);
typedef bool (*route_fn)(
        int64_t id, const char *ns, const char *callable, void *arg, struct err *e);
struct event_found {
	struct event_row row;
	int64_t pos, seq, template_id;
	struct uuid task;
	const char *actor; /* the caller's owner text or the worker; NULL */
};
typedef bool (*event_row_fn)(const struct event_found *found, void *arg, struct err *e);
typedef bool (*task_row_fn)(const struct task_row *row, void *arg, struct err *e);
typedef bool (*id_fn)(int64_t id, void *arg, struct err *e);

#endif

/*
 * What the store shows: tasks, steps, templates, sessions as they were at one moment.
 *
 * Views live in the memory of the operation that fetched them. `plan` pointers lead into the
 * immutable, pinned template and live equally long. Times are wall microseconds, 0 is null. JSON
 * texts are compact and checked; with a length, since they may be long; NULL is null.
 */
#ifndef ORCHESTRATION_STORE_STORE_VIEW_H
#define ORCHESTRATION_STORE_STORE_VIEW_H

#include "orchestration/engine/status.h"
#include "shared/base/uuid.h"
#include "shared/security/revocations.h"
#include "shared/template/template.h"

struct store_json {
	const char *text; /* NULL: null */
	size_t len;
};

struct step_view {
	struct uuid id, task, named_step;
	const struct template_step
	        *plan; /* name, callable, retryable, max_attempts, timeout, ... */
	enum step_state state;
	bool dependencies_satisfied, retry_eligible, ready_for_execution;
	int total_parents, completed_parents;
	int attempts, failures,
	        lease_losses; /* claims; failed ones; those that a lost worker ended */
	int64_t created_at, updated_at, completed_at;
	int64_t last_failure_at, next_retry_at, last_attempted_at;
	int64_t backoff_ms;       /* of the retry it waits for; < 0: null */
	const char *worker;       /* who ran it last, or NULL */
	struct store_json result; /* the handler's original tokens */
	struct store_json error;  /* of the last failure: {"code","message","retryable"} */
	struct store_json log;    /* tail of the last attempt's output: plain text, not JSON */
};

struct task_view {
	struct uuid id, correlation_id, parent_correlation_id;
	const struct template *plan; /* namespace, name, version, steps */
	enum task_state state;
	struct step_counts counts;
	int64_t created_at, updated_at, completed_at;
	struct store_json context;
	struct store_json tags; /* a JSON array, or null */
	const char *initiator, *source_system, *reason;
	int priority;
	bool has_priority, has_parent_correlation;
	const struct step_view *steps; /* NULL in lists */
	size_t step_count;
};

struct template_view {
	const struct template *plan;
	unsigned char hash[32]; /* SHA-256 of the canonical JSON */
	int64_t created_at;
};

struct session_view {
	int64_t id;
	unsigned char digest[32]; /* SHA-256 of the secret */
	const char *worker, *boot;
	const char *const *namespaces, *const *handlers; /* NULL-terminated */
	int64_t expires_at_s, issued_at_s; /* of the credential it was opened with; 0: none */
	int slots, held;
	bool parked, live;     /* live: its lease runs */
	int64_t registered_at; /* wall */
	int64_t seen_ago_ms;   /* since its last poll; < 0: none since the store started */
};

struct revocation_view {
	struct uuid id;
	struct revocation what;
	int64_t until_s; /* 0: until it is taken back */
	int64_t created_at;
	const char *created_by, *reason; /* owner text of the caller; NULL: no reason was given */
};

struct event_view {
	int64_t position, seq, at;
	struct uuid task, step; /* step: only if kind is of a step */
	enum event_kind kind;
	int from, to; /* enum task_state or step_state, by kind; 0: none */
	int attempt;
	const char *step_name; /* NULL unless of a step */
	const char *actor; /* owner text of the caller, or the worker; NULL: the engine itself */
};

struct store_stats {
	int64_t tasks[TASK_STATE_END], steps[STEP_STATE_END]; /* by state number */
	int64_t ready, oldest_ready_ms;                       /* queue depth, age of its oldest */
	int64_t templates, sessions, events, last_position;
	int64_t file_bytes, wal_bytes;
};

#endif

/*
 * One operation: made by whoever wants something, lent to the store by store_submit(), given back
 * exactly once by delivering its mail on its home loop, whatever happens (also when it was
 * dropped).
 *
 * Inputs are owned copies in the operation's own memory (store_op_text, store_op_alloc); outputs
 * are put there too and live until store_op_free(). While the store has it nobody else touches it.
 */
#ifndef ORCHESTRATION_STORE_STORE_OP_H
#define ORCHESTRATION_STORE_STORE_OP_H

#include "orchestration/policy/scope.h"
#include "orchestration/store/store_poll.h"
#include "orchestration/store/store_request.h"
#include "shared/base/buf.h"
#include "shared/runtime/loop.h"

enum store_verb {
#define VERB(name, lane, what) STORE_##name,
#include "orchestration/store/verb.def"
#undef VERB
	STORE_VERB__COUNT
};

/* Zero is no answer at all: 500. */
enum store_outcome {
	STORE_UNDECIDED = 0,
	STORE_OK,
	STORE_NOT_FOUND, /* missing, or beyond the caller's scope */
	STORE_CONFLICT,  /* exists already: conflict_id, or other content under the same name */
	STORE_INVALID,   /* the request makes no sense here: 400 with text */
	STORE_STALE,     /* the session is closed or replaced: register again */
	STORE_BUSY,      /* a lane is full: 503, try later */
	STORE_TIMEOUT,   /* its deadline passed before it ran: 503 */
	STORE_FAULT,     /* storage failed (text is for the log): 503 */
	STORE_FORBIDDEN, /* the caller may never do this */
};

struct store_op {
	struct mail mail; /* its deliver runs on home; home NULL: on a thread of the store */
	struct loop *home;
	enum store_verb verb;
	enum store_outcome outcome;
	int64_t deadline_us; /* monotonic; 0: the store's default from its submission on */
	struct principal caller;
	char text[240]; /* why not, unless outcome is OK; for people */
	struct uuid conflict_id;
	void *user; /* the submitter's own */

	union {
		struct task_create_in task_create;
		struct task_list_in task_list;
		struct step_id_in id;        /* TASK_GET, TASK_CANCEL, STEP_LIST, STEP_GET */
		struct template_in template; /* every TEMPLATE_* */
		struct worker_register_in worker;
		struct poll_in poll;
		struct event_list_in events;
		struct revoke_in revoke;
		struct uuid unrevoke;
		struct revocation_list_in revocations;
	} in;
	union {
		struct task_view task; /* TASK_CREATE, TASK_GET, TASK_CANCEL */
		struct step_get_out step;
		struct page_out page;          /* every LIST */
		struct template_view template; /* TEMPLATE_GET, TEMPLATE_PUT */
		struct worker_register_out worker;
		struct poll_out poll;
		struct store_stats stats;
		struct revoke_out revoke; /* REVOKE, UNREVOKE */
	} out;

	struct op_state *state; /* the store's own */
};

/* Memory of one operation, inputs and outputs together: past it there is none, so that a list of
 * a thousand large results cannot take the machine's. */
#define STORE_OP_BYTES_MAX MIB(128)

/* An operation with its memory; NULL when there is none. */
OWNED struct store_op *store_op_new(enum store_verb verb);
void store_op_free(struct store_op *op); /* secrets in it are wiped; NULL is fine */

/* Memory of the operation: zeroed, or a terminated copy. NULL when there is none. */
BORROWED void *store_op_alloc(struct store_op *op, size_t count, size_t size);
BORROWED char *store_op_text(struct store_op *op, const char *text, size_t len);

/* "TASK_CREATE"; "ok", "not_found", ... for logs and metrics. */
const char *store_verb_name(enum store_verb v);
const char *store_outcome_name(enum store_outcome o);

AUTO_DEFINE(store_op, struct store_op, store_op_free)

#endif

/*
 * Writing what the engine decided, and giving steps that became ready to polls that wait.
 *
 * All functions return false only for a fault of the storage or of memory: the batch is then rolled
 * back.
 */
#ifndef ORCHESTRATION_STORE_CHANGE_H
#define ORCHESTRATION_STORE_CHANGE_H

#include "orchestration/store/work.h"

/* A task that is being changed: its sums are written once, when the change is closed. */
struct change {
	struct work *w;
	struct task_row *task;
	const struct plan *plan;
	int64_t session, actor;    /* who causes it; 0: not */
	struct store_json context; /* if it is at hand; else it is read */
	bool dirty;                /* the sums moved */
	bool failed;               /* a step failed for good */
};

/* Begins a change of the task; its row must outlive it. */
MUST_CHECK bool change_open(struct change *c, struct work *w, struct task_row *task, struct err *e);
/* The policy of its step of this index, as things stand. */
struct step_policy change_policy(const struct change *c, unsigned index);
/* Writes the transition of a step that has come to its row's state. */
MUST_CHECK bool change_event(struct change *c, const struct step_row *row, enum step_state from,
        enum event_kind kind, struct err *e);
/* Writes a step's change, its event, and what follows for its children. out may be NULL. */
MUST_CHECK bool change_step(struct change *c, struct step_row *row, const struct step_change *to,
        const struct step_output *out, struct err *e);
/* A new step's row; a ready one may go to a worker at once. */
MUST_CHECK bool change_insert(struct change *c, struct step_row *row, struct err *e);
/* A queued step goes to the poll that asked for it. */
MUST_CHECK bool change_claim(
        struct change *c, struct step_row *row, struct store_op *poll, struct err *e);
/* Writes the task: its sums, and the state they mean. */
MUST_CHECK bool change_close(struct change *c, struct err *e);
MUST_CHECK bool change_cancel(struct change *c, struct err *e); /* all open steps, and the task */

#endif

/* Rows as views: what an operation shows of a task and its steps. */
#ifndef ORCHESTRATION_STORE_VIEW_H
#define ORCHESTRATION_STORE_VIEW_H

#include "orchestration/store/op.h"
#include "orchestration/store/plan.h"
#include "orchestration/store/session.h"

/* One connection's means to fill views. */
struct viewer {
	const struct backend_ops *ops;
	struct backend *db;
	struct plans *plans;
	int64_t wall_us;
	int max_lease_losses;
};

/* out's texts are copied into op; output may be NULL. */
MUST_CHECK bool view_step(struct store_op *op, const struct plan *plan, const struct task_row *task,
        const struct step_row *row, const struct step_output *output, struct step_view *out,
        struct err *e);

/* Counts the step into the task's view; steps, if kept, must have been allocated. */
void view_count(struct task_view *task, const struct step_view *step);

/* The whole task. with_steps: its steps too, else only their counts. */
MUST_CHECK bool view_task(struct viewer *v, struct store_op *op, const struct task_row *row,
        bool with_steps, struct task_view *out, struct err *e);

/* All steps of the task, or the one of this index (>= 0), with their outputs. */
MUST_CHECK bool view_steps(struct viewer *v, struct store_op *op, const struct task_row *row,
        int index, struct page_out *out, struct err *e);

/* A registered template, pinned. */
MUST_CHECK bool view_template(struct viewer *v, struct store_op *op, int64_t id,
        struct template_view *out, struct err *e);

/* All but live and seen_ago_ms, which only the writer knows. */
MUST_CHECK bool view_session(
        struct store_op *op, const struct session *s, struct session_view *out, struct err *e);

/* A revocation, its texts copied into op. */
MUST_CHECK bool view_revocation(struct store_op *op, const struct revocation_row *row,
        struct revocation_view *out, struct err *e);
/* Those that are in force, as far as the query wants them; total counts them all. */
MUST_CHECK bool view_revocations(struct viewer *v, struct store_op *op,
        const struct revocation_query *query, struct page_out *out, struct err *e);

#endif

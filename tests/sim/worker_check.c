#include "tests/sim/worker.h"

#include <string.h>

#include "orchestration/engine/identity.h"

static const struct principal anybody = {.scope = SCOPE_ANY};

/* The rows of the step an id names; false: there is none. */
static bool
find(struct world *w, const struct uuid *id, struct task_row *task, struct step_row *step)
{
	struct uuid task_id;
	struct err e = {0};
	unsigned index;

	if (!identity_split(id, &task_id, &index))
		return false;
	if (!w->ops.task_find(w->viewer.db, &task_id, &anybody, task, &e) ||
	        (task->id != 0 && !w->ops.step_load(w->viewer.db,
	                                  task->id << STEP_INDEX_BITS | index, step, &e))) {
		world_find(w, "rows cannot be read: %s", e.text);
		return false;
	}
	return task->id != 0 && step->id != 0;
}

static void
remember_proof(struct world *w, const struct attempt_ref *ref)
{
	struct seen_step *s = model_step(&w->model, &ref->step);
	struct seen_attempt *a = s != NULL ? model_attempt(s, ref->attempt) : NULL;

	if (a == NULL)
		return;
	if (s->settled_proof != 0 && s->settled_proof != a->proof)
		world_find(w, "I3: two attempts of one step were told that they count");
	s->settled_proof = a->proof;
}

static void
check_status(struct world *w, const struct store_op *op, const struct poll_result *r,
        enum report_verdict verdict)
{
	struct step_row row = {.id = 0};
	struct task_row task;
	const struct step_facts *f = &row.facts;
	bool there = find(w, &r->ref.step, &task, &row), right = false;

	w->seen.verdicts[verdict]++;
	switch (verdict) {
	case REPORT_STALE:
	case REPORT_NOTED: /* the step may be under way again already */
		right = !there || f->state != STEP_IN_PROGRESS ||
		        f->session != op->in.poll.session || f->attempt != r->ref.attempt;
		break;
	case REPORT_DUPLICATE:
		right = there && f->settled >= r->ref.attempt;
		break;
	case REPORT_ACCEPTED:
	case REPORT_ACCEPTED_LATE:
		right = there && f->settled >= r->ref.attempt &&
		        (r->outcome != OUTCOME_OK || f->state == STEP_COMPLETE);
		if (r->outcome == OUTCOME_OK)
			remember_proof(w, &r->ref);
		break;
	}
	if (!right)
		world_find(w,
		        "I4: a report of attempt %d by session %lld is %s; the step is %s, "
		        "attempt %d of session %lld, settled %d",
		        r->ref.attempt, (long long)op->in.poll.session, store_report_name(verdict),
		        step_state_name(f->state), f->attempt, (long long)f->session, f->settled);
}

void
worker_check_statuses(struct world *w, const struct store_op *op)
{
	const struct poll_in *in = &op->in.poll;
	struct err e = {0};

	if (op->out.poll.result_count != in->result_count)
		world_find(w, "I1: %zu reports have %zu answers", in->result_count,
		        op->out.poll.result_count);
	if (!w->ops.begin(w->viewer.db, &e))
		world_find(w, "no snapshot: %s", e.text);
	for (size_t i = 0; i < op->out.poll.result_count && i < in->result_count; i++)
		check_status(w, op, &in->results[i], op->out.poll.results[i].verdict);
	w->ops.rollback(w->viewer.db);
}

static bool
is_cancelled(const struct store_op *op, const struct attempt_ref *ref)
{
	for (size_t i = 0; i < op->out.poll.cancel_count; i++)
		if (op->out.poll.cancel[i].attempt == ref->attempt &&
		        memcmp(&op->out.poll.cancel[i].step, &ref->step, sizeof(ref->step)) == 0)
			return true;
	return false;
}

/* The results of all its parents are in the frame. */
static void
check_parents(struct world *w, const struct task_row *task, const struct step_row *row,
        const struct store_json *frame)
{
	const struct seen_task *t = model_task(&w->model, &task->uuid);
	size_t index = (size_t)(row->id & STEP_INDEX_MASK);
	const struct template_step *plan;

	if (t == NULL) /* its creation was never answered, and its events come after this round */
		return;
	plan = &w->setup->shapes->items[t->shape].t->steps[index];
	for (size_t i = 0; i < plan->parent_count; i++) {
		int64_t id = task->id << STEP_INDEX_BITS | plan->parents[i];
		AUTO(buf) struct buf result = BUF(KIB(4));
		struct err e = {0};

		if (!w->ops.step_result(w->viewer.db, id, &result, &e) || result.len == 0 ||
		        memmem(frame->text, frame->len, result.data, result.len) == NULL)
			world_find(w,
			        "I2: task %lld step %zu is handed out without the result of "
			        "its parent %u",
			        (long long)task->id, index, plan->parents[i]);
	}
}

void
worker_check_step(struct world *w, const struct store_op *op, const struct poll_step *step)
{
	struct step_row row = {.id = 0};
	struct task_row task;
	struct err e = {0};
	bool theirs;

	if (!w->ops.begin(w->viewer.db, &e))
		world_find(w, "no snapshot: %s", e.text);
	if (!find(w, &step->ref.step, &task, &row)) {
		world_find(w, "I1: a step is handed out that is not there");
	} else {
		theirs = row.facts.attempt == step->ref.attempt &&
		         row.facts.session == op->in.poll.session &&
		         (row.facts.state == STEP_IN_PROGRESS ||
		                 (row.facts.state == STEP_CANCELLED &&
		                         is_cancelled(op, &step->ref)));
		if (!theirs)
			world_find(w,
			        "I4: session %lld is given attempt %d of task %lld step %lld, "
			        "which is %s, attempt %d of session %lld",
			        (long long)op->in.poll.session, step->ref.attempt,
			        (long long)task.id, (long long)(row.id & STEP_INDEX_MASK),
			        step_state_name(row.facts.state), row.facts.attempt,
			        (long long)row.facts.session);
		check_parents(w, &task, &row, &step->frame);
	}
	w->ops.rollback(w->viewer.db);
}

/* Rows, sums and totals against the model. */
#include "tests/sim/judge.h"

#include <string.h>

struct rows {
	struct world *w;
	struct seen_task *t;
	const struct template *plan;
	struct task_facts sums; /* recounted */
	size_t count;
	bool over; /* nothing of this task is offered to workers any more */
	int64_t live[MODEL_SESSIONS_MAX];
	size_t live_count;
};

static bool
keep_session(const struct session_row *row, void *arg, struct err *e)
{
	struct rows *r = arg;

	(void)e;
	if (r->live_count < COUNT(r->live))
		r->live[r->live_count++] = row->id;
	return true;
}

static bool
is_live(const struct rows *r, int64_t session)
{
	for (size_t i = 0; i < r->live_count; i++)
		if (r->live[i] == session)
			return true;
	return false;
}

static int
open_parents(const struct rows *r, size_t index)
{
	const struct template_step *plan = &r->plan->steps[index];
	int open = 0;

	for (size_t i = 0; i < plan->parent_count; i++)
		open += r->t->steps[plan->parents[i]].state != STEP_COMPLETE;
	return open;
}

static void
check_result(struct rows *r, const struct seen_step *s, const struct step_output *out)
{
	const struct seen_attempt *a =
	        s->attempt < MODEL_ATTEMPTS_MAX ? &s->attempts[s->attempt] : NULL;
	char expected[48];
	int len;

	if (a == NULL)
		return;
	len = snprintf(expected, sizeof(expected), "{\"proof\":%lld}", (long long)a->proof);
	if (out->result.text == NULL || out->result.len != (size_t)len ||
	        memcmp(out->result.text, expected, (size_t)len) != 0)
		world_find(r->w, "I1: task %lld step %zu has the result %.*s, not %s",
		        (long long)r->t->row, r->count,
		        out->result.text != NULL ? (int)out->result.len : 4,
		        out->result.text != NULL ? out->result.text : "none", expected);
	if (s->settled_proof != 0 && s->settled_proof != a->proof)
		world_find(r->w, "I1: task %lld step %zu: the worker of %lld was told it counts",
		        (long long)r->t->row, r->count, (long long)s->settled_proof);
}

/* Who waits for what: workers, parents, a timer. */
static void
check_waiting(struct rows *r, const struct step_row *row)
{
	const struct step_facts *f = &row->facts;
	int open = open_parents(r, r->count);
	bool ready = f->state == STEP_PENDING && open == 0 && !r->over;
	bool timed = f->state == STEP_WAITING_FOR_RETRY && !r->over;

	if (f->unmet != open)
		world_find(r->w, "I3: task %lld step %zu waits for %d parents, %d are open",
		        (long long)r->t->row, r->count, f->unmet, open);
	if (f->queued != ready)
		world_find(r->w, "I2: task %lld step %zu is %soffered, which is wrong",
		        (long long)r->t->row, r->count, f->queued ? "" : "not ");
	if ((f->retry_at != 0) != timed)
		world_find(r->w, "I2: task %lld step %zu has %s timer, which is wrong",
		        (long long)r->t->row, r->count, f->retry_at != 0 ? "a" : "no");
	if (f->state == STEP_IN_PROGRESS && !is_live(r, f->session))
		world_find(r->w, "I4: task %lld step %zu is held by session %lld, which is over",
		        (long long)r->t->row, r->count, (long long)f->session);
}

static bool
check_step(const struct step_row *row, const struct step_output *out, void *arg, struct err *e)
{
	struct rows *r = arg;
	const struct step_facts *f = &row->facts;
	struct seen_step *s;

	(void)e;
	if (r->count >= r->plan->step_count ||
	        row->id != (r->t->row << STEP_INDEX_BITS | (int64_t)r->count)) {
		world_find(r->w, "I3: task %lld has step %lld", (long long)r->t->row,
		        (long long)(row->id & STEP_INDEX_MASK));
		return true;
	}
	s = &r->t->steps[r->count];
	if (f->state != s->state || f->attempt != s->attempt || f->session != s->session ||
	        f->failures + f->lease_losses != s->failures + s->losses)
		world_find(r->w,
		        "I3: task %lld step %zu is %s, attempt %d of session %lld; its "
		        "events say %s, %d, %lld",
		        (long long)r->t->row, r->count, step_state_name(f->state), f->attempt,
		        (long long)f->session, step_state_name(s->state), s->attempt,
		        (long long)s->session);
	if (f->state == STEP_COMPLETE)
		check_result(r, s, out);
	check_waiting(r, row);
	s->retry_at = f->retry_at;
	r->sums.total++;
	r->sums.remaining += f->state != STEP_COMPLETE;
	r->sums.live += f->queued || f->state == STEP_IN_PROGRESS;
	r->sums.waiting += f->state == STEP_WAITING_FOR_RETRY;
	r->sums.failed += f->state == STEP_ERROR;
	r->count++;
	return true;
}

static enum task_state
meaning(const struct rows *r)
{
	if (r->t->state == TASK_CANCELLED)
		return TASK_CANCELLED;
	if (r->sums.remaining == 0)
		return TASK_COMPLETE;
	if (r->sums.live > 0)
		return TASK_STEPS_IN_PROCESS;
	if (r->sums.failed > 0)
		return TASK_BLOCKED_BY_FAILURES;
	return r->sums.waiting > 0 ? TASK_WAITING_FOR_RETRY : TASK_WAITING_FOR_DEPENDENCIES;
}

static void
check_task(struct rows *r, const struct task_row *row)
{
	const struct task_facts *f = &row->facts;

	if (row->id == 0 || memcmp(&row->uuid, &r->t->id, sizeof(row->uuid)) != 0) {
		world_find(r->w, "I1: task %lld is gone", (long long)r->t->row);
		return;
	}
	if (r->count != r->plan->step_count)
		world_find(r->w, "I1: task %lld has %zu steps", (long long)row->id, r->count);
	if (f->state != r->t->state || f->state != meaning(r))
		world_find(r->w, "I3: task %lld is %s; its events say %s and its steps %s",
		        (long long)row->id, task_state_name(f->state), task_state_name(r->t->state),
		        task_state_name(meaning(r)));
	if (f->total != r->sums.total || f->remaining != r->sums.remaining ||
	        f->live != r->sums.live || f->waiting != r->sums.waiting ||
	        f->failed != r->sums.failed)
		world_find(r->w,
		        "I3: task %lld: remaining %d live %d waiting %d failed %d; "
		        "recounted %d %d %d %d",
		        (long long)row->id, f->remaining, f->live, f->waiting, f->failed,
		        r->sums.remaining, r->sums.live, r->sums.waiting, r->sums.failed);
	if ((row->completed_at != 0) != task_state_is_final(f->state))
		world_find(r->w, "I3: task %lld is %s and ended at %lld", (long long)row->id,
		        task_state_name(f->state), (long long)row->completed_at);
}

void
judge_rows(struct world *w, struct seen_task *t)
{
	struct rows r = {.w = w, .t = t, .plan = w->setup->shapes->items[t->shape].t};
	int64_t first = t->row << STEP_INDEX_BITS;
	struct task_row row;
	struct err e = {0};

	r.over = task_state_is_final(t->state);
	for (size_t i = 0; i < r.plan->step_count; i++)
		r.over = r.over || t->steps[i].state == STEP_ERROR;
	if (!w->ops.sessions_each(w->viewer.db, keep_session, &r, &e) ||
	        !w->ops.task_load(w->viewer.db, t->row, &row, &e) ||
	        !w->ops.steps_each(
	                w->viewer.db, first, first | STEP_INDEX_MASK, true, check_step, &r, &e))
		world_find(w, "rows cannot be read: %s", e.text);
	else
		check_task(&r, &row);
}

void
judge_totals(struct world *w)
{
	struct totals t;
	struct err e = {0};

	if (w->broken[0] != '\0')
		return;
	if (!w->ops.totals_load(w->viewer.db, &t, &e)) {
		world_find(w, "totals cannot be read: %s", e.text);
		return;
	}
	for (size_t i = 1; i < TASK_STATE_END; i++)
		if (t.tasks[i] != w->model.task_totals[i])
			world_find(w, "I3: %lld tasks are said to be %s, and %lld are",
			        (long long)t.tasks[i], task_state_name((enum task_state)i),
			        (long long)w->model.task_totals[i]);
	for (size_t i = 1; i < STEP_STATE_END; i++)
		if (t.steps[i] != w->model.step_totals[i])
			world_find(w, "I3: %lld steps are said to be %s, and %lld are",
			        (long long)t.steps[i], step_state_name((enum step_state)i),
			        (long long)w->model.step_totals[i]);
}

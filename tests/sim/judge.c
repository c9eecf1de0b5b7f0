/* Events into the model, each against what the model knows. */
#include "tests/sim/judge.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_PAGE = 512, MS = 1000 };

static const struct principal anybody = {.scope = SCOPE_ANY};

/* ---- tasks ---- */

static bool
is_same_request(const struct seen_task *a, const struct seen_task *b)
{
	return a->shape == b->shape && a->tenant == b->tenant && a->owner == b->owner &&
	       a->content == b->content;
}

/* One identity has one task, unless the earlier one ended longer ago than it is remembered. */
static void
check_identity(struct world *w, const struct seen_task *fresh, int64_t at)
{
	const struct template *t = w->setup->shapes->items[fresh->shape].t;
	int64_t keep = w->settings.identity_retention_s * SIM_SECOND;

	if (t->identity == TEMPLATE_IDENTITY_ALWAYS_UNIQUE)
		return;
	for (size_t i = 0; i < w->model.task_count; i++) {
		struct seen_task *other = &w->model.tasks[i];

		if (other == fresh || !other->created || other->forgotten ||
		        !is_same_request(other, fresh))
			continue;
		other->forgotten = true;
		if (keep == 0 || other->ended_at == 0 || other->ended_at + keep >= at)
			world_find(w, "I1: request %zu became a task though request %zu had",
			        (size_t)(fresh - w->model.tasks), i);
	}
}

/* The request that asked for the task: its number was sent along as the reason. */
static struct seen_task *
request_of(struct world *w, const struct task_row *row)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);
	struct task_view view = {.reason = NULL};
	struct err e = {0};
	size_t number;

	if (op == NULL || !w->ops.task_details(w->viewer.db, row, op, &view, &e))
		return NULL;
	number = (size_t)strtoul(view.reason, NULL, 10);
	return number < w->model.task_count ? &w->model.tasks[number] : NULL;
}

static void
task_created(struct world *w, const struct event_found *f)
{
	struct task_row row;
	struct seen_task *t;
	struct err e = {0};

	if (!w->ops.task_load(w->viewer.db, f->row.task, &row, &e) || row.id == 0) {
		world_find(w, "I1: event %lld is of task %lld, which is not there",
		        (long long)f->pos, (long long)f->row.task);
		return;
	}
	t = request_of(w, &row);
	if (t == NULL || t->created || t->refused ||
	        (t->acked && memcmp(&t->id, &row.uuid, sizeof(row.uuid)) != 0)) {
		world_find(w, "I1: task %lld is one nobody asked for, or the second of its request",
		        (long long)f->row.task);
		return;
	}
	t->created = true;
	t->row = row.id;
	t->id = row.uuid;
	check_identity(w, t, f->row.at);
	for (size_t i = 0; i < w->setup->shapes->items[t->shape].t->step_count; i++) {
		t->steps[i].state = STEP_PENDING;
		w->model.step_totals[STEP_PENDING]++;
	}
}

static void
of_task(struct world *w, struct seen_task *t, const struct event_found *f)
{
	enum task_state from = (enum task_state)f->row.from, to = (enum task_state)f->row.to;

	if (from != t->state || !task_edge_is_legal(from, to))
		world_find(w, "I3: task %lld goes from %s to %s, and was %s", (long long)t->row,
		        task_state_name(from), task_state_name(to), task_state_name(t->state));
	w->model.task_totals[t->state] -= t->state != TASK_STATE_NONE;
	w->model.task_totals[to]++;
	t->state = to;
	if (task_state_is_final(to))
		t->ended_at = f->row.at;
}

/* ---- steps ---- */

static bool
has_failed(const struct seen_task *t)
{
	for (size_t i = 0; i < SHAPE_STEPS_MAX; i++)
		if (t->steps[i].state == STEP_ERROR)
			return true;
	return false;
}

static void
started(struct world *w, struct seen_task *t, struct seen_step *s, const struct event_found *f)
{
	const struct template_step *plan = &w->setup->shapes->items[t->shape].t->steps[f->row.step];
	struct seen_attempt *a = model_attempt(s, f->row.attempt);

	if (f->row.attempt == s->attempt && f->row.session == s->session && s->attempt > 0) {
		if (a != NULL && (a->sent & (SENT_OK | SENT_ERROR)) == 0)
			world_find(w, "I4: task %lld step %d: attempt %d begins again unreported",
			        (long long)t->row, f->row.step, f->row.attempt);
		return;
	}
	if (f->row.attempt != s->attempt + 1)
		world_find(w, "I4: task %lld step %d: attempt %d of session %lld after %d of %lld",
		        (long long)t->row, f->row.step, f->row.attempt, (long long)f->row.session,
		        s->attempt, (long long)s->session);
	if (has_failed(t) || task_state_is_final(t->state))
		world_find(w, "I2: task %lld step %d starts in a task that is over",
		        (long long)t->row, f->row.step);
	for (size_t i = 0; i < plan->parent_count; i++)
		if (t->steps[plan->parents[i]].state != STEP_COMPLETE)
			world_find(w, "I2: task %lld step %d starts before its parent %u is done",
			        (long long)t->row, f->row.step, plan->parents[i]);
	s->attempt = f->row.attempt;
	s->session = f->row.session;
	if (a != NULL)
		a->session = f->row.session;
}

bool
judge_may_be_lost(struct world *w, const struct seen_attempt *a, int64_t session)
{
	const struct seen_session *s = model_session(&w->model, session);

	if (a == NULL || s == NULL || s->doubtful || (a->sent & SENT_CANCELLED) != 0)
		return true;
	return w->mono >= s->heard_before + w->settings.lease_ms * MS;
}

/* An attempt without a result: who may say so, and when. */
static bool
is_allowed(struct world *w, struct seen_step *s, const struct event_row *row)
{
	const struct seen_attempt *a = model_attempt(s, row->attempt);
	unsigned sent = a != NULL ? a->sent : ~0U;

	s->failures += row->kind == EVENT_STEP_RETRY_SCHEDULED || row->kind == EVENT_STEP_FAILED;
	s->losses += row->kind == EVENT_STEP_LOST;
	if (row->kind == EVENT_STEP_COMPLETED)
		return (sent & SENT_OK) != 0;
	if (row->kind == EVENT_STEP_RETRY_SCHEDULED)
		return (sent & SENT_ERROR) != 0;
	if (row->kind == EVENT_STEP_FAILED)
		return (sent & SENT_ERROR) != 0 || (s->losses + 1 >= w->settings.max_lease_losses &&
		                                           judge_may_be_lost(w, a, row->session));
	if (row->kind == EVENT_STEP_LOST)
		return judge_may_be_lost(w, a, row->session);
	return row->kind == EVENT_STEP_RELEASED &&
	       ((sent & SENT_RELEASED) != 0 || a == NULL || a->proof == 0 || a->unlisted);
}

static void
ended(struct world *w, struct seen_task *t, struct seen_step *s, const struct event_found *f)
{
	const struct event_row *row = &f->row;

	if (row->attempt != s->attempt || row->session != s->session)
		world_find(w, "I4: task %lld step %d: session %lld ends attempt %d; %lld holds %d",
		        (long long)t->row, row->step, (long long)row->session, row->attempt,
		        (long long)s->session, s->attempt);
	if (!is_allowed(w, s, row))
		world_find(w,
		        "I2: task %lld step %d: %s of attempt %d by session %lld, for which "
		        "there is no reason",
		        (long long)t->row, row->step, event_kind_name(row->kind), row->attempt,
		        (long long)row->session);
}

static void
of_step(struct world *w, struct seen_task *t, const struct event_found *f)
{
	enum step_state from = (enum step_state)f->row.from, to = (enum step_state)f->row.to;
	size_t count = w->setup->shapes->items[t->shape].t->step_count;
	struct seen_step *s;

	if (f->row.step < 0 || (size_t)f->row.step >= count) {
		world_find(w, "I3: event %lld is of step %d", (long long)f->pos, f->row.step);
		return;
	}
	s = &t->steps[f->row.step];
	if (from != s->state || !step_edge_is_legal(from, to))
		world_find(w, "I3: task %lld step %d goes from %s to %s, and was %s",
		        (long long)t->row, f->row.step, step_state_name(from), step_state_name(to),
		        step_state_name(s->state));
	if (f->row.kind == EVENT_STEP_STARTED)
		started(w, t, s, f);
	else if (f->row.kind == EVENT_STEP_RETRY_READY && f->row.at < s->retry_at)
		world_find(w, "I2: task %lld step %d is tried again too early", (long long)t->row,
		        f->row.step);
	else if (from == STEP_IN_PROGRESS && f->row.kind != EVENT_STEP_CANCELLED)
		ended(w, t, s, f);
	w->model.step_totals[s->state]--;
	w->model.step_totals[to]++;
	s->state = to;
}

static bool
fold(const struct event_found *f, void *arg, struct err *e)
{
	struct world *w = arg;
	struct seen_task *t;

	(void)e;
	w->seen.events[f->row.kind]++;
	if (f->row.kind == EVENT_TASK_CREATED)
		task_created(w, f);
	t = model_task_of_row(&w->model, f->row.task);
	if (t == NULL) {
		world_find(w, "I3: event %lld is of an unknown task", (long long)f->pos);
		return true;
	}
	world_log(w, "  event %lld task %lld #%lld %s step %d attempt %d session %lld",
	        (long long)f->pos, (long long)t->row, (long long)f->seq,
	        event_kind_name(f->row.kind), event_kind_is_of_step(f->row.kind) ? f->row.step : -1,
	        f->row.attempt, (long long)f->row.session);
	if (f->pos <= w->model.position || f->seq != t->seq + 1)
		world_find(w, "I3: task %lld: event %lld is number %lld, after number %lld",
		        (long long)t->row, (long long)f->pos, (long long)f->seq, (long long)t->seq);
	t->seq = f->seq;
	w->model.position = f->pos;
	w->model.touched[t - w->model.tasks] = w->round;
	if (event_kind_is_of_step(f->row.kind))
		of_step(w, t, f);
	else
		of_task(w, t, f);
	return true;
}

static void
read_events(struct world *w)
{
	struct event_query query = {.limit = EVENTS_PAGE};
	struct err e = {0};

	do {
		query.after = w->model.position;
		if (!w->ops.event_list(w->viewer.db, &anybody, &query, fold, w, &e))
			world_find(w, "events cannot be read: %s", e.text);
	} while (w->model.position > query.after && w->broken[0] == '\0');
}

/* ---- all of it ---- */

void
judge_round(struct world *w)
{
	struct err e = {0};

	if (!w->ops.begin(w->viewer.db, &e))
		world_find(w, "no snapshot: %s", e.text);
	read_events(w);
	for (size_t i = 0; i < w->model.task_count && w->broken[0] == '\0'; i++)
		if (w->model.tasks[i].created && w->model.touched[i] == w->round)
			judge_rows(w, &w->model.tasks[i]);
	judge_totals(w);
	w->ops.rollback(w->viewer.db);
}

struct count {
	int64_t number;
	struct world *w;
};

static bool
count_event(const struct event_found *f, void *arg, struct err *e)
{
	struct count *c = arg;

	(void)e;
	if (f->seq != ++c->number)
		world_find(c->w, "I3: of task %lld, event %lld is read where %lld belongs",
		        (long long)f->row.task, (long long)f->seq, (long long)c->number);
	return true;
}

static void
recount(struct world *w, const struct seen_task *t)
{
	struct event_query query = {.task = t->row, .limit = 100000};
	struct count c = {0, w};
	struct err e = {0};

	if (!w->ops.event_list(w->viewer.db, &anybody, &query, count_event, &c, &e))
		world_find(w, "events cannot be read: %s", e.text);
	if (c.number != t->seq)
		world_find(w, "I1: task %lld has %lld events and had %lld", (long long)t->row,
		        (long long)c.number, (long long)t->seq);
}

void
judge_everything(struct world *w)
{
	struct err e = {0};

	judge_round(w);
	if (!w->ops.begin(w->viewer.db, &e))
		world_find(w, "no snapshot: %s", e.text);
	for (size_t i = 0; i < w->model.task_count && w->broken[0] == '\0'; i++) {
		struct seen_task *t = &w->model.tasks[i];

		if (t->acked && !t->created)
			world_find(w, "I1: request %zu was acknowledged and has no task", i);
		if (t->cancel_acked && t->state != TASK_CANCELLED)
			world_find(w, "I1: task %lld was cancelled and is %s", (long long)t->row,
			        task_state_name(t->state));
		if (!t->created)
			continue;
		judge_rows(w, t);
		recount(w, t);
	}
	w->ops.rollback(w->viewer.db);
}

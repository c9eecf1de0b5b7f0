/*
 * Writes what the engine decided about a task's steps.
 *
 * One change is one task: change_open(), any number of steps, change_close(). A step that becomes
 * ready goes to a waiting worker in the same row write that would have queued it. A child's row is
 * written after its parent's, so a frame finds its parents' results in the database.
 */
#include <string.h>

#include "orchestration/engine/identity.h"
#include "orchestration/store/match.h"
#include "shared/base/json_out.h"

bool
change_open(struct change *c, struct work *w, struct task_row *task, struct err *e)
{
	struct plan *plan;

	if (!plans_by_id(w->plans, task->template_id, &plan, e))
		return false;
	if (plan == NULL)
		return err_set(e, ERR_FORMAT, "task %lld names template %lld, which is missing",
		        (long long)task->id, (long long)task->template_id);
	*c = (struct change){.w = w, .task = task, .plan = plan};
	return true;
}

static unsigned
index_of(const struct step_row *row)
{
	return (unsigned)(row->id & STEP_INDEX_MASK);
}

struct step_policy
change_policy(const struct change *c, unsigned index)
{
	return step_policy_of(&c->plan->t->steps[index],
	        c->failed || task_is_blocked(&c->task->facts), c->w->settings->max_lease_losses);
}

static void
count(struct change *c, enum step_state from, enum step_state to)
{
	if (from == to)
		return;
	c->w->totals.steps[from] -= from != STEP_STATE_NONE;
	c->w->totals.steps[to]++;
	c->w->counted = true;
}

bool
change_event(struct change *c, const struct step_row *row, enum step_state from,
        enum event_kind kind, struct err *e)
{
	struct event_row event = {.task = c->task->id,
	        .kind = kind,
	        .step = (int)index_of(row),
	        .from = (int)from,
	        .to = (int)row->facts.state,
	        .attempt = row->facts.attempt,
	        .session = kind == EVENT_STEP_STARTED ? row->facts.session : c->session,
	        .actor = c->actor,
	        .at = c->w->wall_us};

	return c->w->ops->event_insert(c->w->db, &event, e);
}

/* The new facts and the times that go with them. */
static void
take_facts(struct change *c, struct step_row *row, const struct step_change *to)
{
	int64_t now = c->w->wall_us;
	enum step_state from = row->facts.state;

	row->facts = to->next;
	row->updated_at = now;
	row->backoff_ms = to->event == EVENT_STEP_RETRY_SCHEDULED ? to->delay_ms : -1;
	if (to->event == EVENT_STEP_STARTED)
		row->attempted_at = now;
	if (to->event == EVENT_STEP_FAILED || to->event == EVENT_STEP_RETRY_SCHEDULED)
		row->failed_at = now;
	if (step_state_is_final(row->facts.state) && !step_state_is_final(from))
		row->completed_at = now;
	if (row->facts.retry_at != 0 &&
	        (c->w->next_retry == 0 || row->facts.retry_at < c->w->next_retry))
		c->w->next_retry = row->facts.retry_at;
	if (row->facts.state == STEP_ERROR && from != STEP_ERROR)
		c->failed = true;
	count(c, from, row->facts.state);
}

static bool
took_too_much(struct change *c, struct step_row *row, struct err *e)
{
	static const char text[] =
	        "{\"code\":\"INPUT_TOO_LARGE\",\"message\":\"the context and the "
	        "parents' results exceed a frame\",\"retryable\":false}";
	struct step_report report = {.session = row->facts.session,
	        .attempt = row->facts.attempt,
	        .outcome = OUTCOME_ERROR,
	        .retry_after_ms = -1};
	struct step_output out = {
	        .error = {text, sizeof(text) - 1}
        };
	struct step_policy policy = change_policy(c, index_of(row));
	struct step_change to;

	if (step_report(&row->facts, &report, &policy, (struct moment){0}, &to) != REPORT_ACCEPTED)
		return err_set(e, ERR_INTERNAL, "a step that was just claimed cannot fail");
	take_facts(c, row, &to);
	return change_event(c, row, STEP_IN_PROGRESS, to.event, e) &&
	       c->w->ops->step_finish(c->w->db, row, &out, e);
}

/* Gives a queued step to a waiting worker, if there is one: *given. The row is not yet written. */
static bool
offer(struct change *c, struct step_row *row, bool *given, struct store_op **poll, struct err *e)
{
	struct step_change to;

	*given = false;
	row->route = c->plan->routes[index_of(row)];
	if (!row->facts.queued)
		return true;
	*poll = match_find(c->w, row->route, row->rank);
	if (*poll == NULL) {
		match_queued(c->w, row->route, row->rank);
		return true;
	}
	if (!step_claim(&row->facts, (*poll)->state->session->id, &to))
		return err_set(e, ERR_INTERNAL, "a queued step cannot be claimed");
	take_facts(c, row, &to);
	*given = true;
	return change_event(c, row, STEP_PENDING, EVENT_STEP_STARTED, e);
}

typedef bool (*row_fn)(struct backend *b, const struct step_row *row, struct err *e);

/* Writes the row with `write` (or as finished with out) and hands it over if somebody waits. */
static bool
settle(struct change *c, struct step_row *row, row_fn write, const struct step_output *out,
        struct err *e)
{
	struct store_op *poll = NULL;
	bool given, too_large = false;

	if (!offer(c, row, &given, &poll, e))
		return false;
	if (out != NULL ? !c->w->ops->step_finish(c->w->db, row, out, e) : !write(c->w->db, row, e))
		return false;
	if (!given)
		return true;
	if (!match_give(c, row, poll, &too_large, e))
		return false;
	return !too_large || took_too_much(c, row, e);
}

/* One child of a step that was just satisfied. */
static bool
tell_child(struct change *c, unsigned index, struct err *e)
{
	struct step_policy policy = change_policy(c, index);
	struct step_facts before;
	struct step_row row;
	struct step_change to;
	bool fine;

	if (!c->w->ops->step_load(c->w->db, c->task->id << STEP_INDEX_BITS | index, &row, e))
		return false;
	if (!step_parent_done(&row.facts, &policy, &to))
		return true;
	before = row.facts;
	take_facts(c, &row, &to);
	fine = settle(c, &row, row.facts.queued ? c->w->ops->step_update : c->w->ops->step_unmet,
	        NULL, e);
	task_count(&c->task->facts, &before, &row.facts);
	return fine;
}

bool
change_step(struct change *c, struct step_row *row, const struct step_change *to,
        const struct step_output *out, struct err *e)
{
	const struct template_step *plan = &c->plan->t->steps[index_of(row)];
	struct step_facts before = row->facts;

	take_facts(c, row, to);
	if (to->event != EVENT_NONE && !change_event(c, row, before.state, to->event, e))
		return false;
	if (!settle(c, row, c->w->ops->step_update, out, e))
		return false;
	task_count(&c->task->facts, &before, &row->facts);
	c->dirty = true;
	if (!step_state_satisfies(row->facts.state) || step_state_satisfies(before.state))
		return true;
	for (size_t i = 0; i < plan->child_count; i++)
		if (!tell_child(c, plan->children[i], e))
			return false;
	return true;
}

bool
change_insert(struct change *c, struct step_row *row, struct err *e)
{
	struct step_facts before = row->facts;
	bool fine;

	count(c, STEP_STATE_NONE, row->facts.state);
	fine = settle(c, row, c->w->ops->step_insert, NULL, e);
	task_count(&c->task->facts, &before, &row->facts);
	return fine;
}

bool
change_claim(struct change *c, struct step_row *row, struct store_op *poll, struct err *e)
{
	struct step_facts before = row->facts;
	struct step_change to;
	bool too_large = false;

	if (!step_claim(&before, poll->state->session->id, &to))
		return true; /* the index said queued, the row says otherwise: leave it */
	take_facts(c, row, &to);
	if (!change_event(c, row, before.state, to.event, e) ||
	        !c->w->ops->step_update(c->w->db, row, e) ||
	        !match_give(c, row, poll, &too_large, e) ||
	        (too_large && !took_too_much(c, row, e)))
		return false;
	task_count(&c->task->facts, &before, &row->facts);
	return true;
}

struct held_steps {
	struct change *c;
	struct step_row rows[TEMPLATE_STEPS_MAX];
	size_t count;
};

/* Keeps rows of a query for after its end: they are changed, which would disturb it. */
static bool
keep_row(const struct step_row *row, const struct step_output *out, void *arg, struct err *e)
{
	struct held_steps *h = arg;

	(void)out;
	if (h->count == COUNT(h->rows))
		return err_set(e, ERR_FORMAT, "a task has more than %d steps", TEMPLATE_STEPS_MAX);
	h->rows[h->count++] = *row;
	return true;
}

static bool
all_steps(struct change *c, struct held_steps *h, struct err *e)
{
	int64_t first = c->task->id << STEP_INDEX_BITS;

	h->c = c;
	h->count = 0;
	return c->w->ops->steps_each(
	        c->w->db, first, first | STEP_INDEX_MASK, false, keep_row, h, e);
}

/* After a permanent failure nothing new starts: what is queued or has a timer is held. */
static bool
hold_rest(struct change *c, struct err *e)
{
	struct held_steps h;

	if (!all_steps(c, &h, e))
		return false;
	for (size_t i = 0; i < h.count; i++) {
		struct step_facts before = h.rows[i].facts;
		struct step_change to;

		if (!step_hold(&before, &to))
			continue;
		h.rows[i].facts = to.next;
		h.rows[i].updated_at = c->w->wall_us;
		if (!c->w->ops->step_update(c->w->db, &h.rows[i], e))
			return false;
		task_count(&c->task->facts, &before, &to.next);
	}
	return true;
}

static bool
write_task(struct change *c, enum task_state from, enum event_kind kind, struct err *e)
{
	struct work *w = c->w;
	struct event_row event = {.task = c->task->id,
	        .kind = kind,
	        .step = -1,
	        .from = (int)from,
	        .to = (int)c->task->facts.state,
	        .session = c->session,
	        .actor = c->actor,
	        .at = w->wall_us};

	c->task->updated_at = w->wall_us;
	if (task_state_is_final(c->task->facts.state))
		c->task->completed_at = w->wall_us;
	if (kind != EVENT_NONE) {
		w->totals.tasks[from]--;
		w->totals.tasks[c->task->facts.state]++;
		w->counted = true;
	}
	return (kind == EVENT_NONE || w->ops->event_insert(w->db, &event, e)) &&
	       w->ops->task_update(w->db, c->task, e);
}

bool
change_close(struct change *c, struct err *e)
{
	enum task_state from = c->task->facts.state;
	enum event_kind kind;

	if (task_state_is_final(from) || (!c->dirty && !c->failed))
		return true;
	if (c->failed && !hold_rest(c, e))
		return false;
	kind = task_evaluate(&c->task->facts);
	return write_task(c, from, kind, e);
}

/* The worker that runs a cancelled step hears of it by its poll. */
static bool
tell_worker(struct change *c, const struct step_row *row, int64_t session, struct err *e)
{
	struct effect f = {
	        .kind = EFFECT_CANCEL,
	        .session = session,
	        .lease = {.step = row->id, .attempt = row->facts.attempt}
        };

	f.lease.id = identity_step_id(&c->task->uuid, index_of(row));
	return work_effect(c->w, &f, e);
}

bool
change_cancel(struct change *c, struct err *e)
{
	enum task_state from = c->task->facts.state;
	enum event_kind kind;
	struct held_steps h;

	if (!all_steps(c, &h, e) || !task_cancel(&c->task->facts, &kind))
		return false;
	for (size_t i = 0; i < h.count; i++) {
		struct step_row *row = &h.rows[i];
		struct step_facts before = row->facts;
		struct step_change to;

		if (!step_cancel(&before, &to))
			continue;
		take_facts(c, row, &to);
		if (!change_event(c, row, before.state, to.event, e) ||
		        !c->w->ops->step_update(c->w->db, row, e) ||
		        (before.state == STEP_IN_PROGRESS &&
		                !tell_worker(c, row, before.session, e)))
			return false;
		task_count(&c->task->facts, &before, &row->facts);
	}
	return write_task(c, from, kind, e);
}

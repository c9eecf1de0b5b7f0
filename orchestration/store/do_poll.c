/*
 * A worker's poll: what it reports is settled, what it holds is compared with what it should hold,
 * and then it joins the polls that wait for steps (match.c). rounds.c answers it.
 *
 * What the worker does not list goes back unburnt, unless the answer that carried it may still be
 * on its way: an attempt handed out in the session's latest poll, or a moment ago, is left alone.
 * Such attempts count against `free`, for the worker did not yet know of them when it counted.
 */
#include <string.h>

#include "orchestration/engine/identity.h"
#include "orchestration/store/do.h"
#include "shared/base/json_out.h"

enum { ERROR_MAX = 64 * 1024, US_PER_MS = 1000 };

/* {"code","message","retryable"}: what views show of a failure. */
static bool
error_json(struct store_op *op, const char *code, const char *message, bool retryable,
        struct store_json *out, struct err *e)
{
	AUTO(buf) struct buf b = BUF(8 * (size_t)ERROR_MAX);
	struct json_out w = json_out_on(&b);

	json_open(&w, NULL, '{');
	json_put_text(&w, "code", code != NULL ? code : "");
	json_put_text(&w, "message", message != NULL ? message : "");
	json_put_bool(&w, "retryable", retryable);
	json_close(&w, '}');
	out->len = b.len;
	out->text = buf_ok(&b) ? store_op_text(op, b.data, b.len) : NULL;
	return out->text != NULL ? true : err_set(e, ERR_NOMEM, "out of memory for an error");
}

static bool
output_of(struct store_op *op, const struct poll_result *r, const struct step_change *to,
        struct step_output *out, struct err *e)
{
	static const struct store_json null = {"null", 4};

	*out = (struct step_output){.log = r->log};
	if (to->next.state == STEP_COMPLETE) {
		out->result = r->result.text != NULL ? r->result : null;
		return true;
	}
	if (r->outcome == OUTCOME_ERROR)
		return error_json(op, r->code, r->message, r->retryable, &out->error, e);
	if (to->next.state == STEP_ERROR)
		return error_json(op, "WORKER_LOST", "too many attempts came to nothing", false,
		        &out->error, e);
	return true;
}

static bool
drop(struct work *w, int64_t session, int64_t step, int attempt, struct err *e)
{
	struct effect f = {
	        .kind = EFFECT_DROP,
	        .session = session,
	        .lease = {.step = step, .attempt = attempt}
        };

	return work_effect(w, &f, e);
}

/* An attempt that had gone back before its report came: it begins again, to end at once. */
static bool
resume(struct change *c, struct step_row *row, struct err *e)
{
	enum step_state from = row->facts.state;
	struct step_facts before = row->facts;

	row->facts.state = STEP_IN_PROGRESS;
	row->facts.queued = false;
	task_count(&c->task->facts, &before, &row->facts);
	c->w->totals.steps[from]--;
	c->w->totals.steps[STEP_IN_PROGRESS]++;
	c->w->counted = true;
	return change_event(c, row, from, EVENT_STEP_STARTED, e);
}

/* What a report changes, once it is known to be about `row`. */
static bool
settle(struct change *c, struct step_row *row, const struct poll_result *r, struct store_op *op,
        struct err *e)
{
	struct step_policy policy = change_policy(c, (unsigned)(row->id & STEP_INDEX_MASK));
	struct step_report report = {.session = op->in.poll.session,
	        .attempt = r->ref.attempt,
	        .outcome = r->outcome,
	        .retryable = r->retryable,
	        .retry_after_ms = r->retry_after_ms};
	struct poll_status *status = &op->out.poll.results[r - op->in.poll.results];
	struct moment now = {c->w->wall_us, work_random(c->w)};
	struct step_output out;
	struct step_change to;

	status->verdict = step_report(&row->facts, &report, &policy, now, &to);
	if (status->verdict == REPORT_STALE)
		return true;
	if (!drop(c->w, report.session, row->id, r->ref.attempt, e))
		return false;
	if (status->verdict != REPORT_ACCEPTED && status->verdict != REPORT_ACCEPTED_LATE)
		return true;
	if (status->verdict == REPORT_ACCEPTED_LATE && !resume(c, row, e))
		return false;
	return output_of(op, r, &to, &out, e) && change_step(c, row, &to, &out, e);
}

static bool
report(struct work *w, struct store_op *op, const struct poll_result *r, struct err *e)
{
	static const struct principal anybody = {.scope = SCOPE_ANY};
	struct uuid task_id;
	struct task_row task;
	struct step_row row;
	struct change c;
	unsigned index;

	op->out.poll.results[r - op->in.poll.results].ref = r->ref;
	if (!identity_split(&r->ref.step, &task_id, &index))
		return true; /* stale, as the zeroed status says */
	if (!w->ops->task_find(w->db, &task_id, &anybody, &task, e))
		return false;
	if (task.id == 0 || index >= (unsigned)task.facts.total)
		return true;
	if (!w->ops->step_load(w->db, task.id << STEP_INDEX_BITS | index, &row, e) ||
	        !change_open(&c, w, &task, e))
		return false;
	if (row.id == 0)
		return true;
	c.session = op->in.poll.session;
	return settle(&c, &row, r, op, e) && change_close(&c, e);
}

bool
do_give_back(struct work *w, struct session *s, const struct lease *lease, enum step_outcome why,
        struct err *e)
{
	static const char lost[] =
	        "{\"code\":\"WORKER_LOST\",\"message\":\"its worker was lost too "
	        "often\",\"retryable\":false}";
	struct step_output out = {
	        .error = {lost, sizeof(lost) - 1}
        };
	struct step_policy policy;
	struct step_change to;
	struct task_row task;
	struct step_row row;
	struct change c;

	if (!work_begin(w, e) || !drop(w, s->id, lease->step, lease->attempt, e))
		return false;
	if (lease->cancel)
		return true; /* its row is final already */
	if (!w->ops->step_load(w->db, lease->step, &row, e) ||
	        !w->ops->task_load(w->db, lease->step >> STEP_INDEX_BITS, &task, e) ||
	        !change_open(&c, w, &task, e))
		return false;
	if (row.facts.session != s->id || row.facts.attempt != lease->attempt)
		return true;
	c.session = s->id;
	policy = change_policy(&c, (unsigned)(lease->step & STEP_INDEX_MASK));
	if (!step_give_back(&row.facts, why, &policy, &to))
		return true;
	return change_step(&c, &row, &to, to.next.state == STEP_ERROR ? &out : NULL, e) &&
	       change_close(&c, e);
}

static bool
refers(const struct attempt_ref *r, const struct lease *l)
{
	return r->attempt == l->attempt && memcmp(&r->step, &l->id, sizeof(l->id)) == 0;
}

static bool
is_listed(const struct poll_in *in, const struct lease *l)
{
	for (size_t i = 0; i < in->held_count; i++)
		if (refers(&in->held[i], l))
			return true;
	return false;
}

static bool
is_reported(const struct poll_in *in, const struct uuid *step, int attempt)
{
	for (size_t i = 0; i < in->result_count; i++)
		if (in->results[i].ref.attempt == attempt &&
		        memcmp(&in->results[i].ref.step, step, sizeof(*step)) == 0)
			return true;
	return false;
}

/* May the answer that carried this attempt not have been read yet? */
static bool
is_fresh(const struct work *w, const struct store_op *op, const struct lease *l)
{
	return l->poll + 1 >= op->state->number ||
	       w->mono_us - l->given_us < w->settings->unheld_ms * US_PER_MS;
}

/* Compares what the session holds with what it lists; *unseen: handed out but not yet listed. */
static bool
compare_held(struct work *w, struct store_op *op, size_t *unseen, struct err *e)
{
	const struct poll_in *in = &op->in.poll;
	struct session *s = op->state->session;

	*unseen = 0;
	for (size_t i = 0; i < s->lease_count; i++) {
		struct lease l = s->leases[i];

		if (is_listed(in, &l) || is_reported(in, &l.id, l.attempt))
			continue;
		if (!l.cancel && is_fresh(w, op, &l))
			*unseen += 1;
		else if (!do_give_back(w, s, &l, OUTCOME_UNHELD, e))
			return false;
	}
	return true;
}

/* What the worker believes to hold and does not. */
static bool
find_lost(struct store_op *op, struct err *e)
{
	const struct poll_in *in = &op->in.poll;
	struct poll_out *out = &op->out.poll;

	if (in->held_count == 0)
		return true;
	out->lost = store_op_alloc(op, in->held_count, sizeof(*out->lost));
	if (out->lost == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a poll");
	for (size_t i = 0; i < in->held_count; i++) {
		const struct attempt_ref *held = &in->held[i];

		if (session_lease(op->state->session, &held->step, held->attempt) == NULL &&
		        !is_reported(in, &held->step, held->attempt))
			out->lost[out->lost_count++] = *held;
	}
	op->state->answer = op->state->answer || out->lost_count > 0;
	return true;
}

/* The answer of this poll was lost: the same steps again. */
static bool
repeat(struct work *w, struct store_op *op, struct err *e)
{
	struct session *s = op->state->session;

	for (size_t i = 0; i < s->lease_count; i++) {
		const struct lease l = s->leases[i];
		struct task_row task;
		struct step_row row;
		struct change c;

		if (l.poll != op->state->number || l.cancel ||
		        is_reported(&op->in.poll, &l.id, l.attempt))
			continue;
		op->state->room += 1;
		if (!work_begin(w, e) || !w->ops->step_load(w->db, l.step, &row, e) ||
		        !w->ops->task_load(w->db, l.step >> STEP_INDEX_BITS, &task, e) ||
		        !change_open(&c, w, &task, e) || !match_repeat(&c, &row, op, e))
			return false;
	}
	op->state->answer = op->state->answer || op->out.poll.step_count > 0;
	return true;
}

static bool
take_results(struct work *w, struct store_op *op, struct err *e)
{
	const struct poll_in *in = &op->in.poll;
	struct poll_out *out = &op->out.poll;

	if (in->result_count == 0)
		return true;
	out->results = store_op_alloc(op, in->result_count, sizeof(*out->results));
	if (out->results == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a poll");
	out->result_count = in->result_count;
	op->state->answer = true;
	if (!work_begin(w, e))
		return false;
	for (size_t i = 0; i < in->result_count; i++)
		if (!report(w, op, &in->results[i], e))
			return false;
	return true;
}

/* The session is alive: its lease begins anew, and an older poll of it has nothing to wait for. */
static size_t
renew(struct work *w, struct store_op *op)
{
	struct session *s = op->state->session;
	struct store_op *older = s->parked;
	size_t given = 0;

	s->lease_until = w->mono_us + w->settings->lease_ms * US_PER_MS;
	s->seen_us = w->mono_us;
	s->seen = true;
	if (older != NULL && older != op) {
		older->state->replaced = true;
		given = older->out.poll.step_count;
	}
	return given;
}

/* How long it may be parked: a beat less than the lease, or its own worker would lose its steps. */
static int64_t
wait_of(const struct work *w, const struct poll_in *in)
{
	int64_t most = w->settings->lease_ms - w->settings->beat_ms;

	if (most > w->settings->wait_max_ms)
		most = w->settings->wait_max_ms;
	if (most > in->wait_ms)
		most = in->wait_ms;
	return most > 0 ? most : 0;
}

static bool
is_valid(const struct poll_in *in)
{
	return in->result_count <= STORE_POLL_RESULTS_MAX &&
	       in->held_count <= STORE_POLL_HELD_MAX && in->free >= 0;
}

bool
do_poll(struct work *w, struct store_op *op, struct err *e)
{
	const struct poll_in *in = &op->in.poll;
	struct op_state *state = op->state;
	struct session *s = sessions_by_id(&w->sessions, in->session);
	size_t given, unseen, room = in->free > 0 ? (size_t)in->free : 0;
	uint32_t again;
	struct effect polled = {.kind = EFFECT_POLLED, .session = in->session, .poll = in->id};

	if (s == NULL || s->ending) {
		op_refuse(op, STORE_STALE, "the session is over: register again");
		return true;
	}
	if (!is_valid(in)) {
		op_refuse(op, STORE_INVALID,
		        "a poll carries at most %d results and lists at most %d held attempts",
		        STORE_POLL_RESULTS_MAX, STORE_POLL_HELD_MAX);
		return true;
	}
	state->session = s;
	given = renew(w, op);
	again = session_recent(s, &in->id);
	state->number = again != 0 ? again : s->polls + 1;
	polled.lease.poll = state->number;
	op->outcome = STORE_OK;
	state->due_us = w->mono_us + wait_of(w, in) * US_PER_MS;
	/* It waits before its results are taken, so that what they make ready can go to it. */
	if (!work_effect(w, &polled, e) || !find_lost(op, e) || !compare_held(w, op, &unseen, e) ||
	        (again != 0 && !repeat(w, op, e)))
		return false;
	state->room = room > given + unseen ? room - given - unseen : 0;
	if (state->room > STORE_POLL_STEPS_MAX)
		state->room = STORE_POLL_STEPS_MAX;
	match_wait(w, op);
	return take_results(w, op, e);
}

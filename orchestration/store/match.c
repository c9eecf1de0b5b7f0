/*
 * Who gets a step: the polls that wait, longest first, each served in turn.
 *
 * A step that becomes ready is offered at once, in the transaction that made it ready, unless steps
 * of a better rank are queued on its route; then it queues too, and the end of the batch takes from
 * the queues for every poll that still has room. A route remembers the best rank that may be queued
 * on it, so that empty queues are not asked.
 */
#include <string.h>

#include "orchestration/engine/identity.h"
#include "orchestration/store/match.h"

void
match_wait(struct work *w, struct store_op *poll)
{
	struct op_state *s = poll->state;

	s->next = NULL;
	s->prev = w->waiting_last;
	if (w->waiting_last != NULL)
		w->waiting_last->state->next = poll;
	else
		w->waiting_first = poll;
	w->waiting_last = poll;
	w->waiting_count++;
	s->waiting = true;
	if (s->session != NULL)
		s->session->parked = poll;
}

void
match_leave(struct work *w, struct store_op *poll)
{
	struct op_state *s = poll->state;

	if (!s->waiting)
		return;
	if (s->prev != NULL)
		s->prev->state->next = s->next;
	else
		w->waiting_first = s->next;
	if (s->next != NULL)
		s->next->state->prev = s->prev;
	else
		w->waiting_last = s->prev;
	w->waiting_count--;
	s->next = s->prev = NULL;
	s->waiting = false;
	if (s->session == NULL || s->session->parked != poll)
		return;
	s->session->parked = NULL;
	sessions_due_by(&w->sessions, s->session->lease_until);
}

static bool
has_room(const struct store_op *poll)
{
	const struct op_state *s = poll->state;

	return s->room > 0 && !s->replaced && s->frame_bytes < POLL_BYTES_MAX &&
	       s->session != NULL && !atomic_load(&s->gone);
}

struct store_op *
match_find(struct work *w, int64_t route, int rank)
{
	const struct step_route *r = routes_at(&w->routes, route);

	if (w->draining || r == NULL || rank > r->best)
		return NULL;
	for (struct store_op *p = w->waiting_first; p != NULL; p = p->state->next) {
		if (!has_room(p) || !session_takes(p->state->session, route))
			continue;
		match_leave(w, p); /* to the end: the next step goes to somebody else */
		match_wait(w, p);
		return p;
	}
	return NULL;
}

void
match_queued(struct work *w, int64_t route, int rank)
{
	struct step_route *r = routes_at(&w->routes, route);

	if (r != NULL && rank < r->best)
		r->best = rank;
}

/* The parents' results, one after the other in one buffer, and where each begins and ends. */
static bool
read_results(struct change *c, unsigned index, struct frame_result *out, struct err *e)
{
	const struct template_step *step = &c->plan->t->steps[index];
	struct buf *b = &c->w->results;
	size_t ends[TEMPLATE_STEPS_MAX], from = 0;

	buf_clear(b);
	for (size_t i = 0; i < step->parent_count; i++) {
		int64_t id = c->task->id << STEP_INDEX_BITS | step->parents[i];

		if (!c->w->ops->step_result(c->w->db, id, b, e))
			return false;
		ends[i] = b->len;
	}
	for (size_t i = 0; !b->failed && i < step->parent_count; from = ends[i++])
		out[i] = (struct frame_result){
		        b->data != NULL ? b->data + from : NULL, ends[i] - from};
	return true;
}

static bool
make_frame(struct change *c, const struct step_row *row, bool *too_large, struct err *e)
{
	struct frame_result parents[TEMPLATE_STEPS_MAX];
	struct frame_input in = {.task = c->task->uuid,
	        .plan = c->plan->t,
	        .index = (unsigned)(row->id & STEP_INDEX_MASK),
	        .attempt = row->facts.attempt,
	        .context = c->context.text,
	        .context_len = c->context.len,
	        .parents = parents};
	AUTO(buf) struct buf context = BUF(c->w->frame.max);

	if (!read_results(c, in.index, parents, e))
		return false;
	if (in.context == NULL) {
		if (!c->w->ops->task_context(c->w->db, c->task->id, &context, e))
			return false;
		in.context = context.data;
		in.context_len = context.len;
	}
	buf_clear(&c->w->frame);
	if (!c->w->results.failed && !context.failed)
		frame_write(&in, &c->w->frame);
	*too_large = c->w->results.failed || context.failed || c->w->frame.failed;
	if (c->w->results.starved || context.starved || c->w->frame.starved)
		return err_set(e, ERR_NOMEM, "out of memory for a frame");
	return true;
}

/* Room for one more step in the answer. */
static bool
grow_answer(struct store_op *poll, struct err *e)
{
	struct poll_out *out = &poll->out.poll;
	size_t cap = poll->state->room + out->step_count;
	struct poll_step *steps;

	if (out->step_count < poll->state->step_cap)
		return true;
	steps = store_op_alloc(poll, cap, sizeof(*steps));
	if (steps == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a poll");
	if (out->step_count > 0)
		memcpy(steps, out->steps, out->step_count * sizeof(*steps));
	out->steps = steps;
	poll->state->step_cap = cap;
	return true;
}

/* Appends the frame that make_frame() left to the poll's answer. */
static bool
put_step(struct change *c, struct store_op *poll, const struct attempt_ref *ref, struct err *e)
{
	struct poll_step *step;

	if (!grow_answer(poll, e))
		return false;
	step = &poll->out.poll.steps[poll->out.poll.step_count];
	step->ref = *ref;
	step->frame.len = c->w->frame.len;
	step->frame.text = store_op_text(poll, c->w->frame.data, c->w->frame.len);
	if (step->frame.text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a frame");
	poll->out.poll.step_count++;
	poll->state->room--;
	poll->state->frame_bytes += step->frame.len;
	return true;
}

static struct attempt_ref
ref_of(const struct change *c, const struct step_row *row)
{
	unsigned index = (unsigned)(row->id & STEP_INDEX_MASK);

	return (struct attempt_ref){identity_step_id(&c->task->uuid, index), row->facts.attempt};
}

bool
match_give(struct change *c, struct step_row *row, struct store_op *poll, bool *too_large,
        struct err *e)
{
	struct attempt_ref ref = ref_of(c, row);
	struct effect hold = {
	        .kind = EFFECT_HOLD,
	        .session = poll->state->session->id,
	        .lease = {.step = row->id,
	                  .id = ref.step,
	                  .attempt = ref.attempt,
	                  .poll = poll->state->number,
	                  .given_us = c->w->mono_us}
        };

	if (!make_frame(c, row, too_large, e))
		return false;
	return *too_large || (put_step(c, poll, &ref, e) && work_effect(c->w, &hold, e));
}

bool
match_repeat(struct change *c, struct step_row *row, struct store_op *poll, struct err *e)
{
	struct attempt_ref ref = ref_of(c, row);
	bool too_large;

	if (!make_frame(c, row, &too_large, e))
		return false;
	return too_large || put_step(c, poll, &ref, e);
}

struct ids {
	int64_t items[STORE_POLL_STEPS_MAX];
	size_t count;
};

static bool
keep_id(int64_t id, void *arg, struct err *e)
{
	struct ids *ids = arg;

	(void)e;
	ids->items[ids->count++] = id;
	return true;
}

static bool
claim(struct work *w, struct store_op *poll, int64_t id, int *rank, struct err *e)
{
	struct task_row task;
	struct step_row row;
	struct change c;

	if (!w->ops->step_load(w->db, id, &row, e) ||
	        !w->ops->task_load(w->db, id >> STEP_INDEX_BITS, &task, e))
		return false;
	*rank = row.rank;
	return change_open(&c, w, &task, e) && change_claim(&c, &row, poll, e) &&
	       change_close(&c, e);
}

/* Up to the poll's room from one route's queue. */
static bool
take_from(struct work *w, struct store_op *poll, int64_t route, struct err *e)
{
	size_t room = poll->state->room;
	int limit = room < STORE_POLL_STEPS_MAX ? (int)room : STORE_POLL_STEPS_MAX;
	struct ids ids = {.count = 0};
	int rank = RANK_ANY;

	if (!work_begin(w, e) || !w->ops->steps_ready(w->db, route, limit, keep_id, &ids, e))
		return false;
	for (size_t i = 0; i < ids.count && has_room(poll); i++)
		if (!claim(w, poll, ids.items[i], &rank, e))
			return false;
	if (has_room(poll) && ids.count < (size_t)limit)
		routes_at(&w->routes, route)->best = RANK_NONE;
	else
		routes_at(&w->routes, route)->best = rank;
	return true;
}

static bool
anything_queued(const struct work *w)
{
	for (size_t i = 0; i < w->routes.count; i++)
		if (w->routes.items[i].best != RANK_NONE)
			return true;
	return false;
}

static bool
fill(struct work *w, struct store_op *poll, struct err *e)
{
	size_t turn = w->route_turn++;

	for (size_t i = 0; i < w->routes.count && has_room(poll); i++) {
		size_t route = (i + turn) % w->routes.count;

		if (w->routes.items[route].best == RANK_NONE ||
		        !session_takes(poll->state->session, (int64_t)route))
			continue;
		if (!take_from(w, poll, (int64_t)route, e))
			return false;
	}
	return true;
}

bool
match_queue(struct work *w, struct err *e)
{
	if (w->draining || w->waiting_first == NULL)
		return true;
	if (w->routes_stale && !work_begin(w, e))
		return false;
	if (!anything_queued(w))
		return true;
	for (struct store_op *p = w->waiting_first; p != NULL; p = p->state->next)
		if (has_room(p) && !fill(w, p, e))
			return false;
	return true;
}

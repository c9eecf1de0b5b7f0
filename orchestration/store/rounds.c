#include "orchestration/store/rounds.h"

#include <stdlib.h>

#include "orchestration/store/do.h"

enum {
	BATCH_LIMIT = 4096, /* whatever the settings say */
	US_PER_MS = 1000,
	US_PER_S = 1000000,
	PAUSE_US = 1000000, /* after a round of timers that failed */
};

/* What goes into one transaction. */
struct batch {
	struct store_op **ops;
	size_t count;
};

struct rounds {
	const struct store_settings *settings;
	struct pulse *pulse;
	struct work work;
	int64_t paused_until; /* timers rest after a fault; monotonic */
	int64_t polls_due;    /* the first parked poll is due then; monotonic */
	atomic_bool draining, closing;
	struct store_op *ops[BATCH_LIMIT]; /* of the batch at hand */
};

static int64_t
mono_now(const struct rounds *r)
{
	return r->settings->mono_us(r->settings->clock_arg);
}

static void
look_at_clocks(struct rounds *r)
{
	r->work.wall_us = r->settings->wall_us(r->settings->clock_arg);
	r->work.mono_us = mono_now(r);
	r->work.draining = atomic_load(&r->draining);
}

bool
rounds_new(const struct store_settings *settings, const struct backend_ops *ops,
        struct pulse *pulse, OWNED struct rounds **out, struct err *e)
{
	AUTO(rounds) struct rounds *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a store");
	r->settings = settings;
	r->pulse = pulse;
	r->polls_due = INT64_MAX;
	if (!work_open(&r->work, settings, ops, e))
		return false;
	look_at_clocks(r);
	*out = TAKE(r);
	return true;
}

static bool
execute(struct work *w, struct store_op *op, struct err *e)
{
	switch (op->verb) {
	case STORE_TASK_CREATE:
		return do_create(w, op, e);
	case STORE_TASK_CANCEL:
		return do_cancel(w, op, e);
	case STORE_TEMPLATE_PUT:
		return do_template_put(w, op, e);
	case STORE_WORKER_REGISTER:
		return do_register(w, op, e);
	case STORE_WORKER_LIST:
		return do_worker_list(w, op, e);
	case STORE_POLL:
		return do_poll(w, op, e);
	case STORE_REVOKE:
		return do_revoke(w, op, e);
	case STORE_UNREVOKE:
		return do_unrevoke(w, op, e);
	case STORE_TASK_GET:
	case STORE_TASK_LIST:
	case STORE_STEP_LIST:
	case STORE_STEP_GET:
	case STORE_TEMPLATE_LIST:
	case STORE_TEMPLATE_GET:
	case STORE_SESSION_LIST:
	case STORE_REVOCATION_LIST:
	case STORE_STATS:
	case STORE_EVENT_LIST:
	case STORE_VERB__COUNT:
		break;
	}
	op_refuse(
	        op, STORE_UNDECIDED, "%s is no operation of the writer", store_verb_name(op->verb));
	return true;
}

/* These change what others in the batch would have looked up: they get a transaction alone. */
static bool
is_solo(const struct store_op *op)
{
	return op->verb == STORE_TEMPLATE_PUT || op->verb == STORE_WORKER_REGISTER;
}

/* One poll of a session a batch: the second needs what the first changed in memory. */
static bool
meets_its_own(struct work *w, struct store_op *op)
{
	struct session *s;

	if (op->verb != STORE_POLL)
		return false;
	s = sessions_by_id(&w->sessions, op->in.poll.session);
	if (s == NULL)
		return false;
	if (s->batch == w->batch)
		return true;
	s->batch = w->batch;
	return false;
}

/* Takes from the round what goes into one transaction. */
static void
gather(struct rounds *r, struct op_list *round, struct batch *b)
{
	size_t max = (size_t)r->settings->batch_max;

	b->count = 0;
	r->work.batch++;
	while (round->first != NULL && b->count < BATCH_LIMIT && b->count < max) {
		struct store_op *op = round->first;

		if (b->count > 0 && is_solo(op))
			return;
		if (meets_its_own(&r->work, op))
			return;
		b->ops[b->count++] = op_list_take(round);
		if (is_solo(op))
			return;
	}
}

/* Takes back what a failed transaction had given to polls that waited before it. What it took stays
 * in a poll's memory: one that was given a lot in vain is answered, with nothing. */
static void
ungive(struct work *w)
{
	for (struct store_op *p = w->waiting_first; p != NULL; p = p->state->next) {
		p->state->room += p->out.poll.step_count;
		p->state->frame_bytes = 0;
		p->out.poll.step_count = 0;
		p->state->answer = p->state->bytes > POLL_BYTES_MAX;
	}
}

static void
note_fault(struct rounds *r, const struct err *e)
{
	if (r->work.ops->is_fatal(r->work.db))
		atomic_store(&r->pulse->fatal, true);
	pulse_fail(r->pulse, e);
}

static void
undo(struct rounds *r, const struct batch *b, const struct err *e)
{
	for (size_t i = 0; i < b->count; i++) {
		match_leave(&r->work, b->ops[i]);
		op_reset(b->ops[i]);
	}
	ungive(&r->work);
	work_rollback(&r->work);
	atomic_fetch_add(&r->pulse->rollbacks, 1);
	atomic_store(&r->pulse->degraded, true);
	note_fault(r, e);
}

static void
put_back(struct batch *b, size_t from, struct op_list *round)
{
	struct op_list all = {0};
	struct store_op *op;

	for (size_t i = from; i < b->count; i++)
		op_list_add(&all, b->ops[i]);
	while ((op = op_list_take(round)) != NULL)
		op_list_add(&all, op);
	*round = all;
	b->count = from;
}

static bool
attempt(struct rounds *r, struct batch *b, struct op_list *round, struct err *e)
{
	int64_t until = mono_now(r) + r->settings->batch_ms * US_PER_MS;
	bool wrote;

	for (size_t i = 0; i < b->count; i++) {
		if (!execute(&r->work, b->ops[i], e))
			return false;
		if (round != NULL && i + 1 < b->count && mono_now(r) >= until)
			put_back(b, i + 1, round);
	}
	if (!match_queue(&r->work, e))
		return false;
	if (!work_commit(&r->work, &wrote, e))
		return false;
	if (wrote) {
		atomic_fetch_add(&r->pulse->commits, 1);
		atomic_store(&r->pulse->degraded, false);
	}
	return true;
}

/* Polls stay where they wait; everything else is answered. */
static void
answer(struct rounds *r, const struct batch *b)
{
	atomic_fetch_add(&r->pulse->operations, (long long)b->count);
	for (size_t i = 0; i < b->count; i++)
		if (!b->ops[i]->state->waiting)
			op_deliver(b->ops[i]);
}

static void
run_alone(struct rounds *r, struct store_op *op)
{
	struct batch one = {.ops = &op, .count = 1};
	struct err e = {0};

	if (atomic_load(&r->pulse->fatal) || !attempt(r, &one, NULL, &e)) {
		if (e.code != ERR_NONE)
			undo(r, &one, &e);
		op_refuse(op, STORE_FAULT, "%s",
		        e.code != ERR_NONE ? e.text
		                           : "the store failed and trusts nothing any more");
	}
	answer(r, &one);
}

static void
run(struct rounds *r, struct batch *b, struct op_list *round)
{
	struct err e = {0};

	if (!atomic_load(&r->pulse->fatal) && attempt(r, b, round, &e)) {
		answer(r, b);
		return;
	}
	if (e.code != ERR_NONE)
		undo(r, b, &e);
	for (size_t i = 0; i < b->count; i++)
		run_alone(r, b->ops[i]);
}

/* Leases that ended and sessions nobody uses; all of them are looked at when the first is due. */
static bool
a_session_is_due(struct rounds *r)
{
	struct sessions *all = &r->work.sessions;

	if (all->due > r->work.mono_us)
		return false;
	sessions_look(all, r->settings->session_keep_ms * US_PER_MS);
	return all->due <= r->work.mono_us;
}

static bool
timers_are_due(struct rounds *r)
{
	bool retry = r->work.next_retry != 0 && r->work.next_retry <= r->work.wall_us;

	return a_session_is_due(r) || retry;
}

static void
run_timers(struct rounds *r)
{
	struct batch none = {.ops = r->ops};
	struct err e = {0};

	if (r->paused_until > r->work.mono_us || atomic_load(&r->pulse->fatal) ||
	        !timers_are_due(r))
		return;
	if (do_timers(&r->work, &e) && attempt(r, &none, NULL, &e))
		return;
	undo(r, &none, &e);
	r->paused_until = r->work.mono_us + PAUSE_US;
}

/* What an answer says of cancelled attempts; they are repeated until the worker lets go of them. */
static bool
list_cancelled(struct store_op *poll)
{
	struct session *s = poll->state->session;
	struct poll_out *out = &poll->out.poll;

	for (size_t i = 0; i < s->lease_count; i++) {
		struct lease *l = &s->leases[i];

		if (!l->cancel)
			continue;
		if (out->cancel == NULL)
			out->cancel = store_op_alloc(poll, s->lease_count, sizeof(*out->cancel));
		if (out->cancel == NULL)
			return false;
		out->cancel[out->cancel_count++] = (struct attempt_ref){l->id, l->attempt};
		l->told = true;
	}
	return true;
}

static bool
has_news(const struct store_op *poll)
{
	const struct session *s = poll->state->session;

	for (size_t i = 0; s != NULL && i < s->lease_count; i++)
		if (s->leases[i].cancel && !s->leases[i].told)
			return true;
	return poll->state->answer || poll->out.poll.step_count > 0;
}

static bool
is_over(const struct rounds *r, const struct store_op *poll)
{
	const struct op_state *s = poll->state;

	return s->replaced || s->session == NULL || s->due_us <= r->work.mono_us ||
	       r->work.draining || atomic_load(&poll->state->gone);
}

static void
answer_poll(struct rounds *r, struct store_op *poll)
{
	struct session *s = poll->state->session;

	match_leave(&r->work, poll);
	if (s == NULL)
		op_refuse(poll, STORE_STALE, "the session is over: register again");
	else if (!list_cancelled(poll))
		op_refuse(poll, STORE_FAULT, "out of memory for a poll");
	if (s != NULL && !atomic_load(&poll->state->gone))
		s->lease_until = r->work.mono_us + r->settings->lease_ms * US_PER_MS;
	op_deliver(poll);
}

static void
answer_polls(struct rounds *r)
{
	struct store_op *next;

	r->polls_due = INT64_MAX;
	for (struct store_op *p = r->work.waiting_first; p != NULL; p = next) {
		next = p->state->next;
		if (has_news(p) || is_over(r, p))
			answer_poll(r, p);
		else if (p->state->due_us < r->polls_due)
			r->polls_due = p->state->due_us;
	}
	atomic_store(&r->pulse->parked, (int)r->work.waiting_count);
}

/* Operations that waited too long, or came too late, are not begun. */
static void
refuse_late(struct rounds *r, struct op_list *round)
{
	struct op_list kept = {0};
	struct store_op *op;
	bool closing = atomic_load(&r->closing);

	while ((op = op_list_take(round)) != NULL) {
		bool results = op->verb == STORE_POLL && op->in.poll.result_count > 0;

		if (op->state->deadline_us < r->work.mono_us)
			op_refuse(op, STORE_TIMEOUT, "it waited too long in the queue");
		else if (closing && !results)
			op_refuse(op, STORE_BUSY, "the store is closing");
		if (op->outcome == STORE_UNDECIDED)
			op_list_add(&kept, op);
		else
			op_deliver(op);
	}
	*round = kept;
}

void
rounds_begin(struct rounds *r, struct op_list *round)
{
	look_at_clocks(r);
	refuse_late(r, round);
	run_timers(r);
	answer_polls(r);
}

bool
rounds_batch(struct rounds *r, struct op_list *round)
{
	struct batch b = {.ops = r->ops};

	if (round->first == NULL)
		return false;
	gather(r, round, &b);
	run(r, &b, round);
	look_at_clocks(r);
	run_timers(r); /* first: what they free may still go to a poll whose time is over */
	answer_polls(r);
	atomic_store(&r->pulse->since_us, r->work.mono_us);
	return true;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
rounds_idle_us(const struct rounds *r)
{
	const bool rings = !atomic_load(&r->pulse->fatal); /* else nothing but polls can be due */
	int64_t now = r->work.mono_us;
	int64_t due = rings ? sooner(r->work.sessions.due, r->polls_due) : r->polls_due;
	int64_t left = due != INT64_MAX ? due - now : INT64_MAX;

	if (rings && r->work.next_retry != 0)
		left = sooner(left, sooner(US_PER_S, r->work.next_retry - r->work.wall_us));
	if (left == INT64_MAX)
		return -1;
	if (r->paused_until > now && left < r->paused_until - now)
		left = r->paused_until - now;
	return left > 0 ? left : 0;
}

bool
rounds_want_checkpoint(struct rounds *r)
{
	const struct backend_ops *ops = r->work.ops;
	struct err e = {0};
	bool urgent = false;

	if (!ops->is_overdue(r->work.db, &urgent))
		return false;
	if (urgent && !ops->checkpoint(r->work.db, &e))
		note_fault(r, &e);
	return true;
}

void
rounds_drain(struct rounds *r)
{
	atomic_store(&r->draining, true);
}

void
rounds_close(struct rounds *r)
{
	atomic_store(&r->closing, true);
}

void
rounds_free(struct rounds *r)
{
	if (r == NULL)
		return;
	rounds_drain(r);
	look_at_clocks(r);
	answer_polls(r);
	work_close(&r->work);
	free(r);
}

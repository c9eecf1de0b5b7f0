#include "orchestration/store/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/store/checkpointer.h"
#include "orchestration/store/do.h"
#include "orchestration/store/lanes.h"
#include "shared/base/clock.h"

enum {
	BATCH_LIMIT = 4096, /* whatever the settings say */
	US_PER_MS = 1000,
	US_PER_S = 1000000,
	PAUSE_US = 1000000, /* after a round of timers that failed */
};

struct writer {
	const struct store_settings *settings;
	struct pulse *pulse;
	struct lanes *lanes;
	struct checkpointer *checkpointer;
	struct work work;
	pthread_t thread;
	bool started;
	int64_t paused_until; /* timers rest after a fault; monotonic */
	atomic_bool draining, closing;
};

struct batch {
	struct store_op *ops[BATCH_LIMIT];
	size_t count;
};

static const enum store_lane lane_of_verb[] = {
#define VERB(name, lane, what) LANE_##lane,
#include "orchestration/store/verb.def"
#undef VERB
};

bool
writer_new(const struct store_settings *settings, const struct backend_ops *ops,
        struct pulse *pulse, OWNED struct writer **out, struct err *e)
{
	AUTO(writer) struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a store");
	w->settings = settings;
	w->pulse = pulse;
	if (!lanes_new(settings, &w->lanes, e) || !work_open(&w->work, settings, ops, e) ||
	        !checkpointer_new(settings, ops, pulse, &w->checkpointer, e))
		return false;
	*out = TAKE(w);
	return true;
}

bool
writer_put(struct writer *w, struct store_op *op)
{
	enum store_lane lane = lane_of_verb[op->verb];

	if (op->verb == STORE_POLL && op->in.poll.result_count > 0)
		lane = LANE_RESULT;
	return lanes_put(w->lanes, lane, op);
}

void
writer_wake(struct writer *w)
{
	lanes_wake(w->lanes);
}

void
writer_drain(struct writer *w)
{
	atomic_store(&w->draining, true);
	lanes_wake(w->lanes);
}

void
writer_depth(struct writer *w, int out[STORE_LANES])
{
	lanes_depth(w->lanes, out);
}

static void
look_at_clocks(struct writer *w)
{
	w->work.wall_us = w->settings->wall_us(w->settings->clock_arg);
	w->work.mono_us = w->settings->mono_us(w->settings->clock_arg);
	w->work.draining = atomic_load(&w->draining);
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
	case STORE_TASK_GET:
	case STORE_TASK_LIST:
	case STORE_STEP_LIST:
	case STORE_STEP_GET:
	case STORE_TEMPLATE_LIST:
	case STORE_TEMPLATE_GET:
	case STORE_SESSION_LIST:
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
gather(struct writer *w, struct op_list *round, struct batch *b)
{
	size_t max = (size_t)w->settings->batch_max;

	b->count = 0;
	w->work.batch++;
	while (round->first != NULL && b->count < BATCH_LIMIT && b->count < max) {
		struct store_op *op = round->first;

		if (b->count > 0 && is_solo(op))
			return;
		if (meets_its_own(&w->work, op))
			return;
		b->ops[b->count++] = op_list_take(round);
		if (is_solo(op))
			return;
	}
}

/* Takes back what a failed transaction had given to polls that waited before it. */
static void
ungive(struct work *w)
{
	for (struct store_op *p = w->waiting_first; p != NULL; p = p->state->next) {
		p->state->room += p->out.poll.step_count;
		p->state->frame_bytes = 0;
		p->out.poll.step_count = 0;
	}
}

static void
note_fault(struct writer *w, const struct err *e)
{
	if (w->work.ops->is_fatal(w->work.db))
		atomic_store(&w->pulse->fatal, true);
	pulse_fail(w->pulse, e);
}

static void
undo(struct writer *w, const struct batch *b, const struct err *e)
{
	for (size_t i = 0; i < b->count; i++) {
		match_leave(&w->work, b->ops[i]);
		op_reset(b->ops[i]);
	}
	ungive(&w->work);
	work_rollback(&w->work);
	atomic_fetch_add(&w->pulse->rollbacks, 1);
	atomic_store(&w->pulse->degraded, true);
	note_fault(w, e);
}

/* The batch ends before its operation `from`: the rest is first in the round again, since it was
 * queued before what is still there, or in a better lane. */
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

/*
 * Runs the batch up to its time limit; what does not fit goes back to the round. False: nothing of
 * it happened.
 */
static bool
attempt(struct writer *w, struct batch *b, struct op_list *round, struct err *e)
{
	int64_t until = clock_mono_us() + w->settings->batch_ms * US_PER_MS;
	bool wrote;

	for (size_t i = 0; i < b->count; i++) {
		if (!execute(&w->work, b->ops[i], e))
			return false;
		if (round != NULL && i + 1 < b->count && clock_mono_us() >= until)
			put_back(b, i + 1, round);
	}
	if (!match_queue(&w->work, e))
		return false;
	if (!work_commit(&w->work, &wrote, e))
		return false;
	if (wrote) {
		atomic_fetch_add(&w->pulse->commits, 1);
		atomic_store(&w->pulse->degraded, false);
	}
	return true;
}

/* Polls stay where they wait; everything else is answered. */
static void
answer(struct writer *w, const struct batch *b)
{
	atomic_fetch_add(&w->pulse->operations, (long long)b->count);
	for (size_t i = 0; i < b->count; i++)
		if (!b->ops[i]->state->waiting)
			op_deliver(b->ops[i]);
}

static void
run_alone(struct writer *w, struct store_op *op)
{
	struct batch one = {.ops = {op}, .count = 1};
	struct err e = {0};

	if (atomic_load(&w->pulse->fatal) || !attempt(w, &one, NULL, &e)) {
		if (e.code != ERR_NONE)
			undo(w, &one, &e);
		op_refuse(op, STORE_FAULT, "%s",
		        e.code != ERR_NONE ? e.text
		                           : "the store failed and trusts nothing any more");
	}
	answer(w, &one);
}

static void
run(struct writer *w, struct batch *b, struct op_list *round)
{
	struct err e = {0};

	if (!atomic_load(&w->pulse->fatal) && attempt(w, b, round, &e)) {
		answer(w, b);
		return;
	}
	if (e.code != ERR_NONE)
		undo(w, b, &e);
	for (size_t i = 0; i < b->count; i++)
		run_alone(w, b->ops[i]);
}

static bool
timers_are_due(struct writer *w)
{
	struct sessions *all = &w->work.sessions;

	if (w->work.next_retry != 0 && w->work.next_retry <= w->work.wall_us)
		return true;
	for (struct session *s = sessions_next(all, NULL); s != NULL; s = sessions_next(all, s))
		if (s->lease_until <= w->work.mono_us &&
		        (s->lease_count > 0 || w->work.mono_us - s->seen_us >
		                                       w->settings->session_keep_ms * US_PER_MS))
			return true;
	return false;
}

static void
run_timers(struct writer *w)
{
	struct batch none = {.count = 0};
	struct err e = {0};

	if (w->paused_until > w->work.mono_us || atomic_load(&w->pulse->fatal) ||
	        !timers_are_due(w))
		return;
	if (do_timers(&w->work, &e) && attempt(w, &none, NULL, &e))
		return;
	undo(w, &none, &e);
	w->paused_until = w->work.mono_us + PAUSE_US;
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
is_over(const struct writer *w, const struct store_op *poll)
{
	const struct op_state *s = poll->state;

	return s->replaced || s->session == NULL || s->due_us <= w->work.mono_us ||
	       w->work.draining || atomic_load(&poll->state->gone);
}

static void
answer_poll(struct writer *w, struct store_op *poll)
{
	struct session *s = poll->state->session;

	match_leave(&w->work, poll);
	if (s == NULL)
		op_refuse(poll, STORE_STALE, "the session is over: register again");
	else if (!list_cancelled(poll))
		op_refuse(poll, STORE_FAULT, "out of memory for a poll");
	if (s != NULL && !atomic_load(&poll->state->gone))
		s->lease_until = w->work.mono_us + w->settings->lease_ms * US_PER_MS;
	op_deliver(poll);
}

static void
answer_polls(struct writer *w)
{
	struct store_op *next;

	for (struct store_op *p = w->work.waiting_first; p != NULL; p = next) {
		next = p->state->next;
		if (has_news(p) || is_over(w, p))
			answer_poll(w, p);
	}
	atomic_store(&w->pulse->parked, (int)w->work.waiting_count);
}

/* Operations that waited too long, or came too late, are not begun. */
static void
refuse_late(struct writer *w, struct op_list *round)
{
	struct op_list kept = {0};
	struct store_op *op;
	bool closing = atomic_load(&w->closing);

	while ((op = op_list_take(round)) != NULL) {
		bool results = op->verb == STORE_POLL && op->in.poll.result_count > 0;

		if (op->state->deadline_us < w->work.mono_us)
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

static void
help_checkpoint(struct writer *w)
{
	struct err e = {0};
	bool urgent = false;

	if (!w->work.ops->is_overdue(w->work.db, &urgent))
		return;
	checkpointer_wake(w->checkpointer);
	if (urgent && !w->work.ops->checkpoint(w->work.db, &e))
		note_fault(w, &e);
}

static void
work_round(struct writer *w, struct op_list *round)
{
	look_at_clocks(w);
	refuse_late(w, round);
	run_timers(w);
	answer_polls(w);
	while (round->first != NULL) {
		struct batch b;

		gather(w, round, &b);
		run(w, &b, round);
		look_at_clocks(w);
		answer_polls(w);
		help_checkpoint(w);
		atomic_store(&w->pulse->since_us, w->work.mono_us);
	}
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How long nothing is due, in real time from now; the wall clock may jump, so at most a second. */
static int64_t
next_wake(struct writer *w)
{
	int64_t now = w->work.mono_us, left = INT64_MAX;
	struct sessions *all = &w->work.sessions;

	if (w->work.next_retry != 0)
		left = sooner(US_PER_S, w->work.next_retry - w->work.wall_us);
	for (struct session *s = sessions_next(all, NULL); s != NULL; s = sessions_next(all, s))
		if (s->lease_count > 0)
			left = sooner(left, s->lease_until - now);
	for (struct store_op *p = w->work.waiting_first; p != NULL; p = p->state->next)
		left = sooner(left, p->state->due_us - now);
	if (left == INT64_MAX)
		return 0;
	if (w->paused_until > now && left < w->paused_until - now)
		left = w->paused_until - now;
	return clock_mono_us() + (left > 0 ? left : 0) + 1;
}

static void *
serve(void *arg)
{
	struct writer *w = arg;
	struct op_list round = {0};

	(void)pthread_setname_np(pthread_self(), "store");
	look_at_clocks(w);
	while (lanes_take(w->lanes, next_wake(w), (size_t)w->settings->batch_max, &round)) {
		atomic_store(&w->pulse->since_us,
		        (long long)w->settings->mono_us(w->settings->clock_arg));
		work_round(w, &round);
		atomic_store(&w->pulse->since_us, 0);
	}
	return NULL;
}

bool
writer_start(struct writer *w, struct err *e)
{
	if (!checkpointer_start(w->checkpointer, e))
		return false;
	if (pthread_create(&w->thread, NULL, serve, w) != 0)
		return err_set(e, ERR_IO, "no thread for the store");
	w->started = true;
	return true;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	atomic_store(&w->closing, true);
	if (w->lanes != NULL)
		lanes_close(w->lanes);
	if (w->started)
		(void)pthread_join(w->thread, NULL);
	atomic_store(&w->draining, true);
	look_at_clocks(w);
	answer_polls(w);
	checkpointer_free(w->checkpointer);
	work_close(&w->work);
	lanes_free(w->lanes);
	free(w);
}

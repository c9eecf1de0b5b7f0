#include "orchestration/store/reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/store/lanes.h"
#include "orchestration/store/ledger.h"
#include "orchestration/store/read_ops.h"
#include "shared/base/clock.h"

enum { ROUND_MAX = 64, SLOW_US = 2000 };

struct reader {
	const struct store_settings *settings;
	struct lanes *lanes;
	struct ledger *ledger;
	struct viewer viewer;
	pthread_t thread;
	bool started;
	atomic_bool closing;
};

static const bool reads[STORE_VERB__COUNT] = {
        [STORE_TASK_GET] = true,
        [STORE_TASK_LIST] = true,
        [STORE_STEP_LIST] = true,
        [STORE_STEP_GET] = true,
        [STORE_TEMPLATE_LIST] = true,
        [STORE_TEMPLATE_GET] = true,
        [STORE_SESSION_LIST] = true,
        [STORE_REVOCATION_LIST] = true,
        [STORE_STATS] = true,
        [STORE_EVENT_LIST] = true,
};

bool
reader_serves(enum store_verb verb)
{
	return (size_t)verb < COUNT(reads) && reads[verb];
}

bool
reader_new(const struct store_settings *settings, const struct backend_ops *ops,
        OWNED struct reader **out, struct err *e)
{
	AUTO(reader) struct reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a store");
	r->settings = settings;
	r->viewer.ops = ops;
	r->viewer.max_lease_losses = settings->max_lease_losses;
	if (!lanes_new(settings, &r->lanes, e) ||
	        !ledger_new((size_t)settings->answer_bytes_max, &r->ledger, e) ||
	        !ops->open(settings, BACKEND_READER, &r->viewer.db, e) ||
	        !plans_new(ops, r->viewer.db, false, &r->viewer.plans, e))
		return false;
	*out = TAKE(r);
	return true;
}

bool
reader_put(struct reader *r, struct store_op *op)
{
	return lanes_put(r->lanes, LANE_READ, op);
}

int
reader_depth(struct reader *r)
{
	int depth[STORE_LANES];

	lanes_depth(r->lanes, depth);
	return depth[LANE_READ];
}

static void
read_one(struct reader *r, struct store_op *op)
{
	int64_t left = op->state->deadline_us - r->settings->mono_us(r->settings->clock_arg);
	struct err e = {0};

	if (left < 0) {
		op_refuse(op, STORE_TIMEOUT, "it waited too long in the queue");
		return;
	}
	if (atomic_load(&r->closing)) {
		op_refuse(op, STORE_BUSY, "the store is closing");
		return;
	}
	r->viewer.ops->limit_time(r->viewer.db, clock_mono_us() + left);
	if (!read_op(&r->viewer, op, &e))
		op_refuse(op, e.code == ERR_BUSY ? STORE_TIMEOUT : STORE_FAULT, "%s", e.text);
	r->viewer.ops->limit_time(r->viewer.db, 0);
}

/* The answer counts until its owner frees it. */
static void
hold(struct reader *r, struct store_op *op)
{
	if (op->state->ledger != NULL) /* it was submitted before */
		ledger_release(op->state->ledger, op->state->held);
	op->state->ledger = r->ledger;
	op->state->held = op->state->bytes;
	ledger_hold(r->ledger, op->state->held);
}

/* From one snapshot, until the round is over or too much has been answered and not been freed. */
static void
read_some(struct reader *r, struct op_list *round)
{
	struct err e = {0};
	bool open = r->viewer.ops->begin(r->viewer.db, &e);
	struct op_list done = {0};
	int64_t from_us = clock_mono_us();

	r->viewer.wall_us = r->settings->wall_us(r->settings->clock_arg);
	do {
		struct store_op *op = op_list_take(round);

		if (open)
			read_one(r, op);
		else
			op_refuse(op, STORE_FAULT, "%s", e.text);
		hold(r, op);
		op_list_add(&done, op);
		/* Large answers are neither held back for others nor heaped up. */
		if (clock_mono_us() - from_us > SLOW_US) {
			op_deliver_all(&done);
			from_us = clock_mono_us();
		}
	} while (round->first != NULL && !ledger_is_full(r->ledger));
	r->viewer.ops->rollback(r->viewer.db); /* nothing was written: the cheapest end */
	op_deliver_all(&done);
}

/* Waits for room no longer than the first one can; it is then refused, so there is progress. */
static void
read_round(struct reader *r, struct op_list *round)
{
	while (round->first != NULL) {
		const int64_t left = round->first->state->deadline_us -
		                     r->settings->mono_us(r->settings->clock_arg);

		if (left >= 0)
			ledger_wait(r->ledger, clock_mono_us() + left + 1);
		read_some(r, round);
	}
}

static void *
serve(void *arg)
{
	struct reader *r = arg;
	struct op_list round = {0};

	(void)pthread_setname_np(pthread_self(), "store-read");
	while (lanes_take(r->lanes, 0, ROUND_MAX, &round))
		if (round.first != NULL)
			read_round(r, &round);
	return NULL;
}

bool
reader_start(struct reader *r, struct err *e)
{
	if (pthread_create(&r->thread, NULL, serve, r) != 0)
		return err_set(e, ERR_IO, "no thread for reads");
	r->started = true;
	return true;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	atomic_store(&r->closing, true);
	if (r->lanes != NULL)
		lanes_close(r->lanes);
	if (r->ledger != NULL)
		ledger_close(r->ledger);
	if (r->started)
		(void)pthread_join(r->thread, NULL);
	plans_free(r->viewer.plans);
	if (r->viewer.db != NULL)
		r->viewer.ops->close(r->viewer.db);
	lanes_free(r->lanes);
	ledger_free(r->ledger);
	free(r);
}

#include "orchestration/store/writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "orchestration/store/checkpointer.h"
#include "orchestration/store/lanes.h"
#include "orchestration/store/rounds.h"
#include "shared/base/clock.h"

struct writer {
	const struct store_settings *settings;
	struct pulse *pulse;
	struct lanes *lanes;
	struct rounds *rounds;
	struct checkpointer *checkpointer;
	pthread_t thread;
	bool started;
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
	if (!lanes_new(settings, &w->lanes, e) ||
	        !rounds_new(settings, ops, pulse, &w->rounds, e) ||
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
	rounds_drain(w->rounds);
	lanes_wake(w->lanes);
}

void
writer_depth(struct writer *w, int out[STORE_LANES])
{
	lanes_depth(w->lanes, out);
}

static void
work_round(struct writer *w, struct op_list *round)
{
	rounds_begin(w->rounds, round);
	while (rounds_batch(w->rounds, round))
		if (rounds_want_checkpoint(w->rounds))
			checkpointer_wake(w->checkpointer);
}

/* Real time, whatever the settings' clocks say: it is what a thread sleeps by. 0: for ever. */
static int64_t
next_wake(const struct writer *w)
{
	int64_t idle = rounds_idle_us(w->rounds);

	return idle < 0 ? 0 : clock_mono_us() + idle + 1;
}

static void *
serve(void *arg)
{
	struct writer *w = arg;
	struct op_list round = {0};

	(void)pthread_setname_np(pthread_self(), "store");
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
	if (w->rounds != NULL)
		rounds_close(w->rounds);
	if (w->lanes != NULL)
		lanes_close(w->lanes);
	if (w->started)
		(void)pthread_join(w->thread, NULL);
	checkpointer_free(w->checkpointer);
	rounds_free(w->rounds);
	lanes_free(w->lanes);
	free(w);
}

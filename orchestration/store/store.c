#include "orchestration/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "orchestration/engine/frame.h"
#include "orchestration/store/reader.h"
#include "orchestration/store/writer.h"
#include "shared/base/clock.h"

enum { US_PER_MS = 1000, DAY_MS = 24 * 3600 * 1000 };

struct store {
	struct store_settings settings;
	struct backend_ops ops;
	struct pulse pulse;
	struct writer *writer;
	struct reader *reader;
};

static int64_t
wall(void *arg)
{
	(void)arg;
	return clock_wall_us();
}

static int64_t
mono(void *arg)
{
	(void)arg;
	return clock_mono_us();
}

struct store_settings
store_settings_default(void)
{
	return (struct store_settings){
	        .url = "sqlite:tasker.db",
	        .lease_ms = 30000,
	        .beat_ms = 5000,
	        .max_lease_losses = 10,
	        .jitter = true,
	        .lane_max =
	                {
	                           [LANE_RESULT] = 4096,
	                           [LANE_CLAIM] = 4096,
	                           [LANE_CANCEL] = 1024,
	                           [LANE_CREATE] = 2048,
	                           [LANE_READ] = 4096,
	                           },
	        .lane_bytes_max = MIB(64),
	        .answer_bytes_max = MIB(32),
	        .batch_max = 256,
	        .batch_ms = 20,
	        .deadline_ms = 5000,
	        .busy_ms = 5000,
	        .wait_max_ms = 25000,
	        .frame_bytes_max = MIB(2),
	        .unheld_ms = 2000,
	        .sessions_max = 4096,
	        .session_keep_ms = DAY_MS,
	        .wall_us = wall,
	        .mono_us = mono,
	};
}

bool
store_open(const struct store_settings *s, OWNED struct store **out, struct err *e)
{
	AUTO(store) struct store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a store");
	store->settings = *s;
	if (s->frame_bytes_max > FRAME_MAX)
		return err_set(e, ERR_LIMIT, "a frame may have %zu bytes at most", FRAME_MAX);
	pulse_init(&store->pulse);
	if (!backend_for(s->url, &store->ops))
		return err_set(e, ERR_FORMAT, "%s: no store of this kind (sqlite:...)", s->url);
	if (!writer_new(&store->settings, &store->ops, &store->pulse, &store->writer, e) ||
	        !reader_new(&store->settings, &store->ops, &store->reader, e) ||
	        !writer_start(store->writer, e) || !reader_start(store->reader, e))
		return false;
	*out = TAKE(store);
	return true;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	reader_free(store->reader);
	writer_free(store->writer);
	(void)pthread_mutex_destroy(&store->pulse.lock);
	free(store);
}

void
store_submit(struct store *store, struct store_op *op)
{
	bool reads = reader_serves(op->verb);

	op->state->deadline_us = op->deadline_us;
	if (op->deadline_us == 0)
		op->state->deadline_us = store->settings.mono_us(store->settings.clock_arg) +
		                         store->settings.deadline_ms * US_PER_MS;
	if (reads ? reader_put(store->reader, op) : writer_put(store->writer, op))
		return;
	op_refuse(op, STORE_BUSY, "too much is queued: try again later");
	op_deliver(op);
}

void
store_unpark(struct store *store, struct store_op *op)
{
	atomic_store(&op->state->gone, true);
	writer_wake(store->writer);
}

void
store_drain(struct store *store)
{
	writer_drain(store->writer);
}

void
store_wake(struct store *store)
{
	writer_wake(store->writer);
}

void
store_probe(struct store *store, struct store_health *out)
{
	pulse_read(&store->pulse, store->settings.mono_us(store->settings.clock_arg), out);
	writer_depth(store->writer, out->lane_depth);
	out->lane_depth[LANE_READ] = reader_depth(store->reader);
}

static bool
backend_of(const char *url, struct backend_ops *ops, struct err *e)
{
	return backend_for(url, ops)
	               ? true
	               : err_set(e, ERR_FORMAT, "%s: no store of this kind (sqlite:...)", url);
}

bool
store_migrate(const char *url, struct buf *report, struct err *e)
{
	struct backend_ops ops;

	return backend_of(url, &ops, e) && ops.migrate(url, report, e);
}

bool
store_check(const char *url, struct buf *report, bool *sound, struct err *e)
{
	struct backend_ops ops;

	return backend_of(url, &ops, e) && ops.check(url, report, sound, e);
}

bool
store_backup(const char *url, const char *to_path, struct err *e)
{
	struct backend_ops ops;

	return backend_of(url, &ops, e) && ops.backup(url, to_path, e);
}

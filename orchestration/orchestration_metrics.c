#include "orchestration/orchestration_metrics.h"

#include <pthread.h>
#include <stdlib.h>

#include "shared/base/clock.h"

enum orchestration_metric {
#define METRIC(id, ...) METRIC_##id,
#include "orchestration/orchestration_metrics.def"
#undef METRIC
	METRIC__COUNT
};

static const struct metric_row rows[] = {
#define METRIC(id, kind, name, help) METRIC_ROW(kind, name, 0, 0, 0, help),
#include "orchestration/orchestration_metrics.def"
#undef METRIC
};

static const struct metric_label no_labels[] = {{0}};

static const struct metric_table table = {
        .rows = rows, .row_count = COUNT(rows), .labels = no_labels, .label_count = 1};

struct orchestration_metrics {
	struct orchestration_metrics_settings settings;
	struct loop_timer *timer; /* NULL: stopped */
	pthread_mutex_t lock;     /* of what follows: the loop writes, scrapes read */
	struct store_stats stats;
	int64_t fetched_us; /* monotonic; 0: never */
};

/* ---- the counts, fetched on the service loop ---- */

static void
arrived(struct mail *mail)
{
	AUTO(store_op) struct store_op *op = (struct store_op *)(void *)mail;
	struct orchestration_metrics *om = op->user;

	if (op->outcome == STORE_OK) {
		(void)pthread_mutex_lock(&om->lock);
		om->stats = op->out.stats;
		om->fetched_us = clock_mono_us();
		(void)pthread_mutex_unlock(&om->lock);
	}
	if (om->timer != NULL)
		loop_timer_set(om->timer, om->settings.every_us);
}

/* One is under way at a time: the next is asked for after its answer. */
static void
fetch(void *arg)
{
	struct orchestration_metrics *om = arg;
	struct store_op *op = store_op_new(STORE_STATS);

	if (op == NULL) {
		loop_timer_set(om->timer, om->settings.every_us);
		return;
	}
	op->mail.deliver = arrived;
	op->home = om->settings.loop;
	op->user = om;
	op->caller.scope = SCOPE_ANY;
	store_submit(om->settings.store, op);
}

static bool
fresh(struct orchestration_metrics *om, struct store_stats *out)
{
	bool is;

	(void)pthread_mutex_lock(&om->lock);
	*out = om->stats;
	is = om->fetched_us != 0 && clock_mono_us() - om->fetched_us <= om->settings.stale_us;
	(void)pthread_mutex_unlock(&om->lock);
	return is;
}

/* ---- asked at scrape time ---- */

static void
read_info(struct metric_out *out, void *arg)
{
	(void)arg;
	metric_sample(out, &(struct metric_pair){"version", TASKER_VERSION}, 1, 1);
}

static void
read_lane_depth(struct metric_out *out, void *arg)
{
	static const char *const lanes[STORE_LANES] = {[LANE_RESULT] = "result",
	        [LANE_CLAIM] = "claim",
	        [LANE_CANCEL] = "cancel",
	        [LANE_CREATE] = "create",
	        [LANE_READ] = "read"};
	const struct orchestration_metrics *om = arg;
	struct store_health h;

	store_probe(om->settings.store, &h);
	for (int lane = 0; lane < STORE_LANES; lane++)
		metric_sample(
		        out, &(struct metric_pair){"lane", lanes[lane]}, 1, h.lane_depth[lane]);
}

#define READ_PROBE(reader, value)                                                                  \
	static void reader(struct metric_out *out, void *arg)                                      \
	{                                                                                          \
		const struct orchestration_metrics *om = arg;                                      \
		struct store_health h;                                                             \
                                                                                                   \
		store_probe(om->settings.store, &h);                                               \
		metric_sample(out, NULL, 0, (double)(value));                                      \
	}
READ_PROBE(read_parked, h.parked)
READ_PROBE(read_operations, h.operations)
READ_PROBE(read_commits, h.commits)
READ_PROBE(read_rollbacks, h.rollbacks)
READ_PROBE(read_round, (double)h.progress_ms / 1000)
READ_PROBE(read_degraded, h.degraded || h.fatal)
#undef READ_PROBE

static void
read_tasks(struct metric_out *out, void *arg)
{
	struct store_stats s;

	if (!fresh(arg, &s))
		return;
	for (int state = TASK_STATE_NONE + 1; state < TASK_STATE_END; state++)
		metric_sample(out,
		        &(struct metric_pair){"state", task_state_name((enum task_state)state)}, 1,
		        (double)s.tasks[state]);
}

static void
read_steps(struct metric_out *out, void *arg)
{
	struct store_stats s;

	if (!fresh(arg, &s))
		return;
	for (int state = STEP_STATE_NONE + 1; state < STEP_STATE_END; state++)
		metric_sample(out,
		        &(struct metric_pair){"state", step_state_name((enum step_state)state)}, 1,
		        (double)s.steps[state]);
}

static void
read_bytes(struct metric_out *out, void *arg)
{
	struct store_stats s;

	if (!fresh(arg, &s))
		return;
	metric_sample(out, &(struct metric_pair){"file", "database"}, 1, (double)s.file_bytes);
	metric_sample(out, &(struct metric_pair){"file", "wal"}, 1, (double)s.wal_bytes);
}

#define READ_STATS(reader, value)                                                                  \
	static void reader(struct metric_out *out, void *arg)                                      \
	{                                                                                          \
		struct store_stats s;                                                              \
                                                                                                   \
		if (fresh(arg, &s))                                                                \
			metric_sample(out, NULL, 0, (double)(value));                              \
	}
READ_STATS(read_steps_ready, s.ready)
READ_STATS(read_steps_oldest, (double)s.oldest_ready_ms / 1000)
READ_STATS(read_sessions, s.sessions)
#undef READ_STATS

static const metrics_read_fn readers[METRIC__COUNT] = {
        [METRIC_INFO] = read_info,
        [METRIC_LANE_DEPTH] = read_lane_depth,
        [METRIC_PARKED] = read_parked,
        [METRIC_OPERATIONS] = read_operations,
        [METRIC_COMMITS] = read_commits,
        [METRIC_ROLLBACKS] = read_rollbacks,
        [METRIC_ROUND] = read_round,
        [METRIC_DEGRADED] = read_degraded,
        [METRIC_TASKS] = read_tasks,
        [METRIC_STEPS] = read_steps,
        [METRIC_STEPS_READY] = read_steps_ready,
        [METRIC_STEPS_OLDEST] = read_steps_oldest,
        [METRIC_SESSIONS] = read_sessions,
        [METRIC_BYTES] = read_bytes,
};

/* ---- making and freeing ---- */

bool
orchestration_metrics_new(struct metrics *m, const struct orchestration_metrics_settings *settings,
        OWNED struct orchestration_metrics **out, struct err *e)
{
	struct orchestration_metrics *om = calloc(1, sizeof(*om));
	unsigned first;

	if (om == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the orchestration's metrics");
	om->settings = *settings;
	(void)pthread_mutex_init(&om->lock, NULL);
	if (!loop_timer_new(settings->loop, fetch, om, &om->timer, e) ||
	        !metrics_add(m, &table, &first, e)) {
		orchestration_metrics_stop(om);
		orchestration_metrics_free(om);
		return false;
	}
	for (unsigned i = 0; i < METRIC__COUNT; i++)
		metrics_read(m, first + i, readers[i], om);
	fetch(om);
	*out = om;
	return true;
}

void
orchestration_metrics_stop(struct orchestration_metrics *om)
{
	if (om == NULL)
		return;
	loop_timer_free(om->timer);
	om->timer = NULL;
}

void
orchestration_metrics_free(struct orchestration_metrics *om)
{
	if (om == NULL)
		return;
	(void)pthread_mutex_destroy(&om->lock);
	free(om);
}

#include "worker/worker_metrics.h"

#include <stdlib.h>

#include "shared/base/clock.h"
#include "worker/app.h"

enum worker_metric {
#define METRIC(id, ...) METRIC_##id,
#include "worker/worker_metrics.def"
#undef METRIC
	METRIC__COUNT
};

enum { LABEL_NONE = 0, LABEL_OUTCOME };

static const struct metric_row rows[] = {
#define METRIC(id, kind, name, label, help)                                                        \
	METRIC_ROW(kind, name, LABEL_##label, LABEL_NONE, LABEL_NONE, help),
#include "worker/worker_metrics.def"
#undef METRIC
};

/* In the order of enum outcome. */
static const char *const outcomes[] = {"dropped", "ok", "error", "cancelled", "released"};

static const struct metric_label labels[] = {
        {0                        },
        { .name = "outcome", .values = outcomes, .count = COUNT(outcomes)}
};

static const struct metric_table table = {
        .rows = rows, .row_count = COUNT(rows), .labels = labels, .label_count = COUNT(labels)};

struct worker_metrics {
	struct metrics *metrics;
	struct meter *meter;
	struct app *app;
	unsigned first;
};

/* ---- asked at scrape time ---- */

static void
read_info(struct metric_out *out, void *arg)
{
	const struct worker_metrics *wm = arg;
	const struct metric_pair pairs[] = {
	        {"version",     TASKER_VERSION          },
                {"worker_id",   wm->app->settings.worker},
	        {"worker_type", "process"               }
        };

	metric_sample(out, pairs, COUNT(pairs), 1);
}

static void
read_uptime(struct metric_out *out, void *arg)
{
	const struct worker_metrics *wm = arg;

	metric_sample(out, NULL, 0, (double)(clock_mono_us() - wm->app->common.started_us) / 1e6);
}

static void
read_slots(struct metric_out *out, void *arg)
{
	const struct worker_metrics *wm = arg;

	metric_sample(out, NULL, 0, (double)wm->app->settings.link.slots);
}

/* One sample a handler. */
#define READ_HANDLERS(reader, number)                                                              \
	static void reader(struct metric_out *out, void *arg)                                      \
	{                                                                                          \
		const struct worker_metrics *wm = arg;                                             \
                                                                                                   \
		for (size_t i = 0; i < runner_handlers(wm->app->runner); i++) {                    \
			const struct handler_pool_numbers *n = runner_numbers(wm->app->runner, i); \
			const struct metric_pair pair = {                                          \
			        "handler", runner_handler(wm->app->runner, i)->name};              \
                                                                                                   \
			metric_sample(out, &pair, 1, (double)(number));                            \
		}                                                                                  \
	}
READ_HANDLERS(read_running, atomic_load(&n->running))
READ_HANDLERS(read_queue_depth, atomic_load(&n->queued))
READ_HANDLERS(read_healthy, atomic_load(&n->healthy))
READ_HANDLERS(read_processes, atomic_load(&n->processes))
READ_HANDLERS(read_starts, atomic_load(&n->starts))
#undef READ_HANDLERS

#define READ_LINK(reader, field)                                                                   \
	static void reader(struct metric_out *out, void *arg)                                      \
	{                                                                                          \
		const struct worker_metrics *wm = arg;                                             \
                                                                                                   \
		metric_sample(out, NULL, 0, (double)link_status(wm->app->link).field);             \
	}
READ_LINK(read_held, held)
READ_LINK(read_connected, connected)
READ_LINK(read_polls, polls)
READ_LINK(read_failures, failures)
READ_LINK(read_registrations, registrations)
READ_LINK(read_stale, stale)
#undef READ_LINK

static const struct {
	enum worker_metric metric;
	metrics_read_fn fn;
} readers[] = {
        {METRIC_INFO,          read_info         },
        {METRIC_UPTIME,        read_uptime       },
        {METRIC_SLOTS,         read_slots        },
        {METRIC_HELD,          read_held         },
        {METRIC_RUNNING,       read_running      },
        {METRIC_QUEUE_DEPTH,   read_queue_depth  },
        {METRIC_HEALTHY,       read_healthy      },
        {METRIC_PROCESSES,     read_processes    },
        {METRIC_STARTS,        read_starts       },
        {METRIC_CONNECTED,     read_connected    },
        {METRIC_POLLS,         read_polls        },
        {METRIC_FAILURES,      read_failures     },
        {METRIC_REGISTRATIONS, read_registrations},
        {METRIC_STALE,         read_stale        },
};

bool
worker_metrics_new(
        struct metrics *m, struct app *app, OWNED struct worker_metrics **out, struct err *e)
{
	struct worker_metrics *wm = calloc(1, sizeof(*wm));

	if (wm == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the worker's metrics");
	wm->metrics = m;
	wm->app = app;
	if (!metrics_add(m, &table, &wm->first, e) || !metrics_meter(m, &wm->meter, e)) {
		free(wm);
		return false;
	}
	for (size_t i = 0; i < COUNT(readers); i++)
		metrics_read(m, wm->first + readers[i].metric, readers[i].fn, wm);
	*out = wm;
	return true;
}

void
worker_metrics_free(struct worker_metrics *wm)
{
	free(wm);
}

void
worker_metrics_report(struct worker_metrics *wm, const struct step_report *r)
{
	meter_add(wm->meter, wm->first + METRIC_STEPS, AT(r->outcome), 1);
	if (r->ran_us > 0)
		meter_observe(
		        wm->meter, wm->first + METRIC_STEP_DURATION, AT(r->outcome), r->ran_us);
}

int64_t
worker_metrics_reports(const struct worker_metrics *wm, enum outcome outcome)
{
	return metrics_value(wm->metrics, wm->first + METRIC_STEPS, AT(outcome));
}

/* The worker's numbers as JSON, in upstream's two shapes (tasker-rest §1.15). */
#include <stdio.h>

#include "shared/gate/request.h"
#include "worker/app.h"
#include "worker/routes.h"

enum { METRICS_BODY = 256 * 1024, NAME_MAX_BYTES = 192 };

struct gauge {
	const char *name, *handler, *type, *help; /* handler NULL: of the whole worker */
	double value;
};

static void
put_gauge(struct json_out *w, const struct gauge *g)
{
	char name[NAME_MAX_BYTES];

	(void)snprintf(name, sizeof(name), "%s%s%s", g->name, g->handler != NULL ? "_" : "",
	        g->handler != NULL ? g->handler : "");
	json_open(w, name, '{');
	json_put_double(w, "value", g->value);
	json_put_text(w, "metric_type", g->type);
	json_open(w, "labels", '{');
	if (g->handler != NULL)
		json_put_text(w, "handler", g->handler);
	json_close(w, '}');
	json_put_text(w, "help", g->help);
	json_close(w, '}');
}

static void
put_handler(struct json_out *w, const struct app *app, size_t i)
{
	const struct handler_pool_numbers *n = runner_numbers(app->runner, i);
	const char *handler = runner_handler(app->runner, i)->name;
	const struct gauge gauges[] = {
	        {"queue_depth",       handler, "gauge", "Steps that wait for a handler process",
                 atomic_load(&n->queued)	                                                                         },
	        {"steps_running",     handler, "gauge", "Steps at work",                         atomic_load(&n->running)},
	        {"handler_processes", handler, "gauge", "Processes that are ready, or at work",
                 atomic_load(&n->processes)	                                                                      },
	        {"handler_healthy",   handler, "gauge", "1 while it does not fail too often",
                 atomic_load(&n->healthy)	                                                                        },
	};

	for (size_t g = 0; g < COUNT(gauges); g++)
		put_gauge(w, &gauges[g]);
}

void
worker_metrics_show(struct request *req, const struct grant *grant, void *app)
{
	const struct app *own = app;
	const struct link_status link = link_status(own->link);
	const int64_t up_us = loop_mono_us(request_loop(req)) - own->common.started_us;
	const struct gauge gauges[] = {
	        {"uptime_seconds", NULL, "gauge", "Seconds since the start",           (double)up_us / 1e6             },
	        {"slots",          NULL, "gauge", "Steps taken at once",               (double)own->settings.link.slots},
	        {"steps_held",     NULL, "gauge", "Steps given and not yet reported",
                 (double)link.held	                                                                             },
	        {"link_connected", NULL, "gauge", "1 while the orchestration answers",
                 link.connected	                                                                                },
	};
	struct buf body = BUF(METRICS_BODY);
	struct json_out w = json_out_on(&body);

	(void)grant;
	json_open(&w, NULL, '{');
	json_open(&w, "metrics", '{');
	for (size_t i = 0; i < COUNT(gauges); i++)
		put_gauge(&w, &gauges[i]);
	for (size_t i = 0; i < runner_handlers(own->runner); i++)
		put_handler(&w, own, i);
	json_close(&w, '}');
	json_put_time(&w, "timestamp", loop_wall_us(request_loop(req)));
	json_put_text(&w, "worker_id", own->settings.worker);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

/* Every step comes over the one durable way, the poll; there is no event bus inside a worker. */
void
worker_events_show(struct request *req, const struct grant *grant, void *app)
{
	static const char *const none_of_router[] = {
	        "fast_routed", "broadcast_routed", "fast_delivery_errors"};
	static const char *const none_of_bus[] = {"rust_handler_dispatches", "rust_handler_errors",
	        "ffi_channel_drops", "rust_subscriber_patterns", "rust_handler_count",
	        "ffi_subscriber_count"};
	const struct app *own = app;
	int64_t routed = 0;
	struct buf body = BUF(METRICS_BODY);
	struct json_out w = json_out_on(&body);

	(void)grant;
	for (int o = OUTCOME_DROPPED; o <= OUTCOME_RELEASED; o++)
		routed += worker_metrics_reports(own->metrics, (enum outcome)o);
	json_open(&w, NULL, '{');
	json_open(&w, "router", '{');
	json_put_int(&w, "total_routed", routed);
	json_put_int(&w, "durable_routed", routed);
	for (size_t i = 0; i < COUNT(none_of_router); i++)
		json_put_int(&w, none_of_router[i], 0);
	json_put_int(&w, "routing_errors", (int64_t)link_status(own->link).stale);
	json_close(&w, '}');
	json_open(&w, "in_process_bus", '{');
	json_put_int(&w, "total_events_dispatched", routed);
	json_put_int(&w, "ffi_channel_dispatches", routed);
	for (size_t i = 0; i < COUNT(none_of_bus); i++)
		json_put_int(&w, none_of_bus[i], 0);
	json_close(&w, '}');
	json_put_time(&w, "captured_at", loop_wall_us(request_loop(req)));
	json_put_text(&w, "worker_id", own->settings.worker);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

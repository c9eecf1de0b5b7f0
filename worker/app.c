/*
 * The worker daemon's life:
 *
 *   templates → security service → handlers start → web side and link → drain
 *
 * The link hands steps to the runner, the runner hands reports to the link; both are ended before
 * either is freed. Draining: the link asks for no more, steps at work go on until shortly before
 * limits.shutdown_ms, then they are given back unburnt; what the link still has to say it says.
 */
#include "worker/app.h"

#include <stddef.h>

#include "shared/base/log.h"
#include "shared/daemon/settings.h"
#include "worker/routes.h"

enum { PROBE_EVERY_US = 500000, PROBE_DEADLINE_US = 1000000 };

/* ---- between runner and link ---- */

static bool
offer(struct step *step, void *arg, struct err *e)
{
	const struct app *app = arg;

	return runner_offer(app->runner, step, e);
}

static bool
stop(const char *step, int64_t attempt, enum stop why, void *arg)
{
	const struct app *app = arg;

	return runner_stop(app->runner, step, attempt, why);
}

static void
release_all(int64_t grace_us, void *arg)
{
	const struct app *app = arg;

	runner_release_all(app->runner, grace_us);
}

static void
callables(struct buf *out, void *arg)
{
	const struct app *app = arg;

	runner_callables(app->runner, out);
}

static bool
settled(void *arg)
{
	const struct app *app = arg;

	return runner_settled(app->runner);
}

static void
on_report(OWNED struct step_report *report, void *arg)
{
	const struct app *app = arg;

	worker_metrics_report(app->metrics, report);
	if (report->outcome == OUTCOME_ERROR)
		LOG(WARN, "step.failed", TEXT_F("step_id", report->step),
		        INT_F("attempt", report->attempt), TEXT_F("code", report->code),
		        TEXT_F("message", report->message));
	if (app->link != NULL)
		link_report(app->link, report);
	else
		step_report_free(report); /* the link has ended: nobody can be told */
}

static void
on_changed(void *arg)
{
	const struct app *app = arg;

	link_changed(app->link);
}

/* ---- health ---- */

static void
check_link(struct health_probe *probe, void *arg)
{
	const struct app *app = arg;
	const bool well = link_status(app->link).connected;

	health_report(probe, well ? HEALTH_HEALTHY : HEALTH_UNHEALTHY,
	        well ? NULL : "the orchestration does not answer; see link.url and link.token_path",
	        loop_mono_us(app->service.loop));
}

static void
check_handlers(struct health_probe *probe, void *arg)
{
	const struct app *app = arg;
	const bool well = runner_healthy(app->runner), ready = runner_settled(app->runner);

	health_report(probe,
	        !well   ? HEALTH_UNHEALTHY
	        : ready ? HEALTH_HEALTHY
	                : HEALTH_DEGRADED,
	        !well   ? "a handler fails again and again; see the log"
	        : ready ? NULL
	                : "a handler has not yet said that it is ready",
	        loop_mono_us(app->service.loop));
}

static bool
add_probes(struct app *app, struct err *e)
{
	struct health_probe *probe;
	struct health_probe_settings s = {.name = "link",
	        .critical = true,
	        .check = check_link,
	        .arg = app,
	        .every_us = PROBE_EVERY_US,
	        .deadline_us = PROBE_DEADLINE_US};

	if (!health_add(app->service.health, &s, &probe, e))
		return false;
	s.name = "handlers";
	s.check = check_handlers;
	return health_add(app->service.health, &s, &probe, e);
}

/* ---- draining ---- */

/* On the service loop. */
static void
on_drained_mail(struct mail *mail)
{
	struct app *app = (struct app *)(void *)((char *)mail - offsetof(struct app, drained));

	if (app->finished) /* by force: it is delivered while the loop is freed */
		return;
	loop_timer_cancel(app->last_call);
	service_drained(&app->service);
}

/* On the link's thread. */
static void
on_drained(void *arg)
{
	struct app *app = arg;

	loop_post(app->service.loop, &app->drained);
}

static void
on_last_call(void *arg)
{
	const struct app *app = arg;

	LOG(WARN, "worker.giving_back", INT_F("steps", link_status(app->link).held));
	runner_release_all(app->runner, app->common.config->limits_shutdown_ms * 1000 / 16);
}

static void
drain(void *arg)
{
	struct app *app = arg;

	loop_timer_set(app->last_call, app->common.config->limits_shutdown_ms * 1000 / 8 * 7);
	runner_drain(app->runner);
	link_drain(app->link, on_drained, app);
}

/* ---- start and end ---- */

static bool
prepare(struct app *app, struct err *e)
{
	const struct runner_ears ears = {.report = on_report, .changed = on_changed, .arg = app};
	const struct link_runner link_runner = {.offer = offer,
	        .stop = stop,
	        .release_all = release_all,
	        .callables = callables,
	        .settled = settled,
	        .arg = app};

	app->common = service_common(&app->service, app->settings.worker);
	app->common.api.routes = worker_routes;
	app->common.api.route_count = worker_route_count;
	app->common.api.details = worker_route_details;
	app->common.api.detail_count = worker_route_detail_count;
	app->drained.deliver = on_drained_mail;
	return loop_timer_new(app->service.loop, on_last_call, app, &app->last_call, e) &&
	       runner_new(&app->settings.runner, &ears, &app->runner, e) &&
	       link_new(&app->settings.link, &link_runner, &app->link, e) &&
	       worker_metrics_new(app->service.metrics, app, &app->metrics, e) &&
	       add_probes(app, e) && runner_start(app->runner, e) && link_start(app->link, e);
}

static int
serve(struct app *app, const char *port_file)
{
	static const struct service_hooks hooks = {.drain = drain};
	const struct service_web web = {
	        .routes = worker_routes, .route_count = worker_route_count, .app = app};

	LOG(INFO, "worker.handlers", INT_F("handlers", runner_handlers(app->runner)),
	        INT_F("slots", app->settings.link.slots),
	        INT_F("templates", templates_count(app->templates)));
	return service_serve(&app->service, &web, &hooks, app, port_file);
}

/* Handlers end first, so that the link can still say what became of their steps; then the link,
 * which no longer hands out any; then the runner goes. */
static void
finish(struct app *app)
{
	app->finished = true;
	if (app->runner != NULL)
		runner_end(app->runner);
	link_free(TAKE(app->link));
	runner_free(TAKE(app->runner));
	loop_timer_free(app->last_call);
	service_close(&app->service);
	worker_metrics_free(app->metrics);
}

int
app_run(const struct daemon_start *start)
{
	const struct config *config = start->config;
	struct app app = {.runner = NULL};
	struct err e = {0};
	int code = EXIT_CODE_CONFIG;

	if (!templates_load(config->templates_paths.items, config->templates_paths.count,
	            &app.templates, &e) ||
	        !worker_settings_make(config, app.templates, &app.settings, &e)) {
		LOG(ERROR, "daemon.not_started", TEXT_F("why", e.text));
		code = service_exit_code(&e, code);
	} else if (!service_open(start, &app.service, &code, &e) || !prepare(&app, &e)) {
		LOG(ERROR, "daemon.not_started", TEXT_F("why", e.text));
		code = service_exit_code(&e, code);
		finish(&app);
	} else {
		code = serve(&app, start->port_file);
		finish(&app);
	}
	worker_settings_clear(&app.settings);
	templates_free(app.templates);
	return code;
}

bool
app_check(const struct config *config, struct err *e)
{
	AUTO(security_service) struct security_service *service = NULL;
	AUTO(templates) struct templates *templates = NULL;
	AUTO(tls_context) struct tls_context *tls = NULL;
	struct security_report report = {.count = 0};
	struct worker_settings settings;

	if (!settings_security_service(config, &service, &report, e) ||
	        !settings_tls(config, &tls, e) ||
	        !templates_load(config->templates_paths.items, config->templates_paths.count,
	                &templates, e) ||
	        !worker_settings_make(config, templates, &settings, e))
		return false;
	worker_settings_clear(&settings);
	return true;
}

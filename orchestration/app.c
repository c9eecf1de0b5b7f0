/*
 * The orchestration daemon's life:
 *
 *   security service → store (migrated, every lease given a full term) → live sessions
 *   → revocations → own templates → web side → drain
 *
 * Draining: parked polls are answered, connections end, the store closes last.
 */
#include "orchestration/app.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/orchestration_metrics.h"
#include "orchestration/routes.h"
#include "shared/base/log.h"
#include "shared/daemon/service.h"
#include "shared/daemon/settings.h"
#include "shared/daemon/template_files.h"

enum {
	STORE_STUCK_MS = 2000, /* without progress, and beyond what it may wait for a lock */
	PROBE_EVERY_US = 500000,
	COUNTS_EVERY_US = 5000000, /* counts for metrics */
	COUNTS_STALE_US = 30000000,
};

struct orchestration {
	struct app app;
	struct service service;
	struct orchestration_metrics *metrics;
	struct route *routes; /* routes.def with the configured body limits */
};

/* store.queue_max is the bound of results; the other lanes keep their proportion to it. */
static void
bound_lanes(int64_t queue_max, int lane_max[STORE_LANES])
{
	const int64_t usual = lane_max[LANE_RESULT];

	for (int lane = 0; lane < STORE_LANES; lane++) {
		const int64_t bound = lane_max[lane] * queue_max / usual;

		lane_max[lane] = bound > 0 ? (int)bound : 1;
	}
}

static struct store_settings
store_settings(const struct config *c)
{
	struct store_settings s = store_settings_default();

	s.url = c->store_url;
	s.lease_ms = c->engine_lease_ms;
	s.beat_ms = c->engine_beat_ms;
	s.max_lease_losses = (int)c->engine_max_lease_losses;
	s.identity_retention_s = c->engine_identity_retention_seconds;
	bound_lanes(c->store_queue_max, s.lane_max);
	s.batch_max = (int)c->store_batch_max_operations;
	s.batch_ms = c->store_batch_max_ms;
	s.deadline_ms = c->store_deadline_ms;
	s.busy_ms = c->store_busy_timeout_ms;
	s.wait_max_ms = c->engine_poll_max_wait_ms;
	return s;
}

static struct route *
routes_with_limits(const struct config *c)
{
	const size_t bytes[] = {[BODY_PUBLIC] = (size_t)c->limits_body_bytes,
	        [BODY_POLL] = (size_t)c->limits_poll_body_bytes};
	struct route *routes = calloc(orchestration_route_count, sizeof(*routes));

	for (size_t i = 0; routes != NULL && i < orchestration_route_count; i++) {
		routes[i] = orchestration_routes[i];
		routes[i].body_max = bytes[routes[i].body_max];
	}
	return routes;
}

/* ---- the store, asked while nothing else runs ---- */

static void
arrived(struct mail *mail)
{
	struct store_op *op = (struct store_op *)(void *)mail;

	(void)sem_post(op->user);
}

/* Start-up only: waits for the operation, which the store always gives back. */
static void
ask(struct store *store, struct store_op *op)
{
	sem_t done;

	(void)sem_init(&done, 0, 0);
	op->home = NULL;
	op->user = &done;
	op->mail.deliver = arrived;
	store_submit(store, op);
	while (sem_wait(&done) != 0)
		continue;
	(void)sem_destroy(&done);
}

static bool
load_sessions(struct app *app, struct err *e)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_SESSION_LIST);

	if (op == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the workers' sessions");
	op->caller.scope = SCOPE_ANY;
	ask(app->store, op);
	if (op->outcome != STORE_OK)
		return err_set(e, ERR_IO, "reading the workers' sessions: %s", op->text);
	for (size_t i = 0; i < op->out.page.count; i++) {
		const struct session_view *s = &op->out.page.sessions[i];

		struct session_facts facts = {
		        .expires_at_s = s->expires_at_s, .issued_at_s = s->issued_at_s};

		(void)snprintf(facts.id, sizeof(facts.id), "%lld", (long long)s->id);
		(void)snprintf(facts.worker, sizeof(facts.worker), "%s", s->worker);
		if (!session_table_put(app->sessions, s->digest, &facts, e))
			return false;
	}
	return true;
}

/* Before anybody may ask anything: what was revoked stays so across a restart. */
static bool
load_revocations(struct app *app, struct err *e)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_REVOCATION_LIST);

	if (op == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for revocations");
	op->caller.scope = SCOPE_ANY;
	ask(app->store, op);
	if (op->outcome != STORE_OK)
		return err_set(e, ERR_IO, "reading the revocations: %s", op->text);
	return revocation_feed_put(app->revocations, 0, &op->out.page, e);
}

/* A template of our own paths: one that is wrong, or is other than the registered one, ends the
 * start. */
static bool
put_template(const char *path, const char *text, size_t len, void *arg, struct err *e)
{
	struct app *app = arg;
	AUTO(template) struct template *t = NULL;
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TEMPLATE_PUT);
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct template_report report = {.count = 0};

	if (!template_parse(text, len, &t, &report, e))
		return err_while(e, "%s", path);
	template_files_warn(path, &report);
	template_to_json(t, &json);
	if (op == NULL || !buf_ok(&json))
		return err_set(e, ERR_NOMEM, "out of memory for template %s", path);
	op->caller.scope = SCOPE_ANY;
	op->in.template.json =
	        (struct store_json){store_op_text(op, json.data, json.len), json.len};
	if (op->in.template.json.text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for template %s", path);
	ask(app->store, op);
	if (op->outcome == STORE_OK)
		return true;
	return err_set(e, ERR_CONFLICT, "%s: %s", path, op->text);
}

static bool
open_store(struct orchestration *o, const struct config *c, struct err *e)
{
	struct store_settings settings = store_settings(c);

	o->app.stuck_ms = settings.busy_ms + STORE_STUCK_MS;
	return store_open(&settings, &o->app.store, e) && load_sessions(&o->app, e) &&
	       load_revocations(&o->app, e) &&
	       template_files_walk(c->templates_paths.items, c->templates_paths.count, put_template,
	               &o->app, e);
}

/* ---- health and metrics ---- */

static bool
store_is_well(struct app *app, const char **why)
{
	struct store_health h;

	store_probe(app->store, &h);
	*why = h.fatal                         ? "a write to disk failed for good"
	       : h.progress_ms > app->stuck_ms ? "the writer makes no progress"
	       : h.degraded                    ? "the last transaction failed; is the disk full?"
	                                       : NULL;
	return *why == NULL;
}

/* After a failed fsync nothing may be acknowledged: end, and let the service manager start anew
 * (ST5). */
static bool
has_failed_for_good(struct app *app)
{
	struct store_health h;

	store_probe(app->store, &h);
	return h.fatal;
}

static void
check_store(struct health_probe *probe, void *arg)
{
	struct orchestration *o = arg;
	const char *why;
	bool well = store_is_well(&o->app, &why);

	if (has_failed_for_good(&o->app))
		service_end(&o->service, EXIT_CODE_IOERR);
	health_report(probe, well ? HEALTH_HEALTHY : HEALTH_UNHEALTHY, why,
	        loop_mono_us(o->service.loop));
}

static bool
add_probes(struct orchestration *o, struct err *e)
{
	struct health_probe *probe;
	const struct health_probe_settings store = {.name = "store",
	        .critical = true,
	        .check = check_store,
	        .arg = o,
	        .every_us = PROBE_EVERY_US,
	        .deadline_us = 1000000};

	return health_add(o->service.health, &store, &probe, e);
}

static bool
add_metrics(struct orchestration *o, struct err *e)
{
	const struct orchestration_metrics_settings settings = {.store = o->app.store,
	        .loop = o->service.loop,
	        .every_us = COUNTS_EVERY_US,
	        .stale_us = COUNTS_STALE_US};

	return orchestration_metrics_new(o->service.metrics, &settings, &o->metrics, e);
}

/* ---- hooks of the service ---- */

static void
drain(void *arg)
{
	struct orchestration *o = arg;

	store_drain(o->app.store);
	service_drained(&o->service);
}

/* No handler runs any more: the store answers what it still has, and closes. */
static void
stopped(void *arg)
{
	struct orchestration *o = arg;
	struct store_health h;

	store_probe(o->app.store, &h);
	if (h.fatal)
		o->service.exit_code = EXIT_CODE_IOERR;
	store_close(o->app.store);
	o->app.store = NULL;
}

static bool
healthy(void *arg)
{
	struct orchestration *o = arg;
	struct store_health h;

	store_probe(o->app.store, &h);
	return !h.fatal && h.progress_ms <= o->app.stuck_ms;
}

static int
serve(struct orchestration *o, const char *port_file)
{
	static const struct service_hooks hooks = {
	        .drain = drain, .stopped = stopped, .healthy = healthy};
	const struct service_web web = {.routes = o->routes,
	        .route_count = orchestration_route_count,
	        .find_session = session_table_find,
	        .find_arg = o->app.sessions,
	        .app = &o->app};

	return service_serve(&o->service, &web, &hooks, o, port_file);
}

static bool
prepare(struct orchestration *o, const struct config *config, int *exit_code, struct err *e)
{
	o->app.common = service_common(&o->service, NULL);
	o->app.step_result_max = (size_t)config->limits_step_result_bytes;
	*exit_code = EXIT_CODE_CONFIG;
	if (!ownership_parse(config->policy_ownership, &o->app.ownership))
		return err_set(e, ERR_FORMAT, "policy.ownership: there is no policy %s",
		        config->policy_ownership);
	*exit_code = EXIT_CODE_TEMPORARY;
	o->routes = routes_with_limits(config);
	if (o->routes == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the routes");
	o->app.common.api.routes = o->routes;
	o->app.common.api.route_count = orchestration_route_count;
	o->app.common.api.details = orchestration_route_details;
	o->app.common.api.detail_count = orchestration_route_detail_count;
	if (!session_table_new(SESSIONS_MAX, &o->app.sessions, e) ||
	        !revocation_feed_new(o->service.security, &o->app.revocations, e) ||
	        !add_probes(o, e))
		return false;
	*exit_code = EXIT_CODE_CONFIG;
	return open_store(o, config, e) && add_metrics(o, e);
}

int
app_run(const struct daemon_start *start)
{
	struct orchestration o = {.routes = NULL};
	struct err e = {0};
	int code;

	if (!service_open(start, &o.service, &code, &e) || !prepare(&o, start->config, &code, &e)) {
		LOG(ERROR, "daemon.not_started", TEXT_F("why", e.text));
		code = service_exit_code(&e, code);
	} else {
		LOG(INFO, "policy.ownership", TEXT_F("policy", ownership_name(o.app.ownership)));
		code = serve(&o, start->port_file);
	}
	orchestration_metrics_stop(o.metrics);
	store_close(o.app.store);
	revocation_feed_free(o.app.revocations);
	service_close(&o.service);
	orchestration_metrics_free(o.metrics);
	session_table_free(o.app.sessions);
	free(o.routes);
	return code;
}

static bool
check_template(const char *path, const char *text, size_t len, void *arg, struct err *e)
{
	AUTO(template) struct template *t = NULL;

	(void)arg;
	return template_parse(text, len, &t, NULL, e) || err_while(e, "%s", path);
}

bool
app_check(const struct config *config, struct err *e)
{
	AUTO(security_service) struct security_service *service = NULL;
	AUTO(tls_context) struct tls_context *tls = NULL;
	struct security_report report = {.count = 0};

	return settings_security_service(config, &service, &report, e) &&
	       settings_tls(config, &tls, e) &&
	       template_files_walk(config->templates_paths.items, config->templates_paths.count,
	               check_template, NULL, e);
}

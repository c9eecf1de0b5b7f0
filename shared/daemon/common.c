#include "shared/daemon/common.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/config/config_show.h"

enum { SMALL_BODY = 4096, CONFIG_BODY = 64 * 1024, METRICS_BODY = 8 * 1024 * 1024 };

/* Opens {"status":…,"timestamp":…[,"worker_id":…] of every health answer. */
static struct json_out
health_open(
        const struct daemon_common *d, struct request *req, const char *status, struct buf *body)
{
	struct json_out w = json_out_on(body);

	json_open(&w, NULL, '{');
	json_put_text(&w, "status", status);
	json_put_time(&w, "timestamp", loop_wall_us(request_loop(req)));
	if (d->worker_id != NULL)
		json_put_text(&w, "worker_id", d->worker_id);
	return w;
}

static void
health_short(const struct daemon_common *d, struct request *req, const char *status)
{
	struct buf body = BUF(SMALL_BODY);
	struct json_out w = health_open(d, req, status, &body);

	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

void
health_basic(struct request *req, const struct grant *grant, void *app)
{
	(void)grant;
	health_short(app, req, "healthy");
}

void
health_live(struct request *req, const struct grant *grant, void *app)
{
	(void)grant;
	health_short(app, req, "alive");
}

/* 503 names the probes and their states, without the texts: the route is public. */
void
health_ready_checks(struct request *req, const struct grant *grant, void *app)
{
	const struct daemon_common *d = app;
	int64_t now = loop_mono_us(request_loop(req));
	struct buf body = BUF(SMALL_BODY);
	struct json_out w;

	(void)grant;
	if (health_ready(d->health, now)) {
		w = health_open(d, req, "ready", &body);
		health_checks(d->health, now, &w);
		json_close(&w, '}');
		request_reply_json(req, 200, &body);
		return;
	}
	w = json_out_on(&body);
	health_checks(d->health, now, &w); /* "checks":{…} */
	buf_char(&body, '\0');
	if (buf_ok(&body))
		request_problem_member(req, "checks", strchr(body.data, ':') + 1);
	buf_free(&body);
	request_retry_after(req, 1);
	request_problem(
	        req, 503, "SERVICE_UNAVAILABLE", "Not ready; `checks` names what is missing");
}

void
health_detailed(struct request *req, const struct grant *grant, void *app)
{
	const struct daemon_common *d = app;
	int64_t now = loop_mono_us(request_loop(req));
	enum health_state state = health_state(d->health, now);
	struct buf body = BUF(SMALL_BODY);
	struct json_out w;

	(void)grant;
	w = health_open(d, req, state == HEALTH_HEALTHY ? "healthy" : "degraded", &body);
	health_details(d->health, now, loop_wall_us(request_loop(req)), &w);
	issuer_keys_show(d->keys, &w);
	json_open(&w, d->worker_id != NULL ? "system_info" : "info", '{');
	json_put_text(&w, "version", TASKER_VERSION);
	json_put_int(&w, "uptime_seconds", (now - d->started_us) / 1000000);
	json_close(&w, '}');
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

void
metrics_show(struct request *req, const struct grant *grant, void *app)
{
	const struct daemon_common *d = app;
	struct buf body = BUF(METRICS_BODY);

	(void)grant;
	metrics_render(d->metrics, &body);
	request_reply_text(req, 200, METRICS_CONTENT_TYPE, &body);
}

void
openapi_show(struct request *req, const struct grant *grant, void *app)
{
	const struct daemon_common *d = app;
	struct buf body = BUF(OPENAPI_MAX);

	(void)grant;
	openapi_write(&d->api, &body);
	request_reply_json(req, 200, &body);
}

static void
permissions(const struct security_context *who, struct json_out *w)
{
	json_open(w, "permissions", '[');
	if (who->method == AUTH_METHOD_DISABLED) {
		json_put_text(w, NULL, "*");
	} else {
		for (int p = 0; p < PERMISSION__COUNT; p++)
			if (permission_set_has(&who->permissions, (enum permission)p))
				json_put_text(w, NULL, permission_spelled((enum permission)p));
	}
	json_close(w, ']');
}

void
whoami(struct request *req, const struct grant *grant, void *app)
{
	const struct daemon_common *d = app;
	const struct security_context *who = request_context(req);
	struct buf body = BUF(SMALL_BODY);
	struct json_out w = json_out_on(&body);

	(void)grant;
	json_open(&w, NULL, '{');
	json_put_text(&w, "subject", who->subject);
	json_put_text(&w, "method", auth_method_name(who->method));
	json_put_text(&w, "issuer", who->issuer);
	json_put_time(&w, "expires_at", who->expires_at_s * 1000000);
	permissions(who, &w);
	json_put_text(&w, "tenant", who->tenant);
	if (d->config->role == CONFIG_ORCHESTRATION)
		json_put_text(&w, "scope", d->config->policy_ownership);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

/* "web.auth.enabled" is shown under its dotted name: one level, greppable, the words of the file.
 */
static void
config_value_show(const struct config_value *v, void *arg)
{
	struct json_out *w = arg;

	if (v->list != NULL) {
		json_open(w, v->key->name, '[');
		for (size_t i = 0; i < v->list->count; i++)
			json_put_text(w, NULL, v->list->items[i]);
		json_close(w, ']');
	} else if (v->text != NULL) {
		json_put_text(w, v->key->name, v->text);
	} else if (v->key->type == CONFIG_BOOL) {
		json_put_bool(w, v->key->name, v->boolean);
	} else {
		json_put_int(w, v->key->name, v->number);
	}
}

/* The members Tasker's clients read under "auth". */
static void
config_auth(const struct config *c, struct json_out *w)
{
	json_open(w, "auth", '{');
	json_put_bool(w, "enabled", c->web_auth_enabled);
	json_put_text(w, "verification_method", c->web_auth_jwt_verification_method);
	json_put_text(w, "jwt_issuer", c->web_auth_jwt_issuer);
	json_put_text(w, "jwt_audience", c->web_auth_jwt_audience);
	json_put_text(w, "api_key_header", c->web_auth_api_key_header);
	json_put_int(w, "api_key_count", (int64_t)c->api_key_count);
	json_put_bool(w, "strict_validation", c->web_auth_strict_validation);
	json_open(w, "allowed_algorithms", '[');
	for (size_t i = 0; i < c->web_auth_jwt_allowed_algorithms.count; i++)
		json_put_text(w, NULL, c->web_auth_jwt_allowed_algorithms.items[i]);
	json_close(w, ']');
	json_close(w, '}');
}

/* A whitelist, not a redaction: only keys flagged PUBLIC in config_keys.def are written (PM7, CF5).
 */
void
config_public_show(struct request *req, const struct grant *grant, void *app)
{
	const struct daemon_common *d = app;
	const struct config *config = config_live_lock(d->live);
	struct buf body = BUF(CONFIG_BODY);
	struct json_out w = json_out_on(&body);

	(void)grant;
	json_open(&w, NULL, '{');
	json_open(&w, "metadata", '{');
	json_put_time(&w, "timestamp", loop_wall_us(request_loop(req)));
	json_put_text(&w, "version", TASKER_VERSION);
	json_close(&w, '}');
	if (d->worker_id != NULL)
		json_put_text(&w, "worker_id", d->worker_id);
	config_auth(config, &w);
	json_open(&w, "settings", '{');
	config_public(config, config_value_show, &w);
	config_live_unlock(d->live);
	json_close(&w, '}');
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

#include "shared/daemon/service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/daemon/settings.h"

static const char *const prefixes[] = {"/v1/", "/config"};
static const char *const config_path[] = {"/config"};

int
service_exit_code(const struct err *e, int otherwise)
{
	switch (e->code) {
	case ERR_NOMEM:
		return EXIT_CODE_TEMPORARY;
	case ERR_BUSY:
		return EXIT_CODE_UNAVAILABLE;
	case ERR_DENIED:
		return EXIT_CODE_PERMISSION;
	case ERR_INTERNAL:
		return EXIT_CODE_INTERNAL;
	case ERR_NONE:
	case ERR_IO:
	case ERR_FORMAT:
	case ERR_LIMIT:
	case ERR_CRYPTO:
	case ERR_MISSING:
	case ERR_CONFLICT:
	default:
		return otherwise;
	}
}

static void
warn(const struct config *config, const struct security_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		LOG(WARN, "security.warning", TEXT_F("what", report->warnings[i]));
	if (!config->web_auth_enabled)
		LOG(WARN, "security.disabled",
		        TEXT_F("what", "authentication is off: every caller may do everything"));
}

static void
warn_of_expiry(const struct config *config, const struct tls_context *tls)
{
	if (tls != NULL && tls_context_expires_s(tls) <= clock_wall_us() / 1000000)
		LOG(WARN, "tls.expired", TEXT_F("file", config->web_tls_certificate_path),
		        TEXT_F("what", "clients refuse the certificate: its time is over"));
}

static bool
open_tls(struct service *s, struct err *e)
{
	if (!settings_tls(s->config, &s->tls, e))
		return false;
	warn_of_expiry(s->config, s->tls);
	return true;
}

static bool
open_security(struct service *s, struct err *e)
{
	AUTO(security_service) struct security_service *service = NULL;
	struct security_report report = {.count = 0};

	if (!settings_security_service(s->config, &service, &report, e) ||
	        !security_live_new(service, &s->security, e))
		return false;
	(void)TAKE(service);
	warn(s->config, &report);
	return true;
}

static bool
open_limits(struct service *s, struct err *e)
{
	if (!rate_limits_new(&s->limits, e))
		return false;
	settings_rate_limits(s->config, s->limits);
	return true;
}

static bool
start_keys(struct service *s, struct err *e)
{
	const struct issuer_keys_settings settings = {.config = s->config,
	        .live = s->security,
	        .health = s->health,
	        .metrics = s->metrics};

	return issuer_keys_start(&settings, &s->keys, e);
}

bool
service_open(const struct daemon_start *start, struct service *s, int *exit_code, struct err *e)
{
	*s = (struct service){.config = start->config};
	service_manager_read(&s->manager);
	*exit_code = EXIT_CODE_CONFIG;
	if (!open_security(s, e) || !open_tls(s, e)) {
		service_close(s);
		return false;
	}
	*exit_code = EXIT_CODE_TEMPORARY;
	if (config_live_new(start->config, start->source, &s->config_live, e) &&
	        loop_new("service", &s->loop, e) && metrics_new(&s->metrics, e) &&
	        health_new(&s->health, e) && open_limits(s, e) && start_keys(s, e))
		return true;
	service_close(s);
	return false;
}

struct daemon_common
service_common(const struct service *s, const char *worker_id)
{
	return (struct daemon_common){
	        .config = s->config,
	        .live = s->config_live,
	        .keys = s->keys,
	        .health = s->health,
	        .metrics = s->metrics,
	        .worker_id = worker_id,
	        .started_us = clock_mono_us(),
	        .api =
	                {
                              .title = s->config->role == CONFIG_WORKER ? "Tasker Worker API"
	                                                                  : "Tasker Web API",
                              .version = API_VERSION,
                              .api_key_header = s->config->web_auth_api_key_header,
	                      },
	};
}

static struct web_settings
web_settings(const struct service *s, const struct service_web *web)
{
	bool hidden = !s->config->web_config_endpoint_enabled;

	return (struct web_settings){
	        .name = "http",
	        .address = s->config->web_bind_address,
	        .fd = service_manager_fd(&s->manager, "http"),
	        .threads = (unsigned)s->config->web_threads,
	        .limits = settings_http_limits(s->config),
	        .gate =
	                {
                               .routes = web->routes,
                               .route_count = web->route_count,
                               .protected_prefixes = prefixes,
                               .protected_count = COUNT(prefixes),
                               .hidden = config_path,
                               .hidden_count = hidden ? COUNT(config_path) : 0,
                               .cors = {s->config->web_cors_origins.items,
	                                s->config->web_cors_origins.count},
                               .json = settings_json_limits(s->config),
                               .access_log = s->config->log_access,
                               .log_unknown_permissions =
	                                s->config->web_auth_log_unknown_permissions,
                               .realm = "tasker",
                               .api_key_header = s->config->web_auth_api_key_header,
                               .limits = s->limits,
                               .app = web->app,
	                       },
	        .security = s->security,
	        .cache_entries = (size_t)s->config->web_auth_token_cache_entries,
	        .find_session = web->find_session,
	        .find_arg = web->find_arg,
	        .metrics = s->metrics,
	};
}

static void
web_gone(void *arg)
{
	struct service *s = arg;

	loop_stop(s->loop);
}

void
service_drained(struct service *s)
{
	struct err e = {0};

	if (!web_drain(s->web, s->loop, s->config->limits_shutdown_ms * 1000, web_gone, s, &e)) {
		LOG(ERROR, "daemon.drain", TEXT_F("why", e.text));
		loop_stop(s->loop);
	}
}

static void
drain(void *arg)
{
	struct service *s = arg;
	int64_t within_us = s->config->limits_shutdown_ms * 1000;
	struct err e = {0};

	s->draining = true;
	LOG(INFO, "daemon.stopping", INT_F("within_ms", s->config->limits_shutdown_ms));
	health_drain(s->health);
	if (!service_manager_stopping(&s->manager, within_us, &e))
		LOG(WARN, "service_manager.silent", TEXT_F("why", e.text));
	s->hooks->drain(s->arg);
}

/* By the signal itself, so that the time to end in and a second signal count as ever. */
void
service_end(struct service *s, int exit_code)
{
	if (s->exit_code == exit_code)
		return;
	s->exit_code = exit_code;
	(void)kill(getpid(), SIGTERM);
}

/* The second signal, or the end of the time: whatever still runs is cut. */
static void
force(void *arg)
{
	struct service *s = arg;

	LOG(WARN, "daemon.forced", TEXT_F("what", "ending at once"));
	loop_stop(s->loop);
}

static void
keep(const struct config_notes *notes, const struct err *e)
{
	for (size_t i = 0; i < notes->problems.count; i++)
		LOG(ERROR, "config.problem", TEXT_F("what", notes->problems.text[i]));
	LOG(ERROR, "config.kept", TEXT_F("why", e->text),
	        TEXT_F("what", "the configuration in force stays"));
}

/* Files with the same names may have new contents (TL6). */
static bool
renew_tls(const struct service *s, const struct config *next, OWNED struct tls_context **out,
        struct err *e)
{
	if (settings_uses_tls(next) != settings_uses_tls(s->config))
		return err_set(e, ERR_CONFLICT,
		        "web.tls.certificate_path: only a restart begins or ends TLS");
	return settings_tls(next, out, e);
}

/* What may fail comes before anything changes; the publication is the last of it. */
static bool
read_again(struct service *s, struct config_notes *notes, struct err *e)
{
	AUTO(config) struct config *next = NULL;
	AUTO(security_service) struct security_service *service = NULL;
	AUTO(tls_context) struct tls_context *tls = NULL;
	struct security_report report = {.count = 0};
	enum log_level level = LEVEL_INFO;
	uint64_t rules;

	if (!config_live_read(s->config_live, notes, &next, e) ||
	        !settings_security_service(next, &service, &report, e) ||
	        !renew_tls(s, next, &tls, e) || !issuer_keys_carry(s->keys, next, &service, e))
		return false;
	rules = security_service_rules(service);
	if (!security_live_replace(s->security, service, e))
		return false;
	(void)TAKE(service);
	for (size_t i = 0; i < notes->warnings.count; i++)
		LOG(WARN, "config.warning", TEXT_F("what", notes->warnings.text[i]));
	warn(next, &report);
	warn_of_expiry(next, tls);
	(void)log_level_parse(next->log_level, &level);
	log_level_set(level);
	settings_rate_limits(next, s->limits);
	issuer_keys_follow(s->keys, next, rules);
	if (tls != NULL)
		web_tls(s->web, TAKE(tls));
	config_live_swap(s->config_live, TAKE(next));
	return true;
}

/* SIGHUP: all of the new configuration, or the one in force (AK8, CF1). */
static void
reload(void *arg)
{
	struct service *s = arg;
	struct config_notes *notes = calloc(1, sizeof(*notes)); /* too large for a stack frame */
	struct err e = {0};

	if (notes == NULL) {
		LOG(ERROR, "config.kept", TEXT_F("why", "out of memory for a configuration"));
		return;
	}
	if (read_again(s, notes, &e))
		LOG(INFO, "config.reloaded");
	else
		keep(notes, &e);
	free(notes);
}

static void
feed_watchdog(void *arg)
{
	struct service *s = arg;
	struct err e = {0};

	if (s->hooks->healthy == NULL || s->hooks->healthy(s->arg))
		if (!service_manager_watchdog(&s->manager, &e))
			LOG(WARN, "service_manager.silent", TEXT_F("why", e.text));
	loop_timer_set(s->watchdog, s->manager.watchdog_us / 3);
}

/* Everything that listens: true with s->web set, or false with the reason logged by the caller. */
static bool
listen_on(struct service *s, const struct service_web *web, const char *port_file, struct err *e)
{
	struct web_settings settings = web_settings(s, web);
	char status[64];

	if (!health_start(s->health, s->loop, e))
		return false;
	settings.tls = TAKE(s->tls);
	if (!web_start(&settings, &s->web, e))
		return false;
	if (s->manager.watchdog_us > 0) {
		if (!loop_timer_new(s->loop, feed_watchdog, s, &s->watchdog, e))
			return false;
		feed_watchdog(s);
	}
	if (port_file != NULL && !process_port_file(port_file, web_port(s->web), e))
		return false;
	(void)snprintf(status, sizeof(status), "auth %s, port %d",
	        s->config->web_auth_enabled ? "on" : "OFF", web_port(s->web));
	return service_manager_ready(&s->manager, status, e);
}

int
service_serve(struct service *s, const struct service_web *web, const struct service_hooks *hooks,
        void *arg, const char *port_file)
{
	AUTO(process) struct process *process = NULL;
	struct process_hooks signals = {.drain = drain,
	        .force = force,
	        .reload = reload,
	        .arg = s,
	        .grace_us = (s->config->limits_shutdown_ms + 1000) * 1000};
	struct err e = {0};

	s->hooks = hooks;
	s->arg = arg;
	if (!process_new(s->loop, &signals, &process, &e) || !listen_on(s, web, port_file, &e)) {
		LOG(ERROR, "daemon.not_started", TEXT_F("why", e.text));
		s->exit_code = service_exit_code(&e, EXIT_CODE_UNAVAILABLE);
	} else {
		LOG(INFO, "daemon.started", INT_F("port", web_port(s->web)),
		        TEXT_F("address", s->config->web_bind_address),
		        TEXT_F("auth", s->config->web_auth_enabled ? "on" : "off"),
		        TEXT_F("tls", settings_uses_tls(s->config) ? "on" : "off"),
		        TEXT_F("version", TASKER_VERSION));
		loop_run(s->loop);
	}
	if (s->web != NULL)
		web_stop(s->web);
	loop_join(s->loop); /* what the web side told this loop after its end is part of the web */
	if (hooks->stopped != NULL)
		hooks->stopped(arg);
	web_free(s->web);
	s->web = NULL;
	loop_timer_free(s->watchdog);
	s->watchdog = NULL;
	LOG(INFO, "daemon.stopped", INT_F("exit_code", s->exit_code));
	return s->exit_code;
}

void
service_close(struct service *s)
{
	web_free(s->web);
	rate_limits_free(s->limits);
	issuer_keys_free(s->keys);
	health_free(s->health);
	metrics_free(s->metrics);
	loop_free(s->loop);
	security_live_free(s->security);
	tls_context_free(s->tls);
	config_live_free(s->config_live);
	*s = (struct service){0};
}

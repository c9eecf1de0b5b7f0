/*
 * A daemon's frame: the service loop with its timers and signals, metrics, health, the security
 * service and the web side, from configuration to drain. What a daemon adds of its own (a store, a
 * runner) it opens between service_open() and service_serve().
 */
#ifndef SHARED_DAEMON_SERVICE_H
#define SHARED_DAEMON_SERVICE_H

#include "shared/config/exit_codes.h"
#include "shared/daemon/common.h"
#include "shared/daemon/daemon_start.h"
#include "shared/gate/web.h"
#include "shared/runtime/process.h"
#include "shared/runtime/service_manager.h"
#include "shared/security/security_live.h"

/* Plain data: a daemon reads the fields and frees them only by service_close(). */
struct service {
	const struct config *config;     /* it started with it */
	struct config_live *config_live; /* what SIGHUP reads anew */
	struct service_manager manager;
	struct loop *loop;
	struct metrics *metrics;
	struct health *health;
	struct security_live *security;
	struct tls_context *tls;  /* until the web side has it */
	struct issuer_keys *keys; /* NULL: they do not come from an issuer */
	struct rate_limits *limits;
	struct web *web;
	struct loop_timer *watchdog;
	const struct service_hooks *hooks;
	void *arg;
	bool draining;
	int exit_code;
};

struct service_hooks {
	/* Stop taking new work; call service_drained() on the service loop when what runs has
	 * ended. */
	void (*drain)(void *arg);
	/* The loops have ended, requests may still wait for the daemon's own work: end that, so
	 * that each is answered. Also called when the start failed. NULL: there is none. */
	void (*stopped)(void *arg);
	/* Is it going on well? false withholds the watchdog's food. NULL: always. */
	bool (*healthy)(void *arg);
};

/* What service_serve() is to serve beside what the configuration says. */
struct service_web {
	const struct route *routes; /* body_max as real bytes */
	size_t route_count;
	session_find_fn find_session; /* NULL: none */
	void *find_arg;
	void *app; /* begins with a struct daemon_common */
};

/* Logs what start-up should say (authentication off, warnings). On failure *exit_code says how to
 * end, and s needs no closing. */
MUST_CHECK bool service_open(
        const struct daemon_start *start, struct service *s, int *exit_code, struct err *e);

/* The common part of a daemon's app, filled from s; the daemon adds its routes to api. */
struct daemon_common service_common(const struct service *s, const char *worker_id);

/*
 * Listens, tells the port file and the service manager, and runs until the daemon has drained; then
 * the web side is gone, and nothing calls into the app any more. Returns the exit code.
 */
int service_serve(struct service *s, const struct service_web *web,
        const struct service_hooks *hooks, void *arg, const char *port_file);

/* From a drain hook or later, on the service loop: the daemon's own work has ended. */
void service_drained(struct service *s);

/* Something broke that only a new start mends: ends as SIGTERM does, with that exit code. On the
 * service loop; once is enough. */
void service_end(struct service *s, int exit_code);

/* Frees what service_open() made; the fields are empty then. Nothing may use them any more. */
void service_close(struct service *s);

/* The exit code that fits a fault while starting: 75, 77, 69 ... else otherwise. */
int service_exit_code(const struct err *e, int otherwise);

#endif

/*
 * Handlers that both daemons serve alike: health, metrics, whoami and the public configuration.
 *
 * A daemon's app begins with a struct daemon_common, so that these handlers find it in the app
 * pointer they are given; its routes.def lists them like its own.
 */
#ifndef SHARED_DAEMON_COMMON_H
#define SHARED_DAEMON_COMMON_H

#include "shared/daemon/config_live.h"
#include "shared/daemon/issuer_keys.h"
#include "shared/gate/openapi.h"
#include "shared/gate/request.h"
#include "shared/runtime/health.h"
#include "shared/runtime/metrics.h"

/* All borrowed; everything outlives the web that serves the handlers. */
struct daemon_common {
	const struct config *config; /* the daemon started with it */
	struct config_live *live;    /* what a reload may change */
	struct issuer_keys *keys;    /* NULL: they do not come from an issuer */
	const struct health *health;
	const struct metrics *metrics;
	const char *worker_id; /* NULL at the orchestration */
	int64_t started_us;    /* monotonic */
	struct openapi api;    /* the daemon's own routes */
};

/* Of the API that Tasker's clients know, not of the program. */
#define API_VERSION "1.0.0"

void health_basic(struct request *req, const struct grant *grant, void *app);
void health_live(struct request *req, const struct grant *grant, void *app);
void health_ready_checks(
        struct request *req, const struct grant *grant, void *app); /* 200 or 503 */
void health_detailed(struct request *req, const struct grant *grant, void *app);
void metrics_show(struct request *req, const struct grant *grant, void *app);
void openapi_show(struct request *req, const struct grant *grant, void *app);
void whoami(struct request *req, const struct grant *grant, void *app);
void config_public_show(struct request *req, const struct grant *grant, void *app);

#endif

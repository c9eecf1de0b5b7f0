/*
 * The worker daemon: what its handlers are given, and its life from configuration to drain.
 */
#ifndef WORKER_APP_H
#define WORKER_APP_H

#include "shared/daemon/common.h"
#include "shared/daemon/service.h"
#include "worker/templates.h"
#include "worker/worker_metrics.h"
#include "worker/worker_settings.h"

struct app {
	struct daemon_common common; /* first: the handlers of shared/daemon look here */
	struct service service;
	struct worker_settings settings;
	struct templates *templates;
	struct worker_metrics *metrics;
	struct runner *runner;
	struct link *link;
	struct mail drained;          /* from the link's thread to the service loop */
	bool finished;                /* the service loop has ended: it takes no more mail */
	struct loop_timer *last_call; /* while draining: when what still runs is given back */
};

/*
 * Runs the daemon on this thread until it is told to end; returns its exit code. config is borrowed
 * for the whole run.
 */
int app_run(const struct daemon_start *start);

/* Everything --check-config can know without the network: keys, templates, the exec shim. */
MUST_CHECK bool app_check(const struct config *config, struct err *e);

#endif

/* The worker's configuration, turned into the plain settings of the runner and the link. */
#ifndef WORKER_WORKER_SETTINGS_H
#define WORKER_WORKER_SETTINGS_H

#include "shared/config/config.h"
#include "worker/link.h"
#include "worker/runner/runner.h"

struct templates;

/* Owns what its two parts point to, beside the configuration and the templates. */
struct worker_settings {
	struct runner_settings runner;
	struct link_settings link;
	char worker[129]; /* worker.id, else the host's name */
	char boot[UUID_TEXT];
	char shim[4096];
	struct handler_settings *handlers;
	const char **words; /* NULL-terminated lists of the handlers */
	const char **namespaces;
	struct buf templates; /* JSON array for the registration */
};

/*
 * config and templates are borrowed for the life of out. ERR_LIMIT: the templates do not fit into a
 * registration. ERR_MISSING: tasker-exec is not where it should be.
 */
MUST_CHECK bool worker_settings_make(const struct config *config, const struct templates *templates,
        struct worker_settings *out, struct err *e);
void worker_settings_clear(struct worker_settings *s);

#endif

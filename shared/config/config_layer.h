/*
 * One layer of a configuration laid over the ones before: a file, a --set, the environment.
 *
 * What is wrong with it goes to the notes with the place it stands; the walk goes on, so that one
 * run shows all of it. Only want of memory stops it.
 */
#ifndef SHARED_CONFIG_CONFIG_LAYER_H
#define SHARED_CONFIG_CONFIG_LAYER_H

#include "shared/base/err.h"
#include "shared/config/config.h"

enum { CONFIG_USED_MAX = 64 };

struct config_layer {
	struct config *config;
	struct config_notes *notes;
	const char *const *env; /* NULL for none */

	/* Of the layer at hand. */
	const char *label; /* a path, "--set web.threads", a variable */
	bool has_lines;    /* are its lines worth naming? */
	enum config_role
	        accepts;   /* whose keys it may hold: BOTH in conf.d, which two daemons share */
	bool holds_secret; /* a secret stands in it in clear */

	/* The array element being read. */
	enum config_group group;
	void *element;
	size_t problems; /* noted before it */

	/* Variables that "${NAME}" named: those are not unknown. */
	const char *used[CONFIG_USED_MAX];
	size_t used_count;
};

/* Lays TOML text over the configuration. */
MUST_CHECK bool config_layer_apply(
        struct config_layer *layer, const char *text, size_t len, struct err *e);

/* Notes a problem at a line of this layer; 0 is no line. */
void config_layer_problem(struct config_layer *layer, int line, const char *fmt, ...) PRINTF(3, 4);

#endif

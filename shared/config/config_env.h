/* The environment as a source of values: "${NAME}" in files, and TASKER_... overrides. */
#ifndef SHARED_CONFIG_CONFIG_ENV_H
#define SHARED_CONFIG_CONFIG_ENV_H

#include "shared/config/config_layer.h"

/* Does text hold a "${" that has to be replaced? */
bool config_env_refers(const char *text);

/*
 * What "${NAME}" or "${NAME:-default}" stands for; the default also when the variable is empty.
 * ERR_MISSING: not set and no default. ERR_FORMAT: the reference is not the whole text (CF3).
 */
MUST_CHECK bool config_env_expand(
        struct config_layer *layer, const char *text, OWNED char **out, struct err *e);

/*
 * Sets the keys that TASKER_... variables name; the form with the role in front wins. A bad value
 * is a problem, an unknown name a warning, an empty variable counts as not set. False for want of
 * memory only.
 */
MUST_CHECK bool config_env_apply(struct config_layer *layer, struct err *e);

#endif

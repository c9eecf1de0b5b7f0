/*
 * What no single key can tell: values that must fit each other. No file but a credential's mode is
 * looked at, and no network (CF2).
 */
#ifndef SHARED_CONFIG_CONFIG_CHECK_H
#define SHARED_CONFIG_CONFIG_CHECK_H

#include "shared/config/config.h"

/* Is the last element of group complete and unlike the others? */
MUST_CHECK bool config_check_element(
        const struct config *config, enum config_group group, struct err *e);

/* Adds a problem for each contradiction in the keys of the config's role. */
void config_check(const struct config *config, struct config_notes *notes);

/* Adds a warning for each key that is not its default though nothing reads it. False: no memory. */
MUST_CHECK bool config_check_idle(
        const struct config *config, struct config_notes *notes, struct err *e);

#endif

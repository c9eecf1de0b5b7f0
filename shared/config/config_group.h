/*
 * The structs that keys live in: struct config itself (CONFIG_KEY, always one) and the elements of
 * its arrays of tables. Elements are only ever appended.
 */
#ifndef SHARED_CONFIG_CONFIG_GROUP_H
#define SHARED_CONFIG_CONFIG_GROUP_H

#include "shared/config/config.h"

/* How many there are, and the nth of them: struct config, or one of its elements' structs. */
size_t config_group_count(const struct config *config, enum config_group group);
BORROWED const void *config_group_element(
        const struct config *config, enum config_group group, size_t nth);

/* The array of tables with that dotted name; CONFIG_KEY if there is none for these roles. */
enum config_group config_group_find(enum config_role roles, const char *name);

/* A struct config that holds the defaults of role. */
MUST_CHECK bool config_group_new(enum config_role role, OWNED struct config **out, struct err *e);
/* Adds an element of defaults. It stays where it is until the next one is added. ERR_LIMIT: full.
 */
MUST_CHECK bool config_group_append(
        struct config *config, enum config_group group, BORROWED void **out, struct err *e);

#endif

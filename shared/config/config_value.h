/*
 * One key's value in its struct: set, compared, released, whatever its type.
 *
 * base is the struct the key's group belongs to. Setting replaces what was there (a MAP grows); a
 * refused value leaves the old one. Error texts name the key and never hold what could be a secret.
 * ERR_NOMEM is a fault; any other code is a bad value.
 */
#ifndef SHARED_CONFIG_CONFIG_VALUE_H
#define SHARED_CONFIG_CONFIG_VALUE_H

#include "shared/config/config_show.h"
#include "shared/config/config_toml.h"

enum { CONFIG_ITEM_MAX = 4096 }; /* bytes of a list's item or a map's text */

/* From a TOML value, whose kind must fit. */
MUST_CHECK bool config_value_set(
        const struct config_key *key, void *base, const struct toml_event *value, struct err *e);
/* From text without a kind, such as an environment variable. A list is a TOML array or comma
 * separated. */
MUST_CHECK bool config_value_read(
        const struct config_key *key, void *base, const char *text, struct err *e);
/* Puts "name=value" into a MAP, in the place of an older value of that name. */
MUST_CHECK bool config_value_add(const struct config_key *key, void *base, const char *name,
        const char *value, struct err *e);
/* Back to the default. */
MUST_CHECK bool config_value_reset(
        const struct config_key *key, enum config_role role, void *base, struct err *e);
/* Frees what the field holds and zeroes it; secrets are wiped first. */
void config_value_release(const struct config_key *key, void *base);

/* The field as a typed view that lives as long as base. */
struct config_value config_value_of(const struct config_key *key, const void *base);
bool config_value_same(const struct config_key *key, const void *a, const void *b);

#endif

/* A configuration for people: every key with its secrets hidden, or the PUBLIC few for GET /config.
 */
#ifndef SHARED_CONFIG_CONFIG_SHOW_H
#define SHARED_CONFIG_CONFIG_SHOW_H

#include "shared/config/config.h"

/* Each key of the role and its value as TOML, in table order; "handlers[0].name" for elements.
 * Secrets read "***". Fails for want of memory only. */
typedef void (*config_line_fn)(const char *key, const char *value, void *arg);
MUST_CHECK bool config_show(
        const struct config *config, config_line_fn line, void *arg, struct err *e);

/* The PUBLIC keys of the role, typed, for GET /config. Only the member of its type is set. */
struct config_value {
	const struct config_key *key;
	bool boolean;
	int64_t number;
	const char *text;
	const struct config_list *list;
};
typedef void (*config_public_fn)(const struct config_value *value, void *arg);
void config_public(const struct config *config, config_public_fn fn, void *arg);

#endif

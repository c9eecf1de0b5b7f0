/*
 * What a configuration key is: a row of config_keys.def as data.
 *
 * Rows are constants and live for ever. The loader, `tasker-ctl config`, the documentation test and
 * the "did you mean" of every message read this one table.
 */
#ifndef SHARED_CONFIG_CONFIG_KEY_H
#define SHARED_CONFIG_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"

enum config_role { CONFIG_ORCHESTRATION = 1, CONFIG_WORKER = 2, CONFIG_BOTH = 3 };

enum config_type {
	CONFIG_BOOL,
	CONFIG_INT,
	CONFIG_TEXT,
	CONFIG_ONE_OF,
	CONFIG_LIST,
	CONFIG_LIST_OF,
	CONFIG_TIME,
	CONFIG_MAP,
};

/* Where the field is: in struct config, or in each element of an array of tables. */
enum config_group {
	CONFIG_KEY,
	CONFIG_API_KEY,
	CONFIG_PUBLIC_KEY,
	CONFIG_INTERNAL_KEY,
	CONFIG_HANDLER,
	CONFIG_GROUPS
};

enum config_flag {
	CONFIG_LIVE = 0,
	CONFIG_FIXED = 1 << 0,
	CONFIG_PUBLIC = 1 << 1,
	CONFIG_SECRET = 1 << 2,
	CONFIG_HIDDEN = 1 << 3,
	CONFIG_URL = 1 << 4,
	CONFIG_ADDRESS = 1 << 5,
	CONFIG_VERBATIM = 1 << 6,
	CONFIG_REFUSED = 1 << 7,
	CONFIG_IDLE = 1 << 8,
	CONFIG_WORDS = 1 << 9,
};

enum { CONFIG_NAME_MAX = 64, CONFIG_ENV_MAX = 96 }; /* with the NUL */

struct config_key {
	const char *name; /* dotted: "web.auth.enabled", "handlers.name" */
	enum config_role roles;
	enum config_type type;
	enum config_group group;
	unsigned flags;
	const char *choices; /* "a|b" for ONE_OF and LIST_OF, else NULL */
	const char *fallback;
	int64_t min, max;
	const char *help;
	size_t offset; /* of the field in its struct */
};

/* "orchestration" or "worker". */
const char *config_role_name(enum config_role role);
/* "web.auth.api_keys" or "handlers"; NULL for CONFIG_KEY. */
const char *config_group_name(enum config_group group);

/* The nth row, or NULL past the end: `for (n = 0; (key = config_key_at(n)) != NULL; n++)`. */
const struct config_key *config_key_at(size_t n);
/* The row of that name known to one of roles, or NULL. */
const struct config_key *config_key_find(enum config_role roles, const char *name);
/* The default of key in that role, as text. */
const char *config_key_default(const struct config_key *key, enum config_role role);
/* Is some key of these roles below "name."? */
bool config_key_has_section(enum config_role roles, const char *name);

/*
 * The name that was probably meant: at most two letters away, or the same last word in another
 * section. Copies it to out and returns true; false when nothing is near.
 */
bool config_key_suggest(enum config_role roles, const char *name, char out[CONFIG_NAME_MAX]);
bool config_key_suggest_section(
        enum config_role roles, const char *name, char out[CONFIG_NAME_MAX]);

/* "TASKER_WEB_BIND_ADDRESS", or with a role "TASKER_WORKER_WEB_BIND_ADDRESS"; 0 is no role. */
void config_key_env(const struct config_key *key, unsigned role, char out[CONFIG_ENV_MAX]);

#endif

/*
 * Configuration as a value: read whole, checked whole, then swapped in.
 *
 * config_keys.def is the only list of keys; the fields below are made from it. A struct config is
 * immutable once config_load() has returned it; a reload builds a second one and config_reload_ok()
 * says whether it may replace the first, so that a broken file changes nothing. Nothing here logs:
 * what a start-up log should say comes back as notes.
 */
#ifndef SHARED_CONFIG_CONFIG_H
#define SHARED_CONFIG_CONFIG_H

#include "shared/base/err.h"
#include "shared/config/config_key.h"
#include "shared/config/config_notes.h"

enum {
	CONFIG_FILE_BYTES_MAX = 256 * 1024, /* of one file */
	CONFIG_FRAGMENTS_MAX = 64,          /* files in conf.d */
	CONFIG_SETS_MAX = 64,               /* --set options */
	CONFIG_API_KEYS_MAX = 4096,
	CONFIG_HANDLERS_MAX = 64,
	CONFIG_PUBLIC_KEYS_MAX = 16, /* of users, and as many of workers */
};

/* Texts in order; for a MAP each is "NAME=value". */
struct config_list {
	size_t count;
	const char *const *items;
	void *block; /* what holds items and texts */
	size_t block_size;
};

/* A TEXT or ONE_OF is never NULL; a TIME is wall microseconds (clock.h), 0 for none. */
#define FIELD_BOOL bool
#define FIELD_INT int64_t
#define FIELD_TEXT char *
#define FIELD_ONE_OF(choices) char *
#define FIELD_LIST struct config_list
#define FIELD_LIST_OF(choices) struct config_list
#define FIELD_TIME int64_t
#define FIELD_MAP struct config_list
#define FIELD(name, roles, type, field, ...) FIELD_##type field;

struct config_api_key {
#define API_KEY FIELD
#include "shared/config/config_keys.def"
};

struct config_public_key { /* a user's, or a worker's: INTERNAL_KEY rows have the same fields */
#define PUBLIC_KEY FIELD
#include "shared/config/config_keys.def"
};

struct config_handler {
#define HANDLER FIELD
#include "shared/config/config_keys.def"
};

/* Fields stand in the table's order. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct config {
	enum config_role role;
	char *path; /* the file it came from; NULL if none was found */
	struct config_api_key *api_keys;
	size_t api_key_count;
	struct config_public_key *public_keys, *internal_keys;
	size_t public_key_count, internal_key_count;
	struct config_handler *handlers;
	size_t handler_count;
#define KEY FIELD
#include "shared/config/config_keys.def"
};

#undef FIELD
#undef FIELD_BOOL
#undef FIELD_INT
#undef FIELD_TEXT
#undef FIELD_ONE_OF
#undef FIELD_LIST
#undef FIELD_LIST_OF
#undef FIELD_TIME
#undef FIELD_MAP

/* Where to look. Zero-initialised beside role it reads no environment and no --set. */
struct config_source {
	enum config_role role;
	const char *path;        /* --config, or NULL */
	const char *const *sets; /* "dotted.key=value" each */
	size_t set_count;
	const char *const *env; /* like environ; NULL for none */
	const char *etc;        /* NULL for "/etc/tasker" */
};

/*
 * Reads file, conf.d, environment and sets, in that order (design §15). On failure e holds the
 * first problem and notes->problems all of them, unless it is ERR_NOMEM; notes->warnings is filled
 * either way. notes is emptied first.
 */
MUST_CHECK bool config_load(const struct config_source *source, struct config_notes *notes,
        OWNED struct config **out, struct err *e);
void config_free(struct config *config);

/* False if a key that is fixed at start has changed: e names the first, changed (may be NULL) gets
 * a line for each. */
MUST_CHECK bool config_reload_ok(const struct config *running, const struct config *next,
        struct config_lines *changed, struct err *e);

AUTO_DEFINE(config, struct config, config_free)

#endif

/* A folder of its own for each test, and loading a configuration written there. */
#ifndef TESTS_UNIT_CONFIG_PLACE_H
#define TESTS_UNIT_CONFIG_PLACE_H

#include "shared/config/config.h"

/* Checked fixtures: a new folder under /tmp is the working directory; it is removed with all in it.
 */
void place_enter(void);
void place_leave(void);

/* Writes a file, mode 0600, and the folders above it. */
void place_write(const char *path, const char *text);

/* A configuration loaded, or not. */
struct attempt {
	bool ok;
	struct config *config; /* NULL unless ok */
	struct config_notes notes;
	struct err e;
};

/* Loads toml as the named file of that role, with a NULL-terminated environment and sets; each may
 * be NULL. Free with attempt_free(). */
struct attempt *attempt(
        enum config_role role, const char *toml, const char *const *env, const char *const *sets);
/* The same without a file: what the search finds. */
struct attempt *attempt_search(
        enum config_role role, const char *const *env, const char *const *sets);
void attempt_free(struct attempt *a);

AUTO_DEFINE(attempt, struct attempt, attempt_free)

#endif

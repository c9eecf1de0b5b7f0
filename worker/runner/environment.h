/*
 * The environment of a handler: an allow-list of the worker's own variables, the handler's
 * configuration, and what describes the attempt. Nothing else crosses (CF10), above all no token.
 */
#ifndef WORKER_RUNNER_ENVIRONMENT_H
#define WORKER_RUNNER_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"

enum { ENVIRONMENT_MAX = 192 };

struct environment {
	char *items[ENVIRONMENT_MAX + 1]; /* "NAME=value", NULL-terminated: an envp */
	size_t count;
	bool failed; /* no memory, or too many; sticky */
};

/* PATH, HOME, LANG and TZ as the worker has them. */
void environment_inherit(struct environment *env);
/* Adds or replaces. */
void environment_put(struct environment *env, const char *name, const char *value);
/* As above, from "NAME=value" items; NULL is none. */
void environment_put_all(struct environment *env, const char *const *items);
void environment_free(struct environment *env);

static inline void
auto_environment_(struct environment *env)
{
	environment_free(env);
}

#endif

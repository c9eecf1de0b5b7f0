/* The two daemons that tasker-ctl asks, and where they are. */
#ifndef CTL_ENDPOINT_H
#define CTL_ENDPOINT_H

#include "shared/base/err.h"

enum endpoint { ENDPOINT_ORCHESTRATION, ENDPOINT_WORKER, ENDPOINTS };
enum { ENDPOINT_URL_MAX = 512, ENDPOINT_TIMEOUT_MAX_MS = 3600000 }; /* bytes, with the NUL */

/* "orchestration" or "worker"; and the program's name. */
const char *endpoint_name(enum endpoint endpoint);
const char *endpoint_program(enum endpoint endpoint);

/*
 * Its address without a slash at the end: flag (NULL: not given), else its variable in env (like
 * environ), else http://localhost:8080 or :8081. ERR_FORMAT, ERR_LIMIT for one that is none.
 */
MUST_CHECK bool endpoint_url(enum endpoint endpoint, const char *flag, const char *const *env,
        char out[ENDPOINT_URL_MAX], struct err *e);

/* TASKER_ORCHESTRATION_TIMEOUT_MS or TASKER_WORKER_TIMEOUT_MS: 1 to 3600000 (else ERR_FORMAT), or 0
 * where it is not set. */
MUST_CHECK bool endpoint_timeout(
        enum endpoint endpoint, const char *const *env, int *milliseconds, struct err *e);

/* The value of a variable; NULL where it is missing or empty. */
BORROWED const char *endpoint_env(const char *const *env, const char *name);

#endif

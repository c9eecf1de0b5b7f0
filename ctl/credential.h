/*
 * Which credential goes to which daemon. The first of these that is set in the environment:
 *
 *   TASKER_ORCHESTRATION_AUTH_TOKEN, TASKER_WORKER_AUTH_TOKEN   a token for that daemon
 *   TASKER_AUTH_TOKEN                                           a token for both
 *   TASKER_API_KEY       a key, in the header TASKER_API_KEY_HEADER names (else X-API-Key)
 *   TASKER_JWT_PRIVATE_KEY_PATH   a key to sign a token with, good for five minutes:
 *       TASKER_JWT_SUBJECT (tasker-client), TASKER_JWT_ISSUER (tasker-core), TASKER_JWT_AUDIENCE
 *       (tasker-api), TASKER_JWT_PERMISSIONS (all but any:* and system:admin)
 *
 * None of them is ever an argument of the program, where other users could read it.
 */
#ifndef CTL_CREDENTIAL_H
#define CTL_CREDENTIAL_H

#include <stdint.h>

#include "ctl/endpoint.h"
#include "shared/base/secret.h"

enum { CREDENTIAL_LIFETIME_S = 300, CREDENTIAL_MAX = 16384 };

struct credential {
	const char *source;   /* the variable it came from; NULL: there is none */
	const char *header;   /* borrowed from the environment, or a constant */
	struct secret *value; /* with its NUL */
};

/* ERR_FORMAT names the variable whose value cannot be a credential; other errors are the key's. */
MUST_CHECK bool credential_choose(enum endpoint endpoint, const char *const *env, int64_t now_s,
        struct credential *out, struct err *e);
void credential_clear(struct credential *c);

/* The variable credential_choose would take it from, or NULL. */
BORROWED const char *credential_source(enum endpoint endpoint, const char *const *env);

static inline void
auto_credential_(struct credential *c)
{
	credential_clear(c);
}

#endif

/*
 * Who is calling, as the rest of the program sees it: made once per credential, immutable,
 * counted per loop (a context never leaves the loop whose authenticator made it; what must travel
 * to another thread is copied into struct principal-like values there).
 */
#ifndef SHARED_SECURITY_SECURITY_CONTEXT_H
#define SHARED_SECURITY_SECURITY_CONTEXT_H

#include <stdint.h>

#include "shared/security/permission.h"

enum auth_method {
	AUTH_METHOD_NONE = 0,
	AUTH_METHOD_DISABLED, /* auth is off: everything is allowed, and said loudly at start */
	AUTH_METHOD_JWT,
	AUTH_METHOD_API_KEY,
	AUTH_METHOD_SYSTEM,  /* a worker's system credential: JWT with the internal audience */
	AUTH_METHOD_SESSION, /* a registered worker's session secret */
};

/* Which routes a credential can ever reach; a valid one of the wrong class is 403 there. */
enum caller_class { CALLER_NOBODY = 0, CALLER_USER, CALLER_SYSTEM, CALLER_SESSION };

struct security_context {
	enum caller_class caller;
	enum auth_method method;
	struct permission_set permissions;
	const char *subject;  /* sub, "key:<id>", "anonymous", worker id for a session */
	const char *owner;    /* "jwt:<iss>:<sub>", "key:<id>", "anonymous"; never from a body */
	const char *tenant;   /* "" without policy.tenant_claim */
	const char *issuer;   /* NULL unless a token */
	const char *token_id; /* jti, API-key id or session id; NULL if there is none */
	int64_t expires_at_s; /* Unix seconds; 0: does not expire */
	int64_t issued_at_s;  /* 0: unknown */
	const char *const *namespaces; /* worker_namespaces of a system credential or session;
	                                  NULL-terminated */
};

/*
 * A counted copy of fields and of every text they point to, in one allocation. NULL texts become
 * "" (subject, owner, tenant) or stay NULL (issuer, token_id, namespaces).
 */
MUST_CHECK bool security_context_new(const struct security_context *fields,
        OWNED const struct security_context **out, struct err *e);

/* Wire words: "jwt", "api_key", "disabled", "system", "session", "none". */
const char *auth_method_name(enum auth_method m);

/* Counted on the loop that made it, without atomics. NULL is fine. */
const struct security_context *security_context_ref(const struct security_context *c);
void security_context_unref(const struct security_context *c); /* NULL is fine */

#endif

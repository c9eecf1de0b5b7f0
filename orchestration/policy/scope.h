/*
 * What a caller may see, as a value: resolved once a credential from the ownership policy, compiled
 * into every query by the store, obeyed alike by reads, lists, counts and changes. Foreign is
 * missing.
 */
#ifndef ORCHESTRATION_POLICY_SCOPE_H
#define ORCHESTRATION_POLICY_SCOPE_H

#include "shared/base/err.h"
#include "shared/security/security_context.h"

enum scope_kind {
	SCOPE_NONE = 0, /* sees nothing: the policy denies, or nobody set it */
	SCOPE_OWNER,    /* rows whose owner (and tenant) are the caller's */
	SCOPE_TENANT,   /* rows of the caller's tenant */
	SCOPE_ANY,      /* everything */
};

/* Who acts, and how far they see. Fixed size, so that it travels to another thread by copy. */
struct principal {
	enum scope_kind scope;
	char owner[528];  /* "jwt:<iss>:<sub>", "key:<id>", "anonymous" */
	char tenant[129]; /* "" is the one tenant of installations without tenants */
};

enum ownership { OWNERSHIP_TENANT, OWNERSHIP_OWNER, OWNERSHIP_DENY_ALL, OWNERSHIP_ALLOW_ALL };
/* The policy spelled so ("tenant"); false: there is none. And its spelling, "deny_all" if unknown.
 */
bool ownership_parse(const char *text, enum ownership *out);
const char *ownership_name(enum ownership o);

/*
 * The caller's principal. write picks any:write over any:read for the wider scope (inside the
 * tenant). ERR_LIMIT if owner or tenant do not fit (issuer and subject together above 500 bytes).
 */
MUST_CHECK bool scope_resolve(enum ownership policy, const struct security_context *who, bool write,
        struct principal *out, struct err *e);

#endif

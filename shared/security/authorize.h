/*
 * From "who is this" to "may it go on".
 *
 * A handler can read a body only with a struct grant, and only authorize() makes one, bound to
 * the slot inside the request it was made for; so no route can parse what it has not been
 * allowed to see, and no grant outlives or leaves its request.
 */
#ifndef SHARED_SECURITY_AUTHORIZE_H
#define SHARED_SECURITY_AUTHORIZE_H

#include "shared/security/security_context.h"

enum verdict {
#define VERDICT(name, status, code, reason, text) VERDICT_##name,
#include "shared/security/verdict.def"
#undef VERDICT
	VERDICT__COUNT
};

/* What a route asks for. Zero is not a valid value, so a forgotten column fails closed. */
enum access_kind {
	ACCESS_UNSET = 0,
	ACCESS_OPEN,      /* nobody is asked */
	ACCESS_SIGNED_IN, /* any valid user credential */
	ACCESS_NEEDS,     /* a user credential with this permission */
	ACCESS_INTERNAL,  /* a worker's system credential, or its session (internal) */
};

struct access {
	enum access_kind kind;
	enum permission permission; /* of ACCESS_NEEDS */
	enum caller_class caller;   /* of ACCESS_INTERNAL: CALLER_SYSTEM or CALLER_SESSION */
};

#define OPEN                                                                                       \
	{                                                                                          \
		.kind = ACCESS_OPEN                                                                \
	}
#define SIGNED_IN                                                                                  \
	{                                                                                          \
		.kind = ACCESS_SIGNED_IN                                                           \
	}
#define NEEDS(resource, action)                                                                    \
	{                                                                                          \
		.kind = ACCESS_NEEDS, .permission = PERMISSION_##resource##_##action               \
	}
#define INTERNAL(class)                                                                            \
	{                                                                                          \
		.kind = ACCESS_INTERNAL, .caller = CALLER_##class                                  \
	}

struct grant; /* proof that authorize() said VERDICT_GRANT; opaque, cannot be made elsewhere */

/* Where a grant lives: inside the request. Zero-initialised it holds none. */
struct grant_slot {
	const void *opaque[3];
};

/*
 * who may be NULL (nobody). Sets *out (borrowed from slot) only for VERDICT_GRANT. With auth
 * disabled a user row is granted, an INTERNAL(SYSTEM) row too; INTERNAL(SESSION) always needs its
 * session.
 */
MUST_CHECK enum verdict authorize(const struct security_context *who, struct access wanted,
        struct grant_slot *slot, BORROWED const struct grant **out);

/* Was this grant made in this slot? A request asks before it hands out its body. */
bool grant_holds(const struct grant *grant, const struct grant_slot *slot);
BORROWED const struct security_context *grant_context(const struct grant *grant);

int verdict_status(enum verdict v);         /* 500 for anything unlisted */
const char *verdict_code(enum verdict v);   /* error.code of the body */
const char *verdict_reason(enum verdict v); /* for log and metric only (CR10) */
const char *verdict_text(enum verdict v);   /* for the caller */

#endif

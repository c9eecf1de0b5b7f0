/*
 * What a verified payload says, held against what we demand (design section 4, JT11-JT18).
 *
 * A pure function of (payload, rules, now): no clock, no cache, no I/O. The same rules serve users
 * and workers; the class decides which subjects are possible and which claims count.
 */
#ifndef SHARED_SECURITY_CLAIMS_H
#define SHARED_SECURITY_CLAIMS_H

#include "shared/base/json.h"
#include "shared/security/authorize.h"
#include "shared/security/permission_map.h"

enum {
	CLAIM_NAME_MAX = 128, /* bytes of a configured claim's name or path */
	CLAIM_TEXT_MAX = 256, /* bytes of sub, tenant and jti */
	CLAIM_PERMISSIONS_MAX = 256,
	CLAIM_PERMISSION_LEN = 64,
	CLAIM_AUDIENCES_MAX = 64,
	CLAIM_NAMESPACES_MAX = 64,
	CLAIM_NAMESPACE_LEN = 128,
	CLAIM_WORKER_MAX = 128, /* of a worker's id, behind "wrk:" */
	CLAIM_DEPTH_MAX = 8
};

struct claim_rules {
	enum caller_class caller; /* CALLER_USER or CALLER_SYSTEM */
	const char *issuer, *audience;
	const char *permissions_claim; /* users only; see claims_find() */
	/* What the issuer's names stand for; NULL: they are ours. With a map names that are neither
	 * mapped nor ours are counted, never refused: an identity provider sends roles of others.
	 */
	const struct permission_map *permission_map;
	const char *tenant_claim; /* users only; NULL: everybody's tenant is "" */
	int64_t leeway_s, max_lifetime_s;
	/* An unknown permission refuses the token, else it is counted; with a map only "*" does. */
	bool strict_permissions;
};

/* Reusable; zero-initialise, free the text at the end. */
struct claims {
	struct security_context fields; /* its texts are in text, in the rules, or constants */
	int64_t valid_from_s;           /* first second it is good: nbf and iat less the leeway */
	int64_t valid_until_s;          /* first second it is not: exp and the leeway */
	size_t permissions_ignored;     /* unknown ones that did not refuse it */
	/* The first that nobody knows, also where it refuses the token: for a log, so with '?' for
	 * all but printable ASCII. "" if there is none. */
	char unknown_permission[CLAIM_PERMISSION_LEN + 1];
	const char *namespaces[CLAIM_NAMESPACES_MAX + 1];
	struct buf text;
};

/* The limits to parse a payload with (JT10). */
extern const struct json_limits claims_limits;

/*
 * GRANT: *out is filled and lives until the next call or claims_clear; rules must live as long.
 * Else why not (401), or DENY_UNAVAILABLE without memory.
 */
MUST_CHECK enum verdict claims_check(const struct json *payload, const struct claim_rules *rules,
        int64_t now_s, struct claims *out);
void claims_clear(struct claims *c);

/*
 * The value of a claim: the member with exactly that name, else the one a path with dots leads to
 * through objects (realm_access.roles). *out is NULL if there is none. False where the path leads
 * through something else than an object.
 */
MUST_CHECK bool claims_find(
        const struct json *payload, const char *name, BORROWED const struct json_node **out);

/* Does aud name this audience? Of an unverified payload: good for choosing keys, nothing else. */
bool claims_name_audience(const struct json *payload, const char *audience);

#endif

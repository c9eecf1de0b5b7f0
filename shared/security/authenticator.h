/*
 * Credential in, security context out: one authenticator a loop, over one live service.
 *
 * The service (security_service.h) is immutable and shared: keys, API keys, claim rules; each check
 * begins by following the one in force (security_live.h). The authenticator adds what belongs to
 * its loop: the token cache and the contexts it made. A bearer decides before an API key, and a bad
 * bearer never falls back (CR4, CR5).
 */
#ifndef SHARED_SECURITY_AUTHENTICATOR_H
#define SHARED_SECURITY_AUTHENTICATOR_H

#include "shared/security/authorize.h"
#include "shared/security/security_live.h"

struct authenticator;

/* The header values as they came; NULL where absent. The gate refuses repeated ones before. */
struct credentials {
	const char *authorization;
	size_t authorization_len;
	const char *api_key;
	size_t api_key_len;
	/* Look at no token in full: one that is not in the cache is DENY_BUSY (LM5). */
	bool known_only;
};

struct authentication {
	enum verdict verdict; /* GRANT, or why not */
	const struct security_context
	        *context; /* one reference for the caller; NULL unless GRANT */
	/* The first permission that nobody knows in a token that was looked at in full, so once
	 * while the cache knows it; see claims.h. "" if there is none; until the next check. */
	const char *unknown_permission;
	bool examined; /* a token was looked at in full, which is what costs */
};

/*
 * Looks a worker's session up by the SHA-256 of its secret; supplied by the daemon that has
 * sessions (NULL elsewhere). Fills the fields it knows and returns GRANT, or returns why not.
 * Called on the loop; must not block.
 */
struct session_facts {
	char id[40]; /* session id */
	char worker[129];
	int64_t expires_at_s, issued_at_s; /* of the credential it was opened with; 0: none */
	const char *const *namespaces;     /* borrowed until the call returns */
};
typedef enum verdict (*session_find_fn)(
        const unsigned char digest[32], struct session_facts *facts, void *arg);

/* READY fills *out now; PENDING calls resume later, once, on the same loop (call-outs, sessions in
 * a store). Nothing pends today; callers handle both. */
enum auth_progress { AUTH_READY, AUTH_PENDING };
typedef void (*auth_resume_fn)(const struct authentication *result, void *arg);

/* live must outlive it. cache_entries is rounded up to a power of two; 0 switches the cache off. */
MUST_CHECK bool authenticator_new(struct security_live *live, size_t cache_entries,
        session_find_fn find, void *find_arg, OWNED struct authenticator **out, struct err *e);
void authenticator_free(struct authenticator *a);

/*
 * Decides what c is worth at now_s (Unix seconds, wall clock). READY: *out holds the verdict and,
 * for GRANT, one reference to its context. resume and arg are kept only for PENDING.
 */
MUST_CHECK enum auth_progress authenticator_check(struct authenticator *a,
        const struct credentials *c, int64_t now_s, struct authentication *out,
        auth_resume_fn resume, void *arg);

struct authenticator_stats {
	uint64_t hits, misses;        /* of the token cache */
	uint64_t verified;            /* tokens accepted after a full check */
	uint64_t refused;             /* credentials of any kind, also missing ones */
	uint64_t permissions_ignored; /* unknown ones, where the settings are lax (JT18) */
};
struct authenticator_stats authenticator_stats(const struct authenticator *a);

AUTO_DEFINE(authenticator, struct authenticator, authenticator_free)

#endif

/*
 * Whom one class of tokens is believed from, and on what terms: a key set, and claim rules.
 *
 * Users and workers have one each. They share no key (security_service_new sees to that), so no
 * identity provider that may choose an audience can make itself a worker.
 */
#ifndef SHARED_SECURITY_TRUST_H
#define SHARED_SECURITY_TRUST_H

#include "shared/security/claims.h"
#include "shared/security/key_set.h"
#include "shared/security/security_report.h"

enum {
	TRUST_LEEWAY_MAX_S = 60,
	TRUST_LIFETIME_DEFAULT_S = 24 * 3600,
	TRUST_LIFETIME_MAX_S = 720 * 3600
};

/* One of several keys, so that a new one is known before the old one goes. NULL or "" is absent. */
struct public_key_settings {
	const char *kid;        /* tokens that name it; without one: tokens that name none (JK14) */
	const char *path, *pem; /* one of them */
	const char *algorithm;  /* absent: the only allowed one that fits the key */
};

struct token_settings {              /* one class of tokens: the users', or the workers' */
	const char *public_key_pem;  /* inline PEM, or NULL */
	const char *public_key_path; /* wins over inline */
	const struct public_key_settings *public_keys; /* beside that one, which has no kid */
	size_t public_key_count;
	const char *const *algorithms;
	size_t algorithm_count;        /* 0: RS256 */
	const char *issuer, *audience; /* NULL: tasker-core; tasker-api or tasker-internal */
	const char *permissions_claim; /* a name or path, see claims_find(); NULL: permissions */
	const struct permission_mapping *permission_map; /* users only */
	size_t permission_map_count;                     /* 0: no map */
	const char *tenant_claim;                        /* NULL or "": one tenant "" */
	int64_t leeway_s, max_lifetime_s;                /* 0 is no leeway; and 24 hours */
	bool strict_permissions, require_typ;
	bool keys_awaited; /* they are fetched later: see trust_new() */
};

struct trust;

/* Is a key configured at all, or awaited? Without one there is nobody to trust. */
bool trust_is_configured(const struct token_settings *settings);

/*
 * caller is CALLER_USER or CALLER_SYSTEM. Errors name the setting or file, never key text. With
 * keys_awaited it has no keys yet, and nobody can be judged (503) until trust_with_keys().
 */
MUST_CHECK bool trust_new(const struct token_settings *settings, enum caller_class caller,
        OWNED struct trust **out, struct err *e);
/* The same with keys from elsewhere (a fetched JWK set), which it then owns; the settings' key is
 * ignored. On failure keys stays the caller's. */
MUST_CHECK bool trust_new_with_keys(const struct token_settings *settings, enum caller_class caller,
        struct key_set *keys, OWNED struct trust **out, struct err *e);
/* The rules of t with other keys, which it then owns; NULL: awaited. On failure keys stays the
 * caller's. */
MUST_CHECK bool trust_with_keys(
        const struct trust *t, struct key_set *keys, OWNED struct trust **out, struct err *e);
/* Counted, from any thread: who calls trust_ref() calls trust_free() once more. NULL is fine. */
struct trust *trust_ref(struct trust *t);
void trust_free(struct trust *t);

/* The allow-list of these settings, to import keys with. */
MUST_CHECK bool trust_algorithms(
        const struct token_settings *settings, struct algorithm_set *out, struct err *e);

/* Both live as long as t. No keys (NULL): they are awaited. */
BORROWED const struct key_set *trust_keys(const struct trust *t);
BORROWED const struct claim_rules *trust_rules(const struct trust *t);
bool trust_requires_typ(const struct trust *t);

AUTO_DEFINE(trust, struct trust, trust_free)

#endif

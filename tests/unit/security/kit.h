/* What the security tests share: one moment, keys as sets, and settings that work as they are. */
#ifndef TESTS_UNIT_SECURITY_KIT_H
#define TESTS_UNIT_SECURITY_KIT_H

#include "shared/security/authenticator.h"
#include "shared/security/jws.h"
#include "shared/security/key_set.h"
#include "tests/lib/token_maker.h"

enum { NOW_S = 1800000000 };

/* One key without a kid, as a configured PEM is; the caller frees the set. */
struct key_set *kit_keys(enum token_key which, const char *alg);

/* A set from JWK texts that kit_jwks takes over; NULL ends the list. */
char *kit_jwks(char *first, ...);

/* Users sign RS256 with TOKEN_KEY_RSA, workers EdDSA with TOKEN_KEY_ED25519; strict; no API keys.
 * Texts in it live as long as the process. */
struct security_settings kit_settings(void);

/* They must succeed; the live service is freed by the caller after the authenticator. */
struct security_service *kit_service(const struct security_settings *settings);
struct security_live *kit_live(const struct security_settings *settings);
struct authenticator *kit_authenticator(struct security_live *live);

/* The verdict on these header values (NULL: absent) at NOW_S; *out may be NULL. */
enum verdict kit_present(struct authenticator *a, const char *authorization, const char *key,
        const struct security_context **out);

/* The verdict on an Authorization value "Bearer <token>"; *out (may be NULL) as
 * authenticator_check. */
enum verdict kit_bearer(struct authenticator *a, const char *token, int64_t now_s,
        const struct security_context **out);

/* Opens and checks a token under these keys; the opened token is kept in kit_opened. */
enum verdict kit_jws(const struct key_set *keys, const char *token, size_t len);
extern struct jws kit_opened;
/* The same under one key alone, and the verdict must be wanted; takes the token over. */
void kit_jws_expect(enum token_key which, const char *alg, char *token, enum verdict wanted);

/* Parses payload and checks its claims. DENY_MALFORMED if it is no JSON within the limits. */
enum verdict kit_claims(
        const struct claim_rules *rules, const char *payload, int64_t now_s, struct claims *out);

/*
 * Runs attempt with its first, second, ... allocation of ours failing until none is left, then once
 * for every allocation that OpenSSL makes in it (some of which it can do without). Returns how many
 * of ours failed. attempt must not assert: Check allocates too.
 */
typedef bool (*kit_attempt_fn)(struct err *e);
unsigned kit_torture(kit_attempt_fn attempt);

#endif

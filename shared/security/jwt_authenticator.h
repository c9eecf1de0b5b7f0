/*
 * A bearer JWT in, a context or a reason out: the verifier of one loop, without its cache.
 *
 * The unverified audience chooses between the users' keys and the workers', and decides nothing
 * else: the token must then hold under that ring and that ring's rules, in full. So a token that
 * lies about its audience only picks the lock it does not fit.
 */
#ifndef SHARED_SECURITY_JWT_AUTHENTICATOR_H
#define SHARED_SECURITY_JWT_AUTHENTICATOR_H

#include "shared/security/security_service.h"

struct jwt_authenticator;

/* One accepted token, and what a refused one asks for. */
struct jwt_acceptance {
	const struct security_context *context; /* one reference, the caller's */
	int64_t valid_from_s, valid_until_s;    /* good in [from, until) */
	size_t permissions_ignored;             /* unknown ones in a token that may have them */
	const char *unknown_permission;         /* see claims.h; until the next check */
	const unsigned char *fingerprint; /* of the key that signed it; as long as the service */
	const char *unknown_kid; /* a key that users do not have, maybe a new one; until the next
	                            check */
};

/* service must outlive it. */
MUST_CHECK bool jwt_authenticator_new(const struct security_service *service,
        OWNED struct jwt_authenticator **out, struct err *e);
void jwt_authenticator_free(struct jwt_authenticator *j); /* NULL is fine */

/* Fills *out only for GRANT; for a refusal only unknown_permission or unknown_kid. Is the
 * caller's to zero before. */
MUST_CHECK enum verdict jwt_authenticator_check(struct jwt_authenticator *j, const char *token,
        size_t len, int64_t now_s, struct jwt_acceptance *out);

/* Is the key with this fingerprint still one of those that tokens of this caller may be signed
 * with?
 */
bool jwt_authenticator_has_key(const struct jwt_authenticator *j, enum caller_class caller,
        const unsigned char fingerprint[DIGEST_BYTES]);

AUTO_DEFINE(jwt_authenticator, struct jwt_authenticator, jwt_authenticator_free)

#endif

/*
 * One key, ready to check signatures: OpenSSL's contexts made once and used again and again.
 *
 * EVP_DigestVerifyInit looks its algorithms up each time; a prepared context does not. It is
 * written to while it works, so each loop has its own; the key behind it is shared.
 */
#ifndef SHARED_SECURITY_SIGNATURE_H
#define SHARED_SECURITY_SIGNATURE_H

#include "shared/security/key.h"

struct signature_checker;

/* key must outlive it. */
MUST_CHECK bool signature_checker_new(
        const struct key *key, OWNED struct signature_checker **out, struct err *e);
void signature_checker_free(struct signature_checker *c); /* NULL is fine */

/*
 * Did the key sign exactly these bytes? False also for every length but key_signature_len, an r or
 * s outside 1..n-1, a salt that is not as long as the digest, and when OpenSSL fails.
 */
MUST_CHECK bool signature_checker_holds(struct signature_checker *c, const void *message,
        size_t len, const unsigned char *signature, size_t signature_len);

AUTO_DEFINE(signature_checker, struct signature_checker, signature_checker_free)

#endif

/*
 * Making a key pair, and what tasker-ctl needs a private key for.
 *
 * The daemons never hold a private key; tasker-ctl makes and signs with them. Texts are PEM: PKCS#8
 * ("PRIVATE KEY") and SubjectPublicKeyInfo ("PUBLIC KEY").
 */
#ifndef SHARED_SECURITY_KEY_PAIR_H
#define SHARED_SECURITY_KEY_PAIR_H

#include "shared/base/buf.h"
#include "shared/base/secret.h"
#include "shared/security/algorithm.h"

/* A fresh pair for that algorithm; bits are an RSA key's, as key_vet.h allows, else ERR_LIMIT. */
MUST_CHECK bool key_pair_make(enum algorithm algorithm, unsigned bits,
        OWNED struct secret **private_pem, OWNED char **public_pem, struct err *e);

/*
 * The public half of a private key (PKCS#8, or as OpenSSL wrote it before), and its type.
 * ERR_CRYPTO if the text is something else, encrypted, or not to be trusted; never quotes it.
 */
MUST_CHECK bool key_pair_public(const struct secret *private_pem, enum key_type *type,
        OWNED char **public_pem, struct err *e);

/*
 * Appends the signature of text, for the algorithms that libjwt does not know: PS256, PS384, PS512
 * and EdDSA. ERR_CRYPTO for another one or a key that does not fit.
 */
MUST_CHECK bool key_pair_sign(const struct secret *private_pem, enum algorithm algorithm,
        const struct buf *text, struct buf *signature, struct err *e);

#endif

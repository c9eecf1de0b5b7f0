/*
 * Making an RSA key pair, and looking at a private key without using it.
 *
 * The daemons never hold a private key; tasker-ctl makes and signs with them. Texts are PEM: PKCS#8
 * ("PRIVATE KEY") and SubjectPublicKeyInfo ("PUBLIC KEY").
 */
#ifndef SHARED_SECURITY_KEY_PAIR_H
#define SHARED_SECURITY_KEY_PAIR_H

#include "shared/base/err.h"
#include "shared/base/secret.h"

/* A fresh pair; bits as key_vet.h allows, else ERR_LIMIT. */
MUST_CHECK bool key_pair_make(
        unsigned bits, OWNED struct secret **private_pem, OWNED char **public_pem, struct err *e);

/*
 * The public half of an RSA private key (PKCS#8 or PKCS#1). ERR_CRYPTO if the text is something
 * else, encrypted, or of a size we do not trust; never quotes it.
 */
MUST_CHECK bool key_pair_public(
        const struct secret *private_pem, OWNED char **public_pem, struct err *e);

#endif

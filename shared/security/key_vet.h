/*
 * Is a public key fit to be trusted? OpenSSL asks little when it verifies: an RSA key with e = 1,
 * an Ed25519 identity point or a 512-bit modulus all "work", and forgeries verify under them. So
 * every key passes here once, whether it came as PEM or as JWK (JT23, JK13).
 */
#ifndef SHARED_SECURITY_KEY_VET_H
#define SHARED_SECURITY_KEY_VET_H

#include "shared/security/algorithm.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, ED25519_BYTES = 32 };

struct evp_pkey_st;

/* ERR_CRYPTO says what is wrong with the key, without quoting it; ERR_NOMEM says nothing about the
 * key. pkey is not changed. */
MUST_CHECK bool key_vet(struct evp_pkey_st *pkey, enum key_type *out, struct err *e);

/*
 * OpenSSL has just failed at a key: ERR_CRYPTO and why, if it says that something is wrong, else
 * ERR_NOMEM. OpenSSL's errors, which were none before, are forgotten. Always false.
 */
bool key_vet_failed(struct err *e, const char *why);

/* Is n (big-endian) shaped like a modulus of the ROCA library (CVE-2017-15361)? */
bool key_vet_is_roca(const unsigned char *n, size_t len);

/* Can this Ed25519 key be trusted: canonical, and not one of the points of small order? */
bool key_vet_ed25519(const unsigned char key[ED25519_BYTES]);

#endif

/*
 * One public key, parsed, vetted, and bound to one algorithm for good.
 *
 * Immutable. It is reached only through this handle: no caller ever holds "a pointer and a length"
 * that could be empty and still verify something.
 */
#ifndef SHARED_SECURITY_KEY_H
#define SHARED_SECURITY_KEY_H

#include "shared/security/algorithm.h"
#include "shared/security/digest.h"

enum { KEY_ID_MAX = 256 };

struct evp_pkey_st;
struct key;

/* What stands beside the key material. */
struct key_binding {
	struct algorithm_set allowed;
	enum algorithm declared; /* the JWK's alg; ALGORITHM_NONE: it has none */
	const char *kid;         /* NULL: it has none */
};

/*
 * Vets pkey and binds it (key_vet.h, algorithm_bind). pkey stays the caller's; the key takes a
 * reference of its own. ERR_CRYPTO if it is unfit.
 */
MUST_CHECK bool key_new(struct evp_pkey_st *pkey, const struct key_binding *binding,
        OWNED struct key **out, struct err *e);
void key_free(struct key *k); /* NULL is fine */

enum algorithm key_algorithm(const struct key *k);
BORROWED const char *key_kid(const struct key *k); /* NULL: it has none */
size_t key_signature_len(const struct key *k);     /* the only length a signature may have */
/* SHA-256 of its SubjectPublicKeyInfo: equal for equal keys, whatever format they came in. */
BORROWED const unsigned char *key_fingerprint(const struct key *k);
/* For OpenSSL's calls, which count references in it; never changed. */
BORROWED struct evp_pkey_st *key_openssl(const struct key *k);

AUTO_DEFINE(key, struct key, key_free)

#endif

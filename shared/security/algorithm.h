/*
 * The signature algorithms we know, and which one a key gets.
 *
 * algorithm.def is the only list. There is no HMAC in it and none in this folder, so a public key
 * can never be taken for a shared secret (JT3). An algorithm belongs to a key from the moment the
 * key is read: allowed list ∩ key type must leave exactly one. What a token says about itself is
 * only ever compared with that (RFC 8725 3.1).
 */
#ifndef SHARED_SECURITY_ALGORITHM_H
#define SHARED_SECURITY_ALGORITHM_H

#include <stdint.h>

#include "shared/base/err.h"

enum key_type { KEY_NONE = 0, KEY_RSA, KEY_P256, KEY_P384, KEY_P521, KEY_ED25519 };

enum padding { PADDING_NONE, PADDING_PKCS1, PADDING_PSS };

enum algorithm {
	ALGORITHM_NONE = 0,
#define ALGORITHM(id, spelled, type, digest, padding) ALGORITHM_##id,
#include "shared/security/algorithm.def"
#undef ALGORITHM
	ALGORITHM__COUNT
};

/* An allow-list. All zero allows nothing. */
struct algorithm_set {
	uint32_t bits;
};

/* Exact and case-sensitive (JT1); ALGORITHM_NONE for every other spelling, "none" included. */
enum algorithm algorithm_named(const char *name, size_t len);

const char *algorithm_name(enum algorithm a); /* "RS256"; "none" for ALGORITHM_NONE */
enum key_type algorithm_key_type(enum algorithm a);
const char *algorithm_digest(enum algorithm a); /* OpenSSL's name; NULL: the key hashes itself */
enum padding algorithm_padding(enum algorithm a);

/* ERR_FORMAT for a name that is none of ours; the set is then unchanged. */
MUST_CHECK bool algorithm_set_add(struct algorithm_set *set, const char *name, struct err *e);
bool algorithm_set_has(struct algorithm_set set, enum algorithm a);
/* Everything in the table, for tests and tools. */
struct algorithm_set algorithm_set_all(void);

/*
 * The one algorithm a key of this type is for: the declared one (ALGORITHM_NONE if the key declares
 * none) when it is allowed and fits, else the only allowed one that fits. ERR_CRYPTO if that leaves
 * none, or more than one.
 */
MUST_CHECK bool algorithm_bind(struct algorithm_set allowed, enum key_type type,
        enum algorithm declared, enum algorithm *out, struct err *e);

#endif

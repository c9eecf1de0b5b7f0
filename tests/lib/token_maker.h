/*
 * Tokens and keys for tests: signs any header over any payload, right or wrong.
 *
 * Keys are made once a process, when first asked for; token_maker_prepare() makes them all, so that
 * cases forked later share them. Everything ends the process when OpenSSL fails: a test without
 * its token has nothing to say. Returned texts are the caller's to free unless said otherwise.
 */
#ifndef TESTS_LIB_TOKEN_MAKER_H
#define TESTS_LIB_TOKEN_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_key {
	TOKEN_KEY_RSA,
	TOKEN_KEY_RSA_OTHER, /* what a stranger signs with */
	TOKEN_KEY_P256,
	TOKEN_KEY_P384,
	TOKEN_KEY_P521,
	TOKEN_KEY_K1, /* secp256k1: same sizes as P-256, none of ours */
	TOKEN_KEY_ED25519,
	TOKEN_KEY__COUNT
};

struct evp_pkey_st;

void token_maker_prepare(void);

struct evp_pkey_st *token_key(enum token_key which);

/* "-----BEGIN PUBLIC KEY-----..."; and as PKCS#1, and the private key. */
char *token_key_pem(enum token_key which);
char *token_key_pem_pkcs1(enum token_key which);
char *token_key_pem_private(enum token_key which);

/* {"kty":...,<extra>} with the public members; extra ("\"kid\":\"a\",\"use\":\"sig\"") may be "".
 */
char *token_key_jwk(enum token_key which, const char *extra);

/* How to sign. Zero-initialised but for alg it does what RFC 7518 says. */
struct token_signing {
	const char *alg; /* "RS256", "PS384", "ES256", "EdDSA", ...: the method, not the header */
	bool salted;     /* use salt_len instead of the digest's length */
	int salt_len;
	bool der; /* leave an ECDSA signature in DER */
};

/* header and payload are taken byte for byte. */
char *token_make_signed(enum token_key which, const struct token_signing *how, const char *header,
        const char *payload);
/* {"alg":alg,"typ":"JWT"} over payload, signed by alg. */
char *token_make(enum token_key which, const char *alg, const char *payload);
/* base64url(header).base64url(payload).base64url(signature), whatever they are. */
char *token_join(const char *header, const void *payload, size_t payload_len, const void *signature,
        size_t signature_len);

/* HS256 over header and payload with any bytes as the secret. */
char *token_make_hmac(
        const void *secret, size_t secret_len, const char *header, const char *payload);

/* Changes one character in the middle of the signature into another base64url character. */
void token_spoil(char *token);

/*
 * A payload with iss tasker-core, aud tasker-api, sub, iat now, exp now + 3600, and permissions
 * from a space separated list.
 */
char *token_user_claims(const char *subject, const char *permissions, int64_t now_s);
/* A worker's: aud tasker-internal, sub wrk:<worker>, worker_namespaces from such a list. */
char *token_worker_claims(const char *worker, const char *namespaces, int64_t now_s);

#endif

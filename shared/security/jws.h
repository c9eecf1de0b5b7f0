/*
 * JSON Web Signatures in compact form (RFC 7515 7.1), and only those we would ever accept.
 *
 * Two steps. jws_open reads the form: three non-empty strict base64url parts within limits, a
 * header that is a small strict JSON object. Nothing in it is believed yet. jws_check finds the
 * key, compares the token's algorithm with the key's own, its signature's length with the only one
 * possible, and only then decodes and verifies.
 *
 * The payload is bytes, not JSON: what it means is claims.h's business.
 */
#ifndef SHARED_SECURITY_JWS_H
#define SHARED_SECURITY_JWS_H

#include "shared/base/b64url.h"
#include "shared/security/authorize.h"
#include "shared/security/key_set.h"

enum {
	JWS_TOKEN_MAX = 8192,
	JWS_HEADER_MAX = 1024, /* decoded bytes */
	JWS_PAYLOAD_MAX = B64URL_DECODED(JWS_TOKEN_MAX)
};

enum jws_typ { JWS_TYP_ABSENT = 0, JWS_TYP_JWT, JWS_TYP_OTHER };

/* An opened token. All claims in it are the sender's until jws_check grants. */
struct jws {
	const char *signed_text; /* header.payload, borrowed from the token */
	size_t signed_len;
	const char *signature_text;
	size_t signature_text_len;
	enum algorithm algorithm;
	enum jws_typ typ; /* JWT, at+jwt and application/at+jwt in any case are JWT (JT16) */
	bool has_kid;
	char kid[KEY_ID_MAX + 1];
	unsigned char payload[JWS_PAYLOAD_MAX];
	size_t payload_len;
};

/*
 * GRANT: *out describes the token, which must outlive it. DENY_MALFORMED, DENY_ALGORITHM (none of
 * ours), DENY_UNAVAILABLE (no memory): *out is undefined.
 */
MUST_CHECK enum verdict jws_open(struct jws *out, const char *token, size_t len);

/* The keys of one set, ready for one thread. */
struct jws_verifier;

/* keys must outlive it. */
MUST_CHECK bool jws_verifier_new(
        const struct key_set *keys, OWNED struct jws_verifier **out, struct err *e);
void jws_verifier_free(struct jws_verifier *v); /* NULL is fine */

/*
 * GRANT: the key set's key for this token signed it; *key says which. Else DENY_UNKNOWN_KEY,
 * DENY_ALGORITHM or DENY_SIGNATURE.
 */
MUST_CHECK enum verdict jws_check(
        struct jws_verifier *v, const struct jws *jws, BORROWED const struct key **key);

AUTO_DEFINE(jws_verifier, struct jws_verifier, jws_verifier_free)

#endif

/*
 * Signing tokens: with libjwt, and with OpenSSL what libjwt does not know (PS256 ..., EdDSA). The
 * one file that knows libjwt is sign.c.
 *
 * libjwt is trusted with claims and keys of our own only. What it signs is checked by the daemons'
 * verifier before anybody gets it, so that a token which they would refuse is never handed out.
 */
#ifndef CTL_SIGN_H
#define CTL_SIGN_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/secret.h"
#include "shared/security/algorithm.h"

enum { SIGN_LIST_MAX = 256 }; /* permissions or namespaces in one token */

/* Words of a list given as "a, b,c": trimmed, empty ones left out. Zero-initialised it is empty. */
struct sign_list {
	char *text; /* what the words are in */
	const char *words[SIGN_LIST_MAX];
	size_t count;
};

/* ERR_LIMIT for more than SIGN_LIST_MAX words. given may be NULL: none. */
MUST_CHECK bool sign_list_split(const char *given, struct sign_list *out, struct err *e);
void sign_list_clear(struct sign_list *list);

enum { SIGN_EXTRA_MAX = 32 };

/* A claim that is added: text is JSON if it can be read as that, else a string. */
struct sign_extra {
	const char *name;
	size_t name_len;
	const char *text;
};

struct sign_claims {
	const char *subject, *issuer, *audience;
	const struct sign_list *permissions, *namespaces;
	const char *tenant, *tenant_claim; /* tenant NULL: no such claim */
	int64_t issued_s, expires_s;
	int64_t not_before_s;            /* 0: no nbf */
	const char *kid;                 /* NULL: none */
	enum algorithm algorithm;        /* ALGORITHM_NONE: the usual one of the key's type */
	const struct sign_extra *extras; /* permissions that are empty are left out beside them */
	size_t extra_count;
};

/* A private key from a file, in PEM; at most 64 KiB. */
MUST_CHECK bool sign_key_read(const char *path, OWNED struct secret **out, struct err *e);

/* "name=text"; ERR_FORMAT without a name or an =. */
MUST_CHECK bool sign_extra_split(const char *given, BORROWED struct sign_extra *out, struct err *e);

/* A compact JWS with a fresh jti; its text has a NUL, which counts in its length. */
MUST_CHECK bool sign_token(const struct sign_claims *claims, const struct secret *private_pem,
        OWNED struct secret **out, struct err *e);

static inline void
auto_sign_list_(struct sign_list *list)
{
	sign_list_clear(list);
}

#endif

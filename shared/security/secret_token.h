/*
 * Random bearer secrets: a prefix that says what it opens, and 256 bits.
 *
 * "tk_" is an API key, "ts_" a worker's session; then 43 base64url characters. Neither can be taken
 * for a JWT, which has dots.
 */
#ifndef SHARED_SECURITY_SECRET_TOKEN_H
#define SHARED_SECURITY_SECRET_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	SECRET_TOKEN_LEN = 46,
	SECRET_TOKEN_SIZE = 47 /* with its NUL */
};

enum secret_token_kind { SECRET_TOKEN_API_KEY, SECRET_TOKEN_SESSION };

/* Fills out with a fresh one; whoever holds it wipes it (secret_wipe). */
void secret_token_make(enum secret_token_kind kind, char out[SECRET_TOKEN_SIZE]);

/* Has text the form of such a token? Says nothing about whether anybody issued it. */
bool secret_token_looks_like(enum secret_token_kind kind, const char *text, size_t len);

#endif

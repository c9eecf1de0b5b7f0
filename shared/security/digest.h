/*
 * SHA-256, and its hexadecimal spelling.
 *
 * A struct digest is a reusable machine for one thread: add as often as needed, finish, and it is
 * empty again. A failure inside OpenSSL is sticky until finish reports it, so a writer checks once.
 */
#ifndef SHARED_SECURITY_DIGEST_H
#define SHARED_SECURITY_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

enum {
	DIGEST_BYTES = 32,
	DIGEST_HEX = 65 /* 64 digits and a NUL */
};

struct digest; /* opaque: OpenSSL's context is in digest.c */

MUST_CHECK bool digest_new(OWNED struct digest **out, struct err *e);
void digest_free(struct digest *d); /* NULL is fine */

void digest_add(struct digest *d, const void *bytes, size_t len);
/* Writes the hash of what was added and starts anew; false (out untouched) if OpenSSL failed. */
MUST_CHECK bool digest_finish(struct digest *d, unsigned char out[DIGEST_BYTES]);

/* One shot, for places without a machine at hand; false (out untouched) if OpenSSL failed. */
MUST_CHECK bool digest_of(const void *bytes, size_t len, unsigned char out[DIGEST_BYTES]);

/* Lower-case digits and a NUL. */
void digest_hex(const unsigned char digest[DIGEST_BYTES], char out[DIGEST_HEX]);
/* The reverse: exactly 64 hexadecimal digits of either case, else false and out untouched. */
MUST_CHECK bool digest_from_hex(const char *hex, size_t len, unsigned char out[DIGEST_BYTES]);

AUTO_DEFINE(digest, struct digest, digest_free)

#endif

/* base64url without padding (RFC 4648 section 5, RFC 7515 appendix C), strictly. */
#ifndef SHARED_BASE_B64URL_H
#define SHARED_BASE_B64URL_H

#include <stdbool.h>
#include <stddef.h>

#define B64URL_DECODED(len) ((len) / 4 * 3 + 2)
#define B64URL_ENCODED(len) (((len)*4 + 2) / 3)

/*
 * Refuses padding, foreign bytes, a length of 1 mod 4 and unused bits that are
 * not zero, so each byte string has exactly one spelling. out holds
 * B64URL_DECODED(len) bytes; *out_len is set on success only.
 */
bool b64url_decode(const char *text, size_t len, unsigned char *out, size_t *out_len);

/* out holds B64URL_ENCODED(len) characters; no NUL is written. Returns that length. */
size_t b64url_encode(const unsigned char *bytes, size_t len, char *out);

#endif

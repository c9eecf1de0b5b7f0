#include "shared/base/b64url.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The six bits of the characters from '-' on, plus one, so that 0 says "foreign". */
enum { FIRST = '-' };
static const unsigned char values[] = {63, 0, 0, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 0, 0, 0, 0,
        0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
        24, 25, 26, 0, 0, 0, 0, 64, 0, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41,
        42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52};

bool
b64url_decode(const char *text, size_t len, unsigned char *out, size_t *out_len)
{
	uint32_t bits = 0;
	unsigned have = 0; /* bits not yet written; at most 6 between characters */
	size_t n = 0;

	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned at = (unsigned char)text[i] - (unsigned)FIRST;
		unsigned value = at < sizeof(values) ? values[at] : 0;

		if (value == 0)
			return false;
		bits = bits << 6 | (value - 1);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[n++] = (unsigned char)(bits >> have);
	}
	if ((bits & ((1U << have) - 1)) != 0)
		return false;
	*out_len = n;
	return true;
}

size_t
b64url_encode(const unsigned char *bytes, size_t len, char *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (have += 8; have >= 6; have -= 6)
			out[n++] = alphabet[bits >> (have - 6) & 63];
	}
	if (have > 0)
		out[n++] = alphabet[bits << (6 - have) & 63];
	return n;
}

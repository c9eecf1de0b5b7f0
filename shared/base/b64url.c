#include "shared/base/b64url.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The six bits of each character up to z plus one, so that 0 says "foreign". */
static const unsigned char values[256] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 53,
        54, 55, 56, 57, 58, 59, 60, 61, 62, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
        12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 0, 0, 0, 0, 64, 0, 27, 28, 29,
        30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52};

/* More than 63: a foreign one. */
static uint32_t
six_bits(char c)
{
	return values[(unsigned char)c] - UINT32_C(1);
}

/* Whole groups of four characters, then the two or three that may be left. */
bool
b64url_decode(const char *text, size_t len, unsigned char *out, size_t *out_len)
{
	const size_t left = len % 4;
	uint32_t seen = 0, bits = 0;
	unsigned char *at = out;

	if (left == 1)
		return false;
	for (const char *end = text + (len - left); text < end; text += 4) {
		const uint32_t a = six_bits(text[0]), b = six_bits(text[1]), c = six_bits(text[2]),
		               d = six_bits(text[3]);

		seen |= a | b | c | d;
		bits = a << 18 | b << 12 | c << 6 | d;
		*at++ = (unsigned char)(bits >> 16);
		*at++ = (unsigned char)(bits >> 8);
		*at++ = (unsigned char)bits;
	}
	bits = 0;
	for (size_t i = 0; i < left; i++) {
		seen |= six_bits(text[i]);
		bits = bits << 6 | six_bits(text[i]);
	}
	if (left > 0)
		*at++ = (unsigned char)(bits >> (left == 2 ? 4 : 10));
	if (left == 3)
		*at++ = (unsigned char)(bits >> 2);
	if (seen > 63 || (bits & (left == 2 ? 15U : 3U)) != 0)
		return false;
	*out_len = (size_t)(at - out);
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

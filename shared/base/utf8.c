#include "shared/base/utf8.h"

size_t
utf8_next(const char *text, size_t len, uint32_t *code_point)
{
	const unsigned char *at = (const unsigned char *)text;
	/* The second byte's range says all there is about overlong forms and surrogates. */
	unsigned char low = 0x80, high = 0xbf;
	size_t want;
	uint32_t c = at[0];

	if (c < 0x80) {
		*code_point = c;
		return 1;
	}
	*code_point = UTF8_BAD;
	if (c < 0xc2 || c > 0xf4)
		return 1;
	want = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	c &= 0x7fU >> want;
	for (size_t i = 1; i < want; i++) {
		if (i == len || at[i] < low || at[i] > high)
			return i;
		c = c << 6 | (at[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*code_point = c;
	return want;
}

size_t
utf8_put(uint32_t code_point, char out[4])
{
	if (code_point < 0x80) {
		out[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (char)(0xc0 | code_point >> 6);
		out[1] = (char)(0x80 | (code_point & 0x3f));
		return 2;
	}
	if (code_point < 0x10000) {
		out[0] = (char)(0xe0 | code_point >> 12);
		out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code_point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code_point >> 18);
	out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code_point & 0x3f));
	return 4;
}

bool
utf8_valid(const char *text, size_t len)
{
	uint32_t c;

	for (size_t at = 0; at < len;) {
		at += utf8_next(text + at, len - at, &c);
		if (c == UTF8_BAD)
			return false;
	}
	return true;
}

#include "shared/base/json_text.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/base/utf8.h"

enum { ESCAPE = 2, UNICODE_ESCAPE = 6 }; /* lengths of \n and \u000a */

/* The 16 bits of \uXXXX at text, or -1. */
static int
unit(const char *text, size_t len)
{
	int value = 0;

	if (len < UNICODE_ESCAPE || text[0] != '\\' || text[1] != 'u')
		return -1;
	for (size_t i = 2; i < UNICODE_ESCAPE; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* The code point that the \u escapes at text stand for, one or a surrogate pair; NULL if good. */
static const char *
unicode_escape(const char *text, size_t len, size_t *used, uint32_t *code_point)
{
	int high = unit(text, len), low;

	if (high < 0)
		return "four hexadecimal digits must follow \\u";
	if (high == 0)
		return "U+0000 in a string";
	*used = UNICODE_ESCAPE;
	*code_point = (uint32_t)high;
	if (high < 0xd800 || high > 0xdfff)
		return NULL;
	low = unit(text + UNICODE_ESCAPE, len - UNICODE_ESCAPE);
	if (high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return "a lone surrogate";
	*used = (size_t)2 * UNICODE_ESCAPE;
	*code_point = 0x10000 + (((uint32_t)high & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
	return NULL;
}

static const char *
escape(const char *text, size_t len, size_t *used)
{
	uint32_t code_point;

	if (len < ESCAPE)
		return "a string without an end";
	if (text[1] == 'u')
		return unicode_escape(text, len, used, &code_point);
	if (text[1] == '\0' || strchr("\"\\/bfnrt", text[1]) == NULL)
		return "no such escape";
	*used = ESCAPE;
	return NULL;
}

/* One character or escape of a string; NULL if good. */
static const char *
character(const char *text, size_t len, size_t *used)
{
	uint32_t code_point;

	if (*text == '\\')
		return escape(text, len, used);
	if ((unsigned char)*text < 0x20)
		return "a control character in a string";
	*used = utf8_next(text, len, &code_point);
	return code_point == UTF8_BAD ? "invalid UTF-8" : NULL;
}

const char *
json_text_scan(const char *text, size_t len, size_t *used, struct json_text *found)
{
	const char *why = NULL;
	bool escaped = false;
	size_t at = 1, step = 0;

	assert(len > 0 && text[0] == '"');
	for (; at < len && text[at] != '"'; at += step) {
		unsigned char c = (unsigned char)text[at];

		step = 1;
		if (c >= 0x20 && c < 0x80 && c != '\\')
			continue;
		escaped |= c == '\\';
		why = character(text + at, len - at, &step);
		if (why != NULL)
			break;
	}
	if (why == NULL && at >= len)
		why = "a string without an end";
	*used = why == NULL ? at + 1 : at;
	if (why == NULL)
		*found = (struct json_text){.raw = text + 1, .len = at - 1, .escaped = escaped};
	return why;
}

static size_t
digits(const char *text, size_t len, size_t at)
{
	while (at < len && text[at] >= '0' && text[at] <= '9')
		at++;
	return at;
}

/* Without an exponent, fewer digits than this are always within the range of a double. */
enum { FINITE_DIGITS = 308 };

/* Where the digits that follow text[at], a dot or an E with its sign, begin. */
static size_t
past_mark(const char *text, size_t len, size_t at)
{
	bool sign = text[at] != '.' && at + 1 < len && (text[at + 1] == '+' || text[at + 1] == '-');

	return at + (sign ? 2 : 1);
}

const char *
json_number_scan(const char *text, size_t len, size_t *used)
{
	size_t start = len > 0 && text[0] == '-' ? 1 : 0, before = start;
	size_t at = digits(text, len, start);
	bool far = false;
	double value;

	if (at > start + 1 && text[start] == '0') {
		*used = start;
		return "a number begins with 0";
	}
	if (at > before && at < len && text[at] == '.') {
		before = past_mark(text, len, at);
		at = digits(text, len, before);
	}
	if (at > before && at < len && (text[at] | 0x20) == 'e') {
		far = true;
		before = past_mark(text, len, at);
		at = digits(text, len, before);
	}
	*used = at;
	if (at == before)
		return "a digit is missing";
	if ((far || at > FINITE_DIGITS) && !json_number_double(text, at, &value)) {
		*used = 0;
		return "a number beyond the range of a double";
	}
	return NULL;
}

/*
 * A double is decided by its first 768 significant digits and whether anything but zeros
 * follows. So a number of any length is brought to at most KEPT digits, of which the last
 * stands for all that were left out, times a power of ten.
 */
enum { KEPT = 770, EXPONENT_FAR = 100000 };

struct decimal {
	char digits[KEPT + 32]; /* room for "e-2147483648" behind the digits */
	size_t count;
	int64_t exponent;
};

static void
take_digits(struct decimal *d, const char *text, size_t len, bool fraction)
{
	for (size_t i = 0; i < len; i++) {
		if (fraction)
			d->exponent--;
		if (d->count == 0 && text[i] == '0')
			continue;
		if (d->count < KEPT) {
			d->digits[d->count++] = text[i];
			continue;
		}
		d->exponent++;
		if (text[i] != '0')
			d->digits[KEPT - 1] = '1';
	}
}

/* The digits of an exponent; far beyond any double it stays where it is. */
static int64_t
exponent_of(const char *text, size_t len)
{
	bool negative = len > 0 && text[0] == '-';
	int64_t n = 0;

	for (size_t i = len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0; i < len; i++)
		if (n < INT64_MAX / 100)
			n = n * 10 + (text[i] - '0');
	return negative ? -n : n;
}

bool
json_number_double(const char *text, size_t len, double *out)
{
	struct decimal d = {.count = 0};
	size_t start = text[0] == '-' ? 1 : 0, whole = digits(text, len, start), at = whole;
	double value = 0;

	take_digits(&d, text + start, whole - start, false);
	if (at < len && text[at] == '.') {
		size_t end = digits(text, len, at + 1);

		take_digits(&d, text + at + 1, end - at - 1, true);
		at = end;
	}
	if (at < len)
		d.exponent += exponent_of(text + at + 1, len - at - 1);
	if (d.count > 0) {
		int64_t far = d.exponent > EXPONENT_FAR    ? EXPONENT_FAR
		              : d.exponent < -EXPONENT_FAR ? -EXPONENT_FAR
		                                           : d.exponent;

		(void)snprintf(d.digits + d.count, sizeof(d.digits) - d.count, "e%d", (int)far);
		value = strtod(d.digits, NULL);
	}
	if (!isfinite(value))
		return false;
	*out = start == 1 ? -value : value;
	return true;
}

struct json_chars
json_chars_of(struct json_text text)
{
	return (struct json_chars){
	        .at = text.raw, .end = text.raw + text.len, .escaped = text.escaped};
}

int
json_chars_next(struct json_chars *c)
{
	static const char plain[128] = {['"'] = '"',
	        ['\\'] = '\\',
	        ['/'] = '/',
	        ['b'] = '\b',
	        ['f'] = '\f',
	        ['n'] = '\n',
	        ['r'] = '\r',
	        ['t'] = '\t'};
	uint32_t code_point;
	size_t used = 0;

	if (c->given < c->count)
		return (unsigned char)c->held[c->given++];
	if (c->at == c->end)
		return -1;
	if (!c->escaped || *c->at != '\\')
		return (unsigned char)*c->at++;
	if (c->at[1] != 'u') {
		c->at += ESCAPE;
		return plain[(unsigned char)c->at[-1] & 127];
	}
	if (unicode_escape(c->at, (size_t)(c->end - c->at), &used, &code_point) != NULL)
		return -1; /* cannot be: the token was checked */
	c->at += used;
	c->count = utf8_put(code_point, c->held);
	c->given = 1;
	return (unsigned char)c->held[0];
}

int
json_text_compare(struct json_text a, struct json_text b)
{
	struct json_chars left = json_chars_of(a), right = json_chars_of(b);
	size_t shared = a.len < b.len ? a.len : b.len;
	int x, y;

	if (!a.escaped && !b.escaped) {
		x = shared > 0 ? memcmp(a.raw, b.raw, shared) : 0;
		return x != 0 ? x : (a.len > b.len) - (a.len < b.len);
	}
	do {
		x = json_chars_next(&left);
		y = json_chars_next(&right);
	} while (x == y && x >= 0);
	return x - y;
}

bool
json_text_same(struct json_text a, struct json_text b)
{
	if (!a.escaped && !b.escaped)
		return a.len == b.len && memcmp(a.raw, b.raw, a.len) == 0;
	return json_text_compare(a, b) == 0;
}

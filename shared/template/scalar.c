#include "shared/template/scalar.h"

#include <inttypes.h>
#include <string.h>

static bool
is_one_of(const char *text, size_t len, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return true;
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
digits(const char *text, size_t len, size_t from)
{
	size_t n = 0;

	while (from + n < len && is_digit(text[from + n]))
		n++;
	return n;
}

/* The parts of [-+]? digits [. digits] [eE [-+]? digits], as lengths into the text. */
struct decimal {
	size_t sign, whole, point, fraction, exponent;
};

static bool
split_decimal(const char *text, size_t len, struct decimal *d)
{
	size_t at;

	*d = (struct decimal){.sign = len > 0 && (text[0] == '-' || text[0] == '+')};
	d->whole = digits(text, len, d->sign);
	at = d->sign + d->whole;
	if (at < len && text[at] == '.') {
		d->point = 1;
		d->fraction = digits(text, len, at + 1);
		at += 1 + d->fraction;
	}
	if (d->whole + d->fraction == 0)
		return false;
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		size_t sign = at + 1 < len && (text[at + 1] == '-' || text[at + 1] == '+');
		size_t n = digits(text, len, at + 1 + sign);

		if (n == 0)
			return false;
		d->exponent = 1 + sign + n;
		at += d->exponent;
	}
	return at == len;
}

/* RFC 8259 section 6 wants no plus, no leading zero and a digit on each side of the point. */
static void
put_decimal(const char *text, const struct decimal *d, struct buf *json)
{
	const char *whole = text + d->sign;
	size_t len = d->whole;

	while (len > 1 && *whole == '0') {
		whole++;
		len--;
	}
	if (d->sign && text[0] == '-')
		buf_char(json, '-');
	buf_add(json, len > 0 ? whole : "0", len > 0 ? len : 1);
	if (d->point) {
		buf_char(json, '.');
		buf_add(json, d->fraction > 0 ? text + d->sign + d->whole + 1 : "0",
		        d->fraction > 0 ? d->fraction : 1);
	}
	buf_add(json, text + d->sign + d->whole + d->point + d->fraction, d->exponent);
}

static int
digit_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* 0o17 and 0x1F; *fits says whether 64 bits hold it. */
static bool
read_based(const char *text, size_t len, uint64_t *out, bool *fits)
{
	unsigned base =
	        len > 2 && text[0] == '0' ? (text[1] == 'x') * 16u + (text[1] == 'o') * 8u : 0;
	uint64_t value = 0;

	if (base == 0)
		return false;
	*fits = true;
	for (size_t i = 2; i < len; i++) {
		int digit = digit_value(text[i]);

		if (digit >= (int)base)
			return false;
		if (__builtin_mul_overflow(value, base, &value) ||
		        __builtin_add_overflow(value, (unsigned)digit, &value))
			*fits = false;
	}
	*out = value;
	return true;
}

bool
scalar_resolve(const char *text, size_t len, enum tree_kind *kind, struct buf *json)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const trues[] = {"true", "True", "TRUE"};
	static const char *const falses[] = {"false", "False", "FALSE"};
	static const char *const unsayable[] = {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF",
	        "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};
	struct decimal decimal;
	uint64_t value = 0;
	bool fits = true;

	*kind = TREE_STRING;
	if (is_one_of(text, len, nulls, COUNT(nulls)))
		*kind = TREE_NULL;
	else if (is_one_of(text, len, trues, COUNT(trues)))
		*kind = TREE_TRUE;
	else if (is_one_of(text, len, falses, COUNT(falses)))
		*kind = TREE_FALSE;
	else if (is_one_of(text, len, unsayable, COUNT(unsayable)))
		return false;
	else if (split_decimal(text, len, &decimal)) {
		*kind = TREE_NUMBER;
		put_decimal(text, &decimal, json);
	} else if (read_based(text, len, &value, &fits)) {
		*kind = TREE_NUMBER;
		buf_format(json, "%" PRIu64, value);
	}
	return fits;
}

/* Values of a parsed document as C values; built on what json.h says, not on how json.c does it. */
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"

static bool
is_text(const struct json_node *n)
{
	return n != NULL && json_kind(n) == JSON_STRING;
}

const struct json_node *
json_member(const struct json *doc, const struct json_node *obj, const char *name)
{
	const struct json_text wanted = {.raw = name, .len = strlen(name)};
	const struct json_node *v;

	if (obj == NULL || json_kind(obj) != JSON_OBJECT)
		return NULL;
	for (v = json_first(doc, obj); v != NULL; v = json_next(doc, v))
		if (json_text_same(json_text_of(doc, json_name(doc, v)), wanted))
			break;
	return v;
}

bool
json_string(const struct json *doc, const struct json_node *n, struct buf *out)
{
	struct json_text text;
	struct json_chars chars;

	if (!is_text(n))
		return false;
	text = json_text_of(doc, n);
	if (!text.escaped) {
		buf_add(out, text.raw, text.len);
		return true;
	}
	chars = json_chars_of(text);
	for (int c = json_chars_next(&chars); c >= 0; c = json_chars_next(&chars))
		buf_char(out, (char)c);
	return true;
}

bool
json_string_is(const struct json *doc, const struct json_node *n, const char *text)
{
	const struct json_text wanted = {.raw = text, .len = strlen(text)};

	return is_text(n) && json_text_same(json_text_of(doc, n), wanted);
}

char *
json_string_copy(const struct json *doc, const struct json_node *n, size_t max)
{
	struct buf copy = BUF(max);

	/* A copy that is too long or has no memory has failed, and gives NULL. */
	return json_string(doc, n, &copy) ? buf_take_text(&copy) : NULL;
}

bool
json_int64(const struct json *doc, const struct json_node *n, int64_t *out)
{
	const char *text;
	size_t len, at;
	int64_t value = 0;

	if (n == NULL || json_kind(n) != JSON_NUMBER)
		return false;
	text = json_raw(doc, n, &len);
	/* Counted downwards, because the smallest integer has no positive twin. */
	for (at = text[0] == '-' ? 1 : 0; at < len; at++) {
		if (text[at] < '0' || text[at] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		        __builtin_sub_overflow(value, text[at] - '0', &value))
			return false;
	}
	if (text[0] != '-' && __builtin_sub_overflow(0, value, &value))
		return false;
	*out = value;
	return true;
}

bool
json_double(const struct json *doc, const struct json_node *n, double *out)
{
	const char *text;
	size_t len;

	if (n == NULL || json_kind(n) != JSON_NUMBER)
		return false;
	text = json_raw(doc, n, &len);
	return json_number_double(text, len, out);
}

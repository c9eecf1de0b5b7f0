/*
 * The query of a target, strictly (HP13): each parameter is one that the route knows and comes
 * once, its escapes are whole, without NUL, and UTF-8. '+' is a space, as in forms. The first
 * parameter that breaks this ends the reading, so nobody makes us read more than the route knows. A
 * key that is not known is named in no answer: the answer names those that are.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/base/utf8.h"
#include "shared/gate/request_state.h"

struct query {
	const char *const *names;
	size_t count;
	const char **values;
	char *out; /* where the next decoded text goes */
};

/* Decodes into q->out and ends it with a NUL; the text, or NULL if it is not fit. */
static char *
decode(struct query *q, struct span raw)
{
	char *const text = q->out;
	char *to = text;

	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.text[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			const int high = i + 2 < raw.len ? hex_digit(raw.text[i + 1]) : -1;
			const int low = i + 2 < raw.len ? hex_digit(raw.text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0')
			return NULL;
		*to++ = c;
	}
	if (!utf8_valid(text, (size_t)(to - text)))
		return NULL;
	*to++ = '\0';
	q->out = to;
	return text;
}

/* One "key=value"; NULL when it is taken, else what is wrong with it. */
static const char *
take(struct query *q, struct span parameter)
{
	const char *equals = memchr(parameter.text, '=', parameter.len);
	struct span raw_key = parameter, raw_value = {parameter.text + parameter.len, 0};
	const char *key, *value;

	if (equals != NULL) {
		raw_key.len = (size_t)(equals - parameter.text);
		raw_value.text = equals + 1;
		raw_value.len = parameter.len - raw_key.len - 1;
	}
	key = decode(q, raw_key);
	value = key == NULL ? NULL : decode(q, raw_value);
	if (value == NULL)
		return "An escape in the query is not whole, or not UTF-8, or stands for NUL";
	for (size_t i = 0; i < q->count; i++) {
		if (strcmp(q->names[i], key) != 0)
			continue;
		if (q->values[i] != NULL)
			return "A query parameter was given twice";
		q->values[i] = value;
		return NULL;
	}
	return "A query parameter is not known here";
}

static const char *
take_all(struct query *q, struct span query)
{
	const char *at = query.text, *const end = query.text + query.len;

	for (;;) {
		const char *stop = memchr(at, '&', (size_t)(end - at));
		const char *wrong;

		if (stop == NULL)
			stop = end;
		wrong = take(q, (struct span){at, (size_t)(stop - at)});
		if (wrong != NULL || stop == end)
			return wrong;
		at = stop + 1;
	}
}

static void
refuse(struct request *req, const struct query *q, const char *wrong)
{
	struct buf known = BUF(PROBLEM_TEXT_MAX);

	for (size_t i = 0; i < q->count; i++)
		buf_format(&known, "%s%s", i == 0 ? "" : ", ", q->names[i]);
	if (known.len > 0 && buf_ok(&known))
		request_problem(req, 400, "BAD_REQUEST", "%s; this route takes: %.*s", wrong,
		        (int)known.len, known.data);
	else
		request_problem(req, 400, "BAD_REQUEST", "%s", wrong);
	buf_free(&known);
}

bool
request_query(
        struct request *req, const char *const *names, size_t count, BORROWED const char **values)
{
	const struct span raw = exchange_head(req->exchange)->query;
	struct query q = {.names = names, .count = count, .values = values};
	const char *wrong;

	assert(req->query == NULL);
	for (size_t i = 0; i < count; i++)
		values[i] = NULL;
	if (raw.len == 0)
		return true;
	/* Two texts and their NULs for each parameter that is known, and for one that is not. */
	req->query = malloc(raw.len + 2 * (count + 1));
	if (req->query == NULL) {
		request_verdict(req, VERDICT_DENY_UNAVAILABLE);
		return false;
	}
	q.out = req->query;
	wrong = take_all(&q, raw);
	if (wrong != NULL)
		refuse(req, &q, wrong);
	return wrong == NULL;
}

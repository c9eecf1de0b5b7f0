#include "shared/base/json_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/utf8.h"

struct json_out
json_out_on(struct buf *buf)
{
	return (struct json_out){.buf = buf};
}

/* Eight bytes at once: does each stand for itself in a string? DEL and what is not ASCII do not. */
static inline bool
plain8(const char *bytes)
{
	uint8_t word __attribute__((vector_size(8)));
	uint64_t special;

	memcpy(&word, bytes, sizeof(word));
	special = (uint64_t)((word < 0x20) | (word > 0x7e) | (word == '"') | (word == '\\'));
	return special == 0;
}

/* ASCII that stands for itself, which nearly all text is: told without decoding. */
static bool
is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static bool
all_plain(const char *text, size_t len)
{
	size_t at = 0;

	if (len < 8) {
		while (at < len && is_plain(text[at]))
			at++;
		return at == len;
	}
	for (; at < len - 8; at += 8)
		if (!plain8(text + at))
			return false;
	return plain8(text + len - 8);
}

/* A name or a string with its quotes, the comma before it and the colon behind it. Plain text,
 * which is usual, is put in one piece. */
static void
put_string(struct buf *b, bool comma, const char *text, size_t len, bool colon)
{
	const bool plain = all_plain(text, len);
	const size_t before = comma ? 2 : 1, after = colon ? 2 : 1;
	char *at = buf_room(b, before + (plain ? len + after : 0));

	if (at == NULL)
		return;
	if (comma)
		*at++ = ',';
	*at++ = '"';
	if (!plain) {
		b->len = (size_t)(at - b->data);
		json_escape(b, text, len);
		buf_add(b, "\":", after);
		return;
	}
	if (len > 0) /* text may be NULL then */
		memcpy(at, text, len);
	at += len;
	*at++ = '"';
	if (colon)
		*at++ = ':';
	b->len = (size_t)(at - b->data);
}

/* What stands before each value: a comma if it has a sibling, and its name if it has one. */
static void
lead(struct json_out *w, const char *key)
{
	if (key != NULL)
		put_string(w->buf, w->comma, key, strlen(key), true);
	else if (w->comma)
		buf_char(w->buf, ',');
	w->comma = true;
}

void
json_open(struct json_out *w, const char *key, char bracket)
{
	lead(w, key);
	buf_char(w->buf, bracket);
	w->comma = false;
}

void
json_close(struct json_out *w, char bracket)
{
	buf_char(w->buf, bracket);
	w->comma = true;
}

void
json_put_text(struct json_out *w, const char *key, const char *text)
{
	if (text == NULL)
		json_put_null(w, key);
	else
		json_put_bytes(w, key, text, strlen(text));
}

void
json_put_bytes(struct json_out *w, const char *key, const char *text, size_t len)
{
	lead(w, key);
	put_string(w->buf, false, text, len, false);
}

void
json_put_int(struct json_out *w, const char *key, int64_t n)
{
	lead(w, key);
	buf_int(w->buf, n);
}

void
json_put_double(struct json_out *w, const char *key, double n)
{
	char text[40];

	if (!isfinite(n)) {
		json_put_null(w, key);
		return;
	}
	if (fabs(n) < 1e15 && n - trunc(n) == 0 && !signbit(n)) {
		json_put_int(w, key, (int64_t)n);
		return;
	}
	/* 15 digits when they say it exactly (0.1), else the 17 that always do. */
	(void)snprintf(text, sizeof(text), "%.15g", n);
	if (strtod(text, NULL) < n || strtod(text, NULL) > n)
		(void)snprintf(text, sizeof(text), "%.17g", n);
	lead(w, key);
	buf_text(w->buf, text);
}

void
json_put_bool(struct json_out *w, const char *key, bool b)
{
	lead(w, key);
	buf_text(w->buf, b ? "true" : "false");
}

void
json_put_null(struct json_out *w, const char *key)
{
	lead(w, key);
	buf_text(w->buf, "null");
}

void
json_put_time(struct json_out *w, const char *key, int64_t wall_us)
{
	char text[CLOCK_TEXT];

	if (wall_us == 0) {
		json_put_null(w, key);
		return;
	}
	clock_text(wall_us, text);
	json_put_text(w, key, text);
}

void
json_put_raw(struct json_out *w, const char *key, const char *json, size_t len)
{
	if (len == 0) {
		json_put_null(w, key);
		return;
	}
	lead(w, key);
	buf_add(w->buf, json, len);
}

static void
escape_one(struct buf *buf, uint32_t c)
{
	static const char hex[] = "0123456789abcdef";
	static const char *const brief[128] = {['"'] = "\\\"",
	        ['\\'] = "\\\\",
	        ['\b'] = "\\b",
	        ['\f'] = "\\f",
	        ['\n'] = "\\n",
	        ['\r'] = "\\r",
	        ['\t'] = "\\t"};
	const char spelled[6] = {
	        '\\', 'u', hex[c >> 12 & 15], hex[c >> 8 & 15], hex[c >> 4 & 15], hex[c & 15]};

	if (c < COUNT(brief) && brief[c] != NULL)
		buf_add(buf, brief[c], 2);
	else
		buf_add(buf, spelled, sizeof(spelled));
}

/*
 * Beyond what RFC 8259 section 7 demands, these are escaped because somebody who reads the line
 * would obey them: DEL, the C1 controls (a terminal takes U+009B for ESC [), and the two line
 * separators of JavaScript.
 */
static bool
needs_escape(uint32_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c <= 0x9f) || c == 0x2028 ||
	       c == 0x2029;
}

void
json_escape(struct buf *buf, const char *text, size_t len)
{
	size_t start = 0, at = 0, step;
	uint32_t c;

	if (len == 0)
		return; /* text may be NULL then */
	while (at < len) {
		if (is_plain(text[at])) {
			at++;
			continue;
		}
		step = utf8_next(text + at, len - at, &c);
		if (c != UTF8_BAD && !needs_escape(c)) {
			at += step;
			continue;
		}
		buf_add(buf, text + start, at - start);
		if (c == UTF8_BAD)
			buf_add(buf, "\xef\xbf\xbd", 3);
		else
			escape_one(buf, c);
		at += step;
		start = at;
	}
	buf_add(buf, text + start, len - start);
}

#include "shared/base/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 512 };

/* Makes cap at least want bytes; the caller has compared want with the ceiling. */
static bool
grow(struct buf *b, size_t want, size_t ceiling)
{
	size_t cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
	char *data;

	while (cap < want && cap <= ceiling / 2)
		cap *= 2;
	if (cap < want || cap > ceiling)
		cap = ceiling;
	data = realloc(b->data, cap);
	if (data == NULL) {
		b->failed = b->starved = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

char *
buf_room(struct buf *b, size_t len)
{
	if (b->failed)
		return NULL;
	if (b->data != NULL && len <= b->cap - b->len)
		return b->data + b->len;
	if (b->len > b->max || len > b->max - b->len || b->max == 0) {
		b->failed = true;
		return NULL;
	}
	if (!grow(b, b->len + len, b->max))
		return NULL;
	return b->data + b->len;
}

void
buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *room;

	if (len == 0)
		return;
	room = buf_room(b, len);
	if (room == NULL)
		return;
	memcpy(room, bytes, len);
	b->len += len;
}

void
buf_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_int(struct buf *b, int64_t n)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (n < 0)
		digits[--at] = '-';
	buf_add(b, digits + at, sizeof(digits) - at);
}

void
buf_format(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;
	char *room;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	/* One byte more than we keep: vsnprintf ends its text with a NUL. */
	room = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
	if (room != NULL) {
		(void)vsnprintf(room, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = b->starved = false;
}

void
buf_drop(struct buf *b, size_t len)
{
	if (len >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
	b->failed = b->starved = false;
}

char *
buf_take_text(struct buf *b)
{
	char *text;

	/* The NUL does not count against the ceiling. */
	if (b->failed || (b->cap - b->len < 1 && !grow(b, b->len + 1, b->len + 1))) {
		buf_free(b);
		return NULL;
	}
	b->data[b->len] = '\0';
	text = b->data;
	b->data = NULL;
	b->len = b->cap = 0;
	return text;
}

#include "worker/runner/lines.h"

#include <string.h>

/* How many bytes may wait beside one line of full length. */
enum { CHUNK_MAX = 65536 };

struct lines
lines_new(size_t max)
{
	return (struct lines){.buf = BUF(max + 2 * (size_t)CHUNK_MAX), .max = max};
}

void
lines_free(struct lines *l)
{
	buf_free(&l->buf);
}

enum lines_got
lines_add(struct lines *l, const char *bytes, size_t len)
{
	buf_drop(&l->buf, l->at);
	l->scanned -= l->at;
	l->at = 0;
	buf_add(&l->buf, bytes, len);
	return buf_ok(&l->buf) ? LINES_NONE : LINES_NOMEM;
}

/* The rest of a line that was too long is dropped as it comes. */
static void
skip(struct lines *l)
{
	const char *start = l->buf.data + l->at;
	const char *end = memchr(start, '\n', l->buf.len - l->at);

	if (end == NULL) {
		l->at = l->buf.len;
	} else {
		l->at += (size_t)(end - start) + 1;
		l->skipping = false;
	}
	l->scanned = l->at;
}

enum lines_got
lines_next(struct lines *l, BORROWED const char **line, size_t *len)
{
	const char *end;
	size_t start;

	if (l->skipping && l->at < l->buf.len)
		skip(l);
	if (l->at == l->buf.len)
		return LINES_NONE;
	end = memchr(l->buf.data + l->scanned, '\n', l->buf.len - l->scanned);
	l->scanned = end == NULL ? l->buf.len : (size_t)(end - l->buf.data);
	if (l->scanned - l->at > l->max) {
		l->skipping = true;
		skip(l);
		return LINES_TOO_LONG;
	}
	if (end == NULL)
		return LINES_NONE;
	start = l->at;
	l->at = l->scanned = l->scanned + 1;
	*line = l->buf.data + start;
	*len = l->at - start - 1;
	return LINES_LINE;
}

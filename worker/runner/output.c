#include "worker/runner/output.h"

#include <inttypes.h>
#include <string.h>

#include "shared/base/utf8.h"

struct output
output_new(size_t keep)
{
	/* The tail is cut back to half of its room when it is full, so adding stays linear. */
	return (struct output){.head = BUF(keep / 2), .tail = BUF(keep - keep / 2 + KIB(64))};
}

void
output_free(struct output *o)
{
	buf_free(&o->head);
	buf_free(&o->tail);
}

static size_t
tail_keeps(const struct output *o)
{
	return o->tail.max - KIB(64);
}

void
output_add(struct output *o, const char *bytes, size_t len)
{
	const size_t room = o->head.max - o->head.len;
	const size_t first = len < room ? len : room;
	const size_t keep = tail_keeps(o);
	size_t rest = len - first;

	o->total += len;
	buf_add(&o->head, bytes, first);
	if (rest == 0)
		return;
	bytes += len - rest;
	if (rest > keep) {
		bytes += rest - keep;
		rest = keep;
	}
	if (o->tail.len + rest > o->tail.max)
		buf_drop(&o->tail, o->tail.len - (rest < keep ? keep - rest : 0));
	buf_add(&o->tail, bytes, rest);
	if (!buf_ok(&o->tail))
		buf_clear(&o->tail);
}

void
output_add_tagged(struct output *o, const char *tag, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		const size_t line = end == NULL ? len : (size_t)(end - bytes) + 1;

		output_add(o, tag, strlen(tag));
		output_add(o, bytes, line);
		bytes += line;
		len -= line;
	}
}

/* A run of what is no text becomes one replacement character, so the text at most doubles. */
static void
add_valid(struct buf *out, const char *text, size_t len)
{
	static const char replacement[] = "\xEF\xBF\xBD";
	size_t start = 0, at = 0;
	bool replaced = false;

	while (at < len) {
		uint32_t c;
		const size_t n = utf8_next(text + at, len - at, &c);

		if (c != UTF8_BAD && c != 0) {
			replaced = false;
		} else {
			buf_add(out, text + start, at - start);
			if (!replaced)
				buf_add(out, replacement, sizeof(replacement) - 1);
			replaced = true;
			start = at + n;
		}
		at += n;
	}
	if (len > start)
		buf_add(out, text + start, len - start);
}

void
output_text(const struct output *o, struct buf *out)
{
	const size_t keep = tail_keeps(o);
	const size_t tail = o->tail.len < keep ? o->tail.len : keep;
	const uint64_t dropped = o->total - o->head.len - tail;
	AUTO(buf) struct buf joined = BUF(o->head.max + keep + KIB(1));

	if (dropped > 0) {
		add_valid(out, o->head.data, o->head.len);
		buf_format(out, "\n\xE2\x80\xA6 %" PRIu64 " bytes dropped \xE2\x80\xA6\n", dropped);
	} else {
		buf_add(&joined, o->head.data, o->head.len); /* a character may straddle the two */
	}
	if (tail > 0)
		buf_add(&joined, o->tail.data + (o->tail.len - tail), tail);
	add_valid(out, joined.data, joined.len);
}

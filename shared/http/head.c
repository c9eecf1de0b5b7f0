/*
 * How the verdict stays independent of how the bytes arrived (HP17).
 *
 * The head is judged strictly from left to right: within a line each byte first, then the line as a
 * whole once its CRLF is there, then the next line; what concerns several fields comes after the
 * empty line. So a refusal depends only on the bytes before it, a prefix that was refused stays
 * refused whatever follows, and a prefix that was not is only ever INCOMPLETE. Limits take part in
 * that order: the first byte too many is the one that refuses.
 *
 * Judged again from the first byte, each call gives the same answer; *scanned only saves the work.
 * Bytes that continue an unfinished line cannot change anything if they are plain text, and two
 * walks a line (one at its CR, one at its LF) remain, so a head that comes byte by byte costs at
 * most 2 * (fields + 1) walks.
 */
#include "shared/http/head.h"

#include <assert.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/http/framing.h"
#include "shared/http/head_verdict.h"
#include "shared/http/request_line.h"
#include "shared/http/token.h"

enum { SECOND_US = 1000000 };

const struct http_limits http_limits_default = {
        .head_bytes = KIB(16),
        .head_fields = 64,
        .handshake_us = 5LL * SECOND_US,
        .head_us = 10LL * SECOND_US,
        .body_us = 30LL * SECOND_US,
        .idle_us = 60LL * SECOND_US,
        .write_us = 30LL * SECOND_US,
        .body_min_rate = 1024,
        .unsent = MIB(64),
        .connections = 0,
        .connections_per_address = 0,
        .requests = 10000,
        .lifetime_us = 3600LL * SECOND_US,
        .memory = KIB(64),
        .pipeline = 16,
};

static const int verdict_status[] = {
        [HEAD_INCOMPLETE] = 0,
        [HEAD_OK] = 200,
        [HEAD_BAD] = 400,
        [HEAD_TOO_LARGE] = 431,
        [HEAD_TARGET_LONG] = 414,
        [HEAD_METHOD] = 501,
        [HEAD_VERSION] = 505,
        [HEAD_CODING] = 501,
};

struct walk {
	const char *bytes;
	size_t len, at; /* at: where the next line begins */
	const struct http_limits *limits;
	struct http_head *out;
	struct framing framing;
};

static const struct head_result incomplete = {.verdict = HEAD_INCOMPLETE};

/* ---- lines ---- */

/* Sixteen bytes at once: is none of them a control character? A tab says no too; that is only slow.
 */
static inline bool
plain16(const char *bytes)
{
	uint8_t word __attribute__((vector_size(16)));
	uint64_t control[2];

	memcpy(&word, bytes, sizeof(word));
	word = (word < 0x20) | (word == 0x7f);
	memcpy(control, &word, sizeof(control));
	return (control[0] | control[1]) == 0;
}

/* The first byte from at on that may not stand inside a line: a control character but the tab. */
static size_t
text_end(const char *bytes, size_t at, size_t len)
{
	for (;;) {
		size_t stop;

		while (len - at >= 16 && plain16(bytes + at))
			at += 16;
		stop = len - at < 16 ? len : at + 16;
		for (; at < stop; at++) {
			const unsigned char c = (unsigned char)bytes[at];

			if ((c < 0x20 && c != '\t') || c == 0x7f)
				return at;
		}
		if (at == len)
			return at;
	}
}

/* Takes the next line without its CRLF; INCOMPLETE if its end is not among the first len bytes. */
static struct head_result
next_line(struct walk *w, size_t len, struct span *line)
{
	const size_t end = text_end(w->bytes, w->at, len);

	if (end == len)
		return incomplete;
	if (w->bytes[end] == '\n')
		return head_bad("a bare LF in the head");
	if (w->bytes[end] != '\r')
		return head_bad("a control character in the head");
	if (end + 1 == len)
		return incomplete;
	if (w->bytes[end + 1] != '\n')
		return head_bad("a bare CR in the head");
	*line = (struct span){w->bytes + w->at, end - w->at};
	w->at = end + 2;
	return head_fine();
}

/* ---- request line ---- */

static struct head_result
request_line(struct walk *w)
{
	const size_t most = (size_t)HTTP_REQUEST_LINE_MAX + 2;
	struct span line = {0};
	struct head_result r = next_line(w, w->len < most ? w->len : most, &line);

	if (r.verdict == HEAD_INCOMPLETE && w->len >= most)
		return head_refused(HEAD_TARGET_LONG, "the request line is too long");
	return r.verdict == HEAD_OK ? request_line_judge(line, w->out) : r;
}

/* ---- fields ---- */

static struct head_result
field_line(struct walk *w, struct span line)
{
	const size_t name = token_len(line.text, line.len);
	struct http_field *f = &w->out->fields[w->out->field_count];
	struct span raw;

	if (line.text[0] == ' ' || line.text[0] == '\t')
		return head_bad("a line of the head that begins with a blank");
	if (name == 0 || name == line.len || line.text[name] != ':')
		return head_bad("a malformed field name");
	if (w->out->field_count == w->limits->head_fields)
		return head_refused(HEAD_TOO_LARGE, "too many fields");
	raw = (struct span){line.text + name + 1, line.len - name - 1};
	f->name = (struct span){line.text, name};
	f->value = token_trimmed(raw.text, raw.len);
	w->out->field_count++;
	return framing_field(&w->framing, f, raw);
}

static struct head_result
walk_head(struct walk *w)
{
	struct head_result r = request_line(w);

	while (r.verdict == HEAD_OK) {
		struct span line = {0};

		r = next_line(w, w->len, &line);
		if (r.verdict == HEAD_OK && line.len == 0) {
			r = framing_whole(&w->framing);
			r.consumed = r.verdict == HEAD_OK ? w->at : 0;
			return r;
		}
		if (r.verdict == HEAD_OK)
			r = field_line(w, line);
	}
	if (r.verdict == HEAD_INCOMPLETE && w->len >= w->limits->head_bytes)
		return head_refused(HEAD_TOO_LARGE, "the head is too large");
	return r;
}

/* Are the bytes from scanned on plain text inside a line that was unfinished before? */
static bool
line_goes_on(const char *bytes, size_t scanned, size_t len)
{
	const size_t most = (size_t)HTTP_REQUEST_LINE_MAX + 2;

	if (scanned == 0 || bytes[scanned - 1] == '\r' || (scanned < most && len >= most))
		return false;
	return text_end(bytes, scanned, len) == len;
}

struct head_result
http_head_parse(const char *bytes, size_t len, const struct http_limits *limits, size_t *scanned,
        struct http_head *out)
{
	struct walk w = {
	        .bytes = bytes, .len = len, .limits = limits, .out = out, .framing = {.head = out}};
	struct head_result r;

	assert(limits->head_fields <= HTTP_FIELDS_MAX && *scanned <= len);
	if (w.len > limits->head_bytes)
		w.len = limits->head_bytes;
	if (w.len < limits->head_bytes && line_goes_on(bytes, *scanned, w.len)) {
		*scanned = w.len;
		return incomplete;
	}
	memset(out, 0, offsetof(struct http_head, fields));
	r = walk_head(&w);
	*scanned = r.verdict == HEAD_INCOMPLETE ? w.len : 0;
	return r;
}

const struct http_field *
http_head_field(const struct http_head *h, const char *name)
{
	const size_t len = strlen(name);

	for (size_t i = 0; i < h->field_count; i++)
		if (token_same(h->fields[i].name, name, len))
			return &h->fields[i];
	return NULL;
}

size_t
http_head_count(const struct http_head *h, const char *name)
{
	const size_t len = strlen(name);
	size_t n = 0;

	for (size_t i = 0; i < h->field_count; i++)
		n += token_same(h->fields[i].name, name, len) ? 1 : 0;
	return n;
}

int
head_verdict_status(enum head_verdict v)
{
	return verdict_status[v];
}

/* sees: http */
/*
 * Z7: whatever the bytes, the verdict does not depend on how they are split; an accepted head
 * written out again reads the same; a length and chunks are never both believed.
 */
#include <string.h>

#include "shared/base/buf.h"
#include "shared/http/head.h"
#include "tests/fuzz/fuzz.h"

static struct http_head first, again;

static struct head_result
parse(const char *bytes, size_t len, size_t *scanned, struct http_head *out)
{
	return http_head_parse(bytes, len, &http_limits_default, scanned, out);
}

/* In two pieces; the first may already be refused, but then for the same reason. */
static struct head_result
parse_split(const char *bytes, size_t split, size_t len)
{
	size_t scanned = 0;
	const struct head_result r = parse(bytes, split, &scanned, &again);

	CLAIM(scanned <= split);
	return r.verdict == HEAD_INCOMPLETE ? parse(bytes, len, &scanned, &again) : r;
}

static bool
same(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.text, b.text, a.len) == 0);
}

static void
write_out(const struct http_head *h, struct buf *out)
{
	buf_format(out, "%s %.*s HTTP/1.%d\r\n", method_name(h->method), (int)h->target.len,
	        h->target.text, h->minor);
	for (size_t i = 0; i < h->field_count; i++) {
		buf_add(out, h->fields[i].name.text, h->fields[i].name.len);
		buf_text(out, ": ");
		buf_add(out, h->fields[i].value.text, h->fields[i].value.len);
		buf_text(out, "\r\n");
	}
	buf_text(out, "\r\n");
}

static void
claim_same(const struct http_head *a, const struct http_head *b)
{
	CLAIM(a->method == b->method && a->minor == b->minor && a->body == b->body);
	CLAIM(a->content_length == b->content_length && a->keep_alive == b->keep_alive);
	CLAIM(a->expect_continue == b->expect_continue && a->has_query == b->has_query);
	CLAIM(a->unknown_expectation == b->unknown_expectation);
	CLAIM(same(a->path, b->path) && same(a->query, b->query) && same(a->host, b->host));
	CLAIM(a->field_count == b->field_count);
	for (size_t i = 0; i < a->field_count; i++)
		CLAIM(same(a->fields[i].name, b->fields[i].name) &&
		        same(a->fields[i].value, b->fields[i].value));
}

static void
claim_sound(const struct http_head *h)
{
	const size_t lengths = http_head_count(h, "Content-Length");
	const size_t codings = http_head_count(h, "Transfer-Encoding");

	CLAIM(lengths + codings <= 1);
	CLAIM((h->body == BODY_LENGTH) == (lengths == 1));
	CLAIM((h->body == BODY_CHUNKED) == (codings == 1));
	CLAIM(http_head_count(h, "Host") == 1 || (h->minor == 0 && h->host.text == NULL));
	CLAIM(h->path.len >= 1 && h->path.text[0] == '/' && h->path.len <= HTTP_PATH_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* As much again as blanks after colons may add: a head that was written without them. */
	struct http_limits roomy = http_limits_default;
	AUTO(buf) struct buf out = BUF(KIB(64));
	const char *bytes = (const char *)data;
	size_t scanned = 0;
	const struct head_result r = parse(bytes, size, &scanned, &first);

	for (size_t split = 1; split < size; split += 1 + size / 64) {
		const struct head_result s = parse_split(bytes, split, size);

		CLAIM(s.verdict == r.verdict && s.consumed == r.consumed && s.reason == r.reason);
	}
	if (r.verdict != HEAD_OK)
		return 0;
	CLAIM(r.consumed <= size && r.consumed <= http_limits_default.head_bytes);
	claim_sound(&first);
	write_out(&first, &out);
	CLAIM(buf_ok(&out));
	roomy.head_bytes = KIB(32);
	scanned = 0;
	CLAIM(http_head_parse(out.data, out.len, &roomy, &scanned, &again).verdict == HEAD_OK);
	claim_same(&first, &again);
	return 0;
}

#include "ctl/show.h"

#include <string.h>

#include "shared/base/utf8.h"

/* Format characters that reorder or hide what stands around them (Unicode's Bidi_Control, the line
 * and paragraph separators, and the byte order mark). */
static bool
acts(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void
spell(struct buf *out, uint32_t c)
{
	switch (c) {
	case '\n':
		buf_text(out, "\\n");
		break;
	case '\r':
		buf_text(out, "\\r");
		break;
	case '\t':
		buf_text(out, "\\t");
		break;
	default:
		buf_format(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
	}
}

void
show_clean(struct buf *out, const char *text, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t c;

		n = utf8_next(text + at, len - at, &c);
		if (c == UTF8_BAD)
			buf_text(out, "\xef\xbf\xbd");
		else if (acts(c))
			spell(out, c);
		else
			buf_add(out, text + at, n);
	}
}

/* Letters, digits and what names are made of: such words need no quotes to be told apart. */
static bool
is_word(const struct json *doc, const struct json_node *n)
{
	static const char allowed[] = "._:/@*-0123456789abcdefghijklmnopqrstuvwxyz"
	                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct json_text text;

	if (json_kind(n) != JSON_STRING)
		return false;
	text = json_text_of(doc, n);
	for (size_t i = 0; i < text.len; i++)
		if (memchr(allowed, text.raw[i], sizeof(allowed) - 1) == NULL)
			return false;
	return text.len > 0;
}

static bool
is_words(const struct json *doc, const struct json_node *n)
{
	if (json_kind(n) != JSON_ARRAY)
		return false;
	for (n = json_first(doc, n); n != NULL; n = json_next(doc, n))
		if (!is_word(doc, n))
			return false;
	return true;
}

/* "-" for none. */
static void
put_words(struct buf *out, const struct json *doc, const struct json_node *list)
{
	const struct json_node *n = json_first(doc, list);

	if (n == NULL)
		buf_char(out, '-');
	for (bool first = true; n != NULL; n = json_next(doc, n), first = false) {
		if (!first)
			buf_text(out, ", ");
		(void)json_string(doc, n, out);
	}
}

void
show_json(struct buf *out, const struct json *doc, const struct json_node *n)
{
	AUTO(buf) struct buf text = BUF(MIB(64));

	if (n == NULL || json_kind(n) == JSON_NULL) {
		buf_text(out, "-");
		return;
	}
	if (json_kind(n) == JSON_TRUE || json_kind(n) == JSON_FALSE) {
		buf_text(out, json_kind(n) == JSON_TRUE ? "yes" : "no");
		return;
	}
	if (is_words(doc, n))
		put_words(&text, doc, n);
	else if (!json_string(doc, n, &text))
		json_compact(doc, n, &text);
	if (text.len > SHOW_TEXT_MAX) {
		show_clean(out, text.data, SHOW_TEXT_MAX);
		buf_text(out, "...");
	} else if (buf_ok(&text)) {
		show_clean(out, text.data, text.len);
	}
}

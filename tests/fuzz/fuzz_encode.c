/* sees: base */
/*
 * Z14: whatever bytes go into a JSON string or a log line, they come back (invalid UTF-8 as U+FFFD)
 * and the result is one line without a control character.
 */
#include <string.h>

#include "shared/base/json.h"
#include "shared/base/json_out.h"
#include "shared/base/log_line.h"
#include "shared/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static const struct json_limits limits = {.bytes = MIB(8), .nodes = 100, .depth = 4};

static void
claim_one_line(const char *text, size_t len)
{
	uint32_t c;

	for (size_t at = 0; at < len;) {
		at += utf8_next(text + at, len - at, &c);
		CLAIM(c != UTF8_BAD && c >= 0x20 && (c < 0x7f || c > 0x9f));
	}
}

/* The bytes with each bad sequence replaced, and a NUL, which no string can hold, refused. */
static void
claim_comes_back(const char *bytes, size_t size)
{
	AUTO(buf) struct buf out = BUF(MIB(8)), back = BUF(MIB(8)), wanted = BUF(MIB(8));
	struct json_out w = json_out_on(&out);
	struct json *doc = NULL;
	struct err e = {0};
	uint32_t c;

	json_open(&w, NULL, '[');
	json_put_bytes(&w, NULL, bytes, size);
	json_close(&w, ']');
	CLAIM(buf_ok(&out));
	claim_one_line(out.data, out.len);
	CLAIM(json_parse(out.data, out.len, &limits, &doc, &e) ==
	        (size == 0 || memchr(bytes, '\0', size) == NULL));
	if (doc == NULL)
		return;
	for (size_t at = 0, step; at < size; at += step) {
		step = utf8_next(bytes + at, size - at, &c);
		if (c == UTF8_BAD)
			buf_add(&wanted, "\xef\xbf\xbd", 3);
		else
			buf_add(&wanted, bytes + at, step);
	}
	CLAIM(json_string(doc, json_first(doc, json_root(doc)), &back) && buf_ok(&back));
	CLAIM(back.len == wanted.len);
	CLAIM(back.len == 0 || memcmp(back.data, wanted.data, back.len) == 0);
	json_free(doc);
}

static void
claim_log_line(const char *text)
{
	const struct log_field fields[] = {
	        TEXT_F("value", text), INT_F("n", 1), TEXT_F("again", text), INT_F(NULL, 0)};
	const struct log_line line = {
	        .level = LEVEL_INFO, .component = "fuzz", .event = "a.b", .fields = fields};
	struct err e = {0};

	for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
		AUTO(buf) struct buf out = BUF(LOG_LINE);
		AUTO(json) struct json *doc = NULL;

		log_line_put(&out, &line, (enum log_format)format);
		CLAIM(buf_ok(&out) && out.len <= LOG_LINE && out.data[out.len - 1] == '\n');
		claim_one_line(out.data, out.len - 1);
		if (format == LOG_TEXT)
			continue;
		CLAIM(json_parse(out.data, out.len, &limits, &doc, &e));
		CLAIM(json_string_is(doc, json_member(doc, json_root(doc), "msg"), "a.b"));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	CLAIM(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	claim_comes_back(text, size);
	claim_log_line(text);
	free(text);
	return 0;
}

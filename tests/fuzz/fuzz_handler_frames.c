/* sees: worker */
/*
 * Whatever a handler writes on fd 4: lines are the same however the bytes were split, none is
 * longer than its limit, and a frame that is accepted has a type and says only what it said.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/runner/frame.h"
#include "worker/runner/lines.h"

enum { LINE_MAX_BYTES = 300 };

static const struct json_limits limits = {.bytes = LINE_MAX_BYTES, .nodes = 50, .depth = 8};

static void
take(const char *line, size_t len)
{
	struct frame f;
	struct err e;

	if (!frame_parse(line, len, &limits, &f, &e))
		return;
	CLAIM(frame_member(&f, "type") != NULL);
	CLAIM(strlen(f.id) <= STEP_ID_MAX);
	frame_clear(&f);
}

/* All lines, each ended by '\n', and '!' for one too long; piece by piece. */
static void
split(const char *text, size_t size, size_t piece, struct buf *out)
{
	struct lines l = lines_new(LINE_MAX_BYTES);
	const char *line;
	size_t len;

	for (size_t at = 0; at < size; at += piece) {
		enum lines_got got =
		        lines_add(&l, text + at, size - at < piece ? size - at : piece);

		while (got != LINES_NOMEM && (got = lines_next(&l, &line, &len)) != LINES_NONE) {
			CLAIM(got != LINES_LINE || len <= LINE_MAX_BYTES);
			if (got == LINES_LINE) {
				take(line, len);
				buf_add(out, line, len);
			}
			buf_char(out, got == LINES_LINE ? '\n' : '!');
		}
	}
	lines_free(&l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf) struct buf whole = BUF(MIB(1));
	AUTO(buf) struct buf pieces = BUF(MIB(1));

	if (size < 1 || size > 8192)
		return 0;
	split((const char *)data + 1, size - 1, 8192, &whole);
	split((const char *)data + 1, size - 1, 1 + data[0] % 64U, &pieces);
	CLAIM(whole.len == pieces.len);
	CLAIM(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
	return 0;
}

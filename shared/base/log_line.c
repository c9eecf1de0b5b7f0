#include "shared/base/log_line.h"

#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/json_out.h"

enum { TAIL = 64 }; /* what "truncated" and the newline need at most */

static const char *const names[] = {[LEVEL_DEBUG] = "debug",
        [LEVEL_INFO] = "info",
        [LEVEL_WARN] = "warn",
        [LEVEL_ERROR] = "error"};

static void
json_field(struct buf *out, const struct log_field *f)
{
	struct json_out w = {.buf = out, .comma = true};

	if (f->text != NULL)
		json_put_text(&w, f->name, f->text);
	else
		json_put_int(&w, f->name, f->number);
}

static void
text_field(struct buf *out, const struct log_field *f)
{
	buf_char(out, ' ');
	buf_text(out, f->name);
	buf_char(out, '=');
	if (f->text == NULL) {
		buf_int(out, f->number);
		return;
	}
	buf_char(out, '"');
	json_escape(out, f->text, strlen(f->text));
	buf_char(out, '"');
}

/* Writes the field whole or, where it does not fit, not at all. */
static bool
field(struct buf *out, const struct log_field *f, enum log_format format)
{
	size_t before = out->len;

	if (format == LOG_TEXT)
		text_field(out, f);
	else
		json_field(out, f);
	if (buf_ok(out))
		return true;
	out->len = before;
	out->failed = false;
	return false;
}

static void
start(struct buf *out, const struct log_line *line, enum log_format format)
{
	struct json_out w = json_out_on(out);
	char when[CLOCK_TEXT];

	clock_text(line->wall_us, when);
	if (format == LOG_TEXT) {
		buf_format(out, "%s %-5s %s ", when, names[line->level], line->component);
		json_escape(out, line->event, strlen(line->event));
		return;
	}
	json_open(&w, NULL, '{');
	json_put_text(&w, "time", when);
	json_put_text(&w, "level", names[line->level]);
	json_put_text(&w, "component", line->component);
	json_put_text(&w, "msg", line->event);
}

void
log_line_put(struct buf *out, const struct log_line *line, enum log_format format)
{
	const struct log_field suppressed = INT_F("suppressed", line->suppressed);
	const struct log_field truncated = INT_F("truncated", 1);
	size_t max = out->max;
	bool whole = true;

	out->max = max - TAIL;
	start(out, line, format);
	if (!buf_ok(out))
		return;
	if (line->suppressed > 0)
		whole = field(out, &suppressed, format);
	for (const struct log_field *f = line->fields; f->name != NULL; f++)
		whole &= field(out, f, format);
	out->max = max;
	if (!whole)
		(void)field(out, &truncated, format);
	buf_text(out, format == LOG_TEXT ? "\n" : "}\n");
}

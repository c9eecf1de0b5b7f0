/*
 * A log event as the one line it becomes (CF7). Values are escaped here: whatever is in them,
 * the result holds exactly one newline, at its end, and no control character.
 */
#ifndef SHARED_BASE_LOG_LINE_H
#define SHARED_BASE_LOG_LINE_H

#include "shared/base/buf.h"
#include "shared/base/log.h"

/* Bytes of a line with its newline; fields that do not fit are left out and "truncated" says so. */
enum { LOG_LINE = 16384 };

struct log_line {
	enum log_level level;
	int64_t wall_us;
	const char *component, *event;
	const struct log_field *fields; /* up to the first without a name */
	uint64_t suppressed;            /* lines of this event left out before it */
};

/* Appends the line to an empty buffer of max LOG_LINE; LOG_AUTO is LOG_JSON here. Check buf_ok().
 */
void log_line_put(struct buf *out, const struct log_line *line, enum log_format format);

#endif

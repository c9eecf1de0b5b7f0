/*
 * Lines out of a byte stream, of at most a given length. What follows a line that is too long is
 * skipped up to its end, so one of them costs no more memory than the limit.
 */
#ifndef WORKER_RUNNER_LINES_H
#define WORKER_RUNNER_LINES_H

#include "shared/base/buf.h"

struct lines {
	struct buf buf;
	size_t max;     /* of a line without its newline */
	size_t at;      /* where the next line begins */
	size_t scanned; /* no newline before this */
	bool skipping;
};

enum lines_got {
	LINES_NONE = 0, /* more bytes are needed */
	LINES_LINE,
	LINES_TOO_LONG, /* said once a line, when its limit is passed */
	LINES_NOMEM,
};

/* max bytes a line. Nothing is allocated yet. */
struct lines lines_new(size_t max);
void lines_free(struct lines *l);

/* At most 64 KiB at once, and lines_next() until NONE before more. */
enum lines_got lines_add(struct lines *l, const char *bytes, size_t len);
/* The next whole line, without its newline; it lives until the next call of either. */
enum lines_got lines_next(struct lines *l, BORROWED const char **line, size_t *len);

#endif

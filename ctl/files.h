/* Files whole: read with a limit, written so that nobody sees half of one. */
#ifndef CTL_FILES_H
#define CTL_FILES_H

#include <stdio.h>
#include <sys/types.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Appends a file's bytes to out, as many as its ceiling allows (else ERR_LIMIT). */
MUST_CHECK bool files_read(const char *path, struct buf *out, struct err *e);
/* The same from a stream that is open. */
MUST_CHECK bool files_read_stream(FILE *in, struct buf *out, struct err *e);

/* What a file is replaced by, and how. */
struct files_content {
	const void *bytes;
	size_t len;
	mode_t mode;
	bool replace; /* else a file that exists is ERR_CONFLICT, and stays as it is */
};

/* Writes path in one step: it has the whole content, on disk, or is as it was. */
MUST_CHECK bool files_write(const char *path, const struct files_content *content, struct err *e);

#endif

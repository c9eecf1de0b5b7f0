/*
 * What a handler printed during one attempt: the first and the last half of a fixed size, with a
 * note between them of how many bytes are missing. A flood costs no more memory than that.
 */
#ifndef WORKER_RUNNER_OUTPUT_H
#define WORKER_RUNNER_OUTPUT_H

#include <stdint.h>

#include "shared/base/buf.h"

struct output {
	struct buf head, tail;
	uint64_t total; /* bytes ever added */
};

/* keep is how many bytes survive, half of them from the end. Nothing is allocated yet. */
struct output output_new(size_t keep);
void output_free(struct output *o);

/* Never fails: without memory the bytes only count as dropped. */
void output_add(struct output *o, const char *bytes, size_t len);
/* The same with a tag in front of each line, for output that several attempts share. */
void output_add_tagged(struct output *o, const char *tag, const char *bytes, size_t len);

/* Appends the text to out: valid UTF-8 without U+0000, each run of other bytes replaced. It is at
 * most twice as long as what is kept, and the note. */
void output_text(const struct output *o, struct buf *out);

#endif

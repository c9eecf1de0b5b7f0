/*
 * A growing byte buffer with a ceiling.
 *
 * A failure (no memory, ceiling reached) is sticky: later writes do nothing and
 * buf_ok() says false. So a writer checks once, at the end, and never sends half
 * a document. Zero-initialised with a max it is ready: `struct buf b = BUF(KIB(64));`
 */
#ifndef SHARED_BASE_BUF_H
#define SHARED_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/attr.h"

#define KIB(n) ((size_t)(n)*1024)
#define MIB(n) ((size_t)(n)*1024 * 1024)

struct buf {
	char *data; /* not terminated; NULL while cap is 0 */
	size_t len, cap, max;
	bool failed;
	bool starved; /* it failed for want of memory, not at its ceiling: no fault of the content
	               */
};

#define BUF(ceiling) ((struct buf){.max = (ceiling)})

/* Append bytes, a text without its NUL, one byte, a decimal number, printf output. */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_text(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t n);
void buf_format(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* Room for len more bytes at b->data + b->len; NULL (and failed) when there is none. */
char *buf_room(struct buf *b, size_t len);

MUST_CHECK bool buf_ok(const struct buf *b);
void buf_clear(struct buf *b);            /* empty again, memory kept, failure forgotten */
void buf_drop(struct buf *b, size_t len); /* forgets the first len bytes */
void buf_free(struct buf *b);

/* The content as a NUL-terminated string that the caller frees; NULL if it failed. b is emptied. */
OWNED char *buf_take_text(struct buf *b);

static inline void
auto_buf_(struct buf *b)
{
	buf_free(b);
}

#endif

/*
 * The chunked transfer coding (RFC 9112 §7.1), strictly: one to eight hexadecimal digits, CRLF,
 * that many bytes, CRLF; at the end "0" CRLF CRLF. No extensions, no trailers, no blanks (HP3,
 * HP4).
 *
 * Bytes may come in any pieces: what comes out, where the body ends and why it is refused do not
 * depend on the pieces.
 */
#ifndef SHARED_HTTP_CHUNKED_H
#define SHARED_HTTP_CHUNKED_H

#include <stdint.h>

#include "shared/base/buf.h"

enum chunked_state {
	CHUNKED_SIZE = 0,
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_END_CR,
	CHUNKED_END_LF
};

struct chunked {
	uint64_t max;  /* bytes of the whole body */
	uint64_t left; /* of the chunk being read; its size while that is read */
	uint64_t total;
	enum chunked_state state;
	unsigned digits;
};

/* Ready for the first byte of a body of at most max bytes. */
#define CHUNKED(most) ((struct chunked){.max = (most)})

enum chunked_verdict {
	CHUNKED_MORE = 0,
	CHUNKED_DONE,
	CHUNKED_BAD,
	CHUNKED_TOO_LARGE, /* the announced size passes max: known before the data is there */
	CHUNKED_NO_MEMORY
};

struct chunked_result {
	enum chunked_verdict verdict;
	size_t consumed;    /* up to the very last byte of the body when DONE */
	const char *reason; /* a fixed sentence when refused */
};

/* Appends the data among bytes to out, whose own ceiling has to be at least d->max. */
struct chunked_result chunked_decode(
        struct chunked *d, const char *bytes, size_t len, struct buf *out);

#endif

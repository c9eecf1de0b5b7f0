#include "shared/http/chunked.h"

#include <assert.h>

#include "shared/base/hex.h"

enum { SIZE_DIGITS_MAX = 8 };

static const char *
size_byte(struct chunked *d, char c)
{
	const int digit = hex_digit(c);

	if (c == '\r' && d->digits > 0) {
		d->state = CHUNKED_SIZE_LF;
		return NULL;
	}
	if (digit < 0 || d->digits == SIZE_DIGITS_MAX)
		return "a malformed chunk size";
	d->left = d->left * 16 + (uint64_t)digit;
	d->digits++;
	return NULL;
}

/* One byte of the framing; NULL if it is as it has to be. */
static const char *
framing_byte(struct chunked *d, char c)
{
	static const struct {
		char expected;
		enum chunked_state next;
		const char *fault;
	} steps[] = {
	        [CHUNKED_SIZE_LF] = {'\n', CHUNKED_DATA,    "a bare CR after a chunk size"  },
	        [CHUNKED_DATA_CR] = {'\r', CHUNKED_DATA_LF, "a chunk longer than its size"  },
	        [CHUNKED_DATA_LF] = {'\n', CHUNKED_SIZE,    "a bare CR after a chunk"       },
	        [CHUNKED_END_CR] = {'\r', CHUNKED_END_LF,  "a trailer after the last chunk"},
	        [CHUNKED_END_LF] = {'\n', CHUNKED_END_LF,  "a bare CR after the last chunk"},
	};

	if (d->state == CHUNKED_SIZE)
		return size_byte(d, c);
	if (c != steps[d->state].expected)
		return steps[d->state].fault;
	d->state = steps[d->state].next;
	if (d->state == CHUNKED_SIZE)
		d->digits = 0;
	return NULL;
}

/* The size line is whole: may that chunk come? */
static bool
chunk_fits(struct chunked *d)
{
	if (d->left > d->max - d->total)
		return false;
	d->total += d->left;
	if (d->left == 0)
		d->state = CHUNKED_END_CR;
	return true;
}

/* As much of the chunk's data as is there. */
static size_t
take_data(struct chunked *d, const char *bytes, size_t len, struct buf *out)
{
	const size_t n = len < d->left ? len : (size_t)d->left;

	buf_add(out, bytes, n);
	d->left -= n;
	if (d->left == 0)
		d->state = CHUNKED_DATA_CR;
	return n;
}

struct chunked_result
chunked_decode(struct chunked *d, const char *bytes, size_t len, struct buf *out)
{
	struct chunked_result r = {.verdict = CHUNKED_MORE};

	assert(out->max >= d->max);
	while (r.consumed < len) {
		const enum chunked_state before = d->state;

		if (before == CHUNKED_DATA) {
			r.consumed += take_data(d, bytes + r.consumed, len - r.consumed, out);
			if (buf_ok(out))
				continue;
			r.verdict = CHUNKED_NO_MEMORY;
			r.reason = "out of memory for a body";
			return r;
		}
		r.reason = framing_byte(d, bytes[r.consumed++]);
		if (r.reason != NULL) {
			r.verdict = CHUNKED_BAD;
			return r;
		}
		if (before == CHUNKED_SIZE_LF && !chunk_fits(d)) {
			r.verdict = CHUNKED_TOO_LARGE;
			r.reason = "the body is too large";
			return r;
		}
		if (before == CHUNKED_END_LF) {
			r.verdict = CHUNKED_DONE;
			return r;
		}
	}
	return r;
}

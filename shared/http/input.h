/*
 * Bytes that arrived and are not used yet, in one block. Connections that wait for a request hold
 * no block; the usual one comes from a pool.
 */
#ifndef SHARED_HTTP_INPUT_H
#define SHARED_HTTP_INPUT_H

#include <stdbool.h>

#include "shared/http/pool.h"

enum { INPUT_BLOCK = 4096 };

struct input {
	char *data; /* NULL while cap is 0 */
	size_t start, len, cap;
};

enum input_verdict { INPUT_NO_MEMORY = 0, INPUT_ROOM, INPUT_FULL };

/*
 * Makes room behind the content; the block may move, and grows to most bytes (but is one pool item
 * at least). On ROOM, *room is where the next bytes go and *len, at least 1, how many fit.
 */
MUST_CHECK enum input_verdict input_room(
        struct input *in, struct pool *blocks, size_t most, BORROWED char **room, size_t *len);

/* Would input_room() say FULL? */
bool input_full(const struct input *in, size_t most);

/* Copies bytes behind the content; false without memory or past most. */
MUST_CHECK bool input_add(
        struct input *in, struct pool *blocks, size_t most, const char *bytes, size_t len);

static inline const char *
input_text(const struct input *in)
{
	return in->data + in->start;
}

/* The first len bytes have been used. They stay where they are until the next input_room(). */
void input_used(struct input *in, size_t len);

/* Empties it and gives the block back. */
void input_release(struct input *in, struct pool *blocks);

#endif

#include "shared/http/input.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Below this much room behind the content it is worth moving it to the front. */
enum { ROOM_LOW = INPUT_BLOCK / 4 };

static void
give(struct pool *blocks, char *data, size_t cap)
{
	if (cap == INPUT_BLOCK)
		pool_give(blocks, data);
	else
		free(data);
}

static bool
grow(struct input *in, struct pool *blocks, size_t cap)
{
	char *data = cap == INPUT_BLOCK ? pool_take(blocks) : malloc(cap);

	if (data == NULL)
		return false;
	if (in->len > 0)
		memcpy(data, input_text(in), in->len);
	give(blocks, in->data, in->cap);
	in->data = data;
	in->start = 0;
	in->cap = cap;
	return true;
}

static size_t
ceiling(size_t most)
{
	return most < INPUT_BLOCK ? INPUT_BLOCK : most;
}

bool
input_full(const struct input *in, size_t most)
{
	return in->len >= ceiling(most);
}

enum input_verdict
input_room(struct input *in, struct pool *blocks, size_t most, BORROWED char **room, size_t *len)
{
	const size_t top = ceiling(most);
	size_t cap = in->cap;

	if (in->start > 0 && in->cap - in->start - in->len < ROOM_LOW) {
		memmove(in->data, input_text(in), in->len);
		in->start = 0;
	}
	if (in->start + in->len == in->cap) {
		if (in->cap >= top)
			return INPUT_FULL;
		cap = cap == 0 ? INPUT_BLOCK : cap * 2;
		if (!grow(in, blocks, cap < top ? cap : top))
			return INPUT_NO_MEMORY;
	}
	*room = in->data + in->start + in->len;
	*len = in->cap - in->start - in->len;
	return INPUT_ROOM;
}

bool
input_add(struct input *in, struct pool *blocks, size_t most, const char *bytes, size_t len)
{
	while (len > 0) {
		char *room;
		size_t n;

		if (input_room(in, blocks, most, &room, &n) != INPUT_ROOM)
			return false;
		if (n > len)
			n = len;
		memcpy(room, bytes, n);
		in->len += n;
		bytes += n;
		len -= n;
	}
	return true;
}

void
input_used(struct input *in, size_t len)
{
	assert(len <= in->len);
	in->start += len;
	in->len -= len;
}

void
input_release(struct input *in, struct pool *blocks)
{
	give(blocks, in->data, in->cap);
	*in = (struct input){0};
}

#include "shared/template/arena.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct block *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *blocks;
};

OWNED struct arena *
arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void
arena_free(struct arena *a)
{
	struct block *next;

	if (a == NULL)
		return;
	for (struct block *b = a->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

BORROWED void *
arena_alloc(struct arena *a, size_t count, size_t size)
{
	struct block *b;
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) ||
	        __builtin_add_overflow(bytes, sizeof(*b), &bytes))
		return NULL;
	b = calloc(1, bytes);
	if (b == NULL)
		return NULL;
	b->next = a->blocks;
	a->blocks = b;
	return b->bytes;
}

BORROWED char *
arena_text(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_alloc(a, len + 1, 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

/* Memory that lives and dies together: many allocations, one free. */
#ifndef SHARED_TEMPLATE_ARENA_H
#define SHARED_TEMPLATE_ARENA_H

#include <stddef.h>

#include "shared/base/attr.h"

struct arena;

/* An empty arena; NULL when there is no memory. */
OWNED struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine; frees all it gave out */

/* count zeroed items of size bytes, aligned for anything; NULL when there is no memory. */
BORROWED void *arena_alloc(struct arena *a, size_t count, size_t size);

/* A terminated copy of len bytes; NULL when there is no memory. */
BORROWED char *arena_text(struct arena *a, const char *text, size_t len);

AUTO_DEFINE(arena, struct arena, arena_free)

#endif

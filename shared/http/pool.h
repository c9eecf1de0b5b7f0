/*
 * Items of one size, given back to be taken again: what a loop allocates for each request costs a
 * pointer swap once it is warm. One loop only. Under AddressSanitizer nothing is kept, so that it
 * sees every use after the end.
 */
#ifndef SHARED_HTTP_POOL_H
#define SHARED_HTTP_POOL_H

#include "shared/base/attr.h"

struct pool {
	void *first;
	size_t item; /* bytes of one, at least a pointer's */
	size_t kept, keep;
};

#define POOL(size, most) ((struct pool){.item = (size), .keep = (most)})

/* Not initialised; NULL without memory. Give it back to the same pool. */
MUST_CHECK OWNED void *pool_take(struct pool *p);
void pool_give(struct pool *p, void *item); /* NULL is fine */
void pool_clear(struct pool *p);            /* frees what is kept */

#endif

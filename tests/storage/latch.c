#include "tests/storage/latch.h"

#include <stdlib.h>

void
latch_join(struct latch *l, struct latch_holder *h)
{
	*h = (struct latch_holder){.next = l->holders, .level = SQLITE_LOCK_NONE};
	l->holders = h;
}

void
latch_leave(struct latch *l, struct latch_holder *h)
{
	struct latch_holder **at = &l->holders;

	latch_unmap(l, h);
	while (*at != NULL && *at != h)
		at = &(*at)->next;
	if (*at == h)
		*at = h->next;
}

/* Does another hold that level, or more? */
static bool
other_has(const struct latch *l, const struct latch_holder *h, int level)
{
	for (const struct latch_holder *o = l->holders; o != NULL; o = o->next)
		if (o != h && o->level >= level)
			return true;
	return false;
}

int
latch_lock(struct latch *l, struct latch_holder *h, int level)
{
	if (h->level >= level)
		return SQLITE_OK;
	if (level == SQLITE_LOCK_SHARED) {
		if (other_has(l, h, SQLITE_LOCK_PENDING))
			return SQLITE_BUSY;
	} else if (other_has(l, h, SQLITE_LOCK_RESERVED)) {
		return SQLITE_BUSY;
	}
	if (level == SQLITE_LOCK_EXCLUSIVE && other_has(l, h, SQLITE_LOCK_SHARED)) {
		h->level = SQLITE_LOCK_PENDING; /* no new readers: the present ones end some day */
		return SQLITE_BUSY;
	}
	h->level = level;
	return SQLITE_OK;
}

void
latch_unlock(struct latch_holder *h, int level)
{
	if (h->level > level)
		h->level = level;
}

bool
latch_is_reserved(const struct latch *l)
{
	return other_has(l, NULL, SQLITE_LOCK_RESERVED);
}

int
latch_map(struct latch *l, struct latch_holder *h, int region, int size, bool extend,
        BORROWED void volatile **out)
{
	h->maps = true;
	*out = NULL;
	if (region < 0 || region >= LATCH_REGIONS_MAX)
		return SQLITE_IOERR_SHMSIZE;
	if (l->regions[region] == NULL && extend) {
		l->regions[region] = calloc(1, (size_t)size);
		if (l->regions[region] == NULL)
			return SQLITE_NOMEM;
	}
	*out = l->regions[region];
	return SQLITE_OK;
}

int
latch_shm(struct latch *l, struct latch_holder *h, int first, int count, int flags)
{
	const unsigned bits = ((1U << count) - 1U) << first;

	if ((flags & SQLITE_SHM_UNLOCK) != 0) {
		h->shared &= ~bits;
		h->alone &= ~bits;
		return SQLITE_OK;
	}
	for (const struct latch_holder *o = l->holders; o != NULL; o = o->next) {
		const unsigned against =
		        (flags & SQLITE_SHM_EXCLUSIVE) != 0 ? o->shared | o->alone : o->alone;

		if (o != h && (against & bits) != 0)
			return SQLITE_BUSY;
	}
	if ((flags & SQLITE_SHM_EXCLUSIVE) != 0)
		h->alone |= bits;
	else
		h->shared |= bits;
	return SQLITE_OK;
}

void
latch_unmap(struct latch *l, struct latch_holder *h)
{
	h->maps = false;
	h->shared = h->alone = 0;
	for (const struct latch_holder *o = l->holders; o != NULL; o = o->next)
		if (o->maps)
			return;
	for (size_t i = 0; i < LATCH_REGIONS_MAX; i++) {
		free(l->regions[i]);
		l->regions[i] = NULL;
	}
}

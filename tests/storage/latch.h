/*
 * The locks of one database file, among connections of one process: SQLite's five levels on the
 * file, and the eight latches and the memory of its write-ahead log's index. Not thread-safe by
 * itself: whoever owns it has a mutex.
 */
#ifndef TESTS_STORAGE_LATCH_H
#define TESTS_STORAGE_LATCH_H

#include <sqlite3.h>
#include <stdbool.h>

#include "shared/base/attr.h"

enum { LATCH_REGIONS_MAX = 256 };

/* One connection. */
struct latch_holder {
	struct latch_holder *next;
	int level;              /* SQLITE_LOCK_... */
	bool maps;              /* uses the index */
	unsigned shared, alone; /* bits of the index's latches */
};

/* Zeroed it has no holders. */
struct latch {
	struct latch_holder *holders;
	void *regions[LATCH_REGIONS_MAX];
};

void latch_join(struct latch *l, struct latch_holder *h);
void latch_leave(struct latch *l, struct latch_holder *h); /* gives up all it holds */

/* Like xLock, xUnlock and xCheckReservedLock of sqlite3_io_methods. */
MUST_CHECK int latch_lock(struct latch *l, struct latch_holder *h, int level);
void latch_unlock(struct latch_holder *h, int level);
bool latch_is_reserved(const struct latch *l);

/* Like xShmMap, xShmLock and xShmUnmap. The memory goes with its last user. */
MUST_CHECK int latch_map(struct latch *l, struct latch_holder *h, int region, int size, bool extend,
        BORROWED void volatile **out);
MUST_CHECK int latch_shm(struct latch *l, struct latch_holder *h, int first, int count, int flags);
void latch_unmap(struct latch *l, struct latch_holder *h);

#endif

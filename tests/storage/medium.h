/*
 * What one file is to the process, and what a power cut would leave of it.
 *
 * A write changes what is read at once, and waits until a sync makes it last. A power cut keeps
 * what was synced; of what waits, it keeps all, nothing, some of the writes, or some of their
 * sectors, the later ones as well before the earlier. A sync that fails does to what waits what a
 * power cut would, but the process goes on reading what it wrote and no later sync repairs it: so
 * Linux does, which marks a page clean that it could not write.
 */
#ifndef TESTS_STORAGE_MEDIUM_H
#define TESTS_STORAGE_MEDIUM_H

#include <stddef.h>

#include "shared/base/attr.h"
#include "tests/storage/dice.h"

enum {
	MEDIUM_SECTOR = 512,
	MEDIUM_MAX = 64 * 1024 * 1024, /* bytes of a file; more is a full disk */
};

enum medium_loss {
	MEDIUM_KEEPS,  /* all that waited was written just in time */
	MEDIUM_LOSES,  /* nothing of it was */
	MEDIUM_PICKS,  /* some writes, in any order */
	MEDIUM_TEARS,  /* some sectors of them, in any order */
	MEDIUM_LOSSES, /* how many there are */
};

struct bytes {
	unsigned char *data;
	size_t len, cap;
};

struct medium_change {
	size_t at, len;      /* of a truncation: at is the new length */
	unsigned char *data; /* NULL: a truncation */
	struct medium_change *next;
};

/* Zeroed it is an empty file. */
struct medium {
	struct bytes now, kept;
	struct medium_change *first, *last; /* what waits for a sync */
};

void medium_free(struct medium *m);

/* How much of len there is from at on; that much is copied. */
size_t medium_read(const struct medium *m, void *out, size_t len, size_t at);
/* False: it would be too large, nothing is changed. Both end the process without memory. */
MUST_CHECK bool medium_write(struct medium *m, const void *data, size_t len, size_t at);
void medium_truncate(struct medium *m, size_t len);

void medium_sync(struct medium *m);
void medium_sync_fails(struct medium *m, struct dice *d);

/* The power is cut, and comes back. */
void medium_cut(struct medium *m, enum medium_loss loss, struct dice *d);

#endif

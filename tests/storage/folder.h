/*
 * The names of a simulated disk. A file lives while its name leads to it, while it is open, or
 * while a power cut would bring its name back. Not thread-safe by itself.
 */
#ifndef TESTS_STORAGE_FOLDER_H
#define TESTS_STORAGE_FOLDER_H

#include "tests/storage/latch.h"
#include "tests/storage/medium.h"

enum { FOLDER_NAME = 256 };

struct node {
	struct node *next;
	char name[FOLDER_NAME]; /* "": it never had one */
	bool linked;            /* its name leads to it */
	bool kept_link;         /* and would after a power cut */
	unsigned opens;
	struct medium medium;
	struct latch latch;
};

/* Zeroed it is empty. */
struct folder {
	struct node *nodes;
};

BORROWED struct node *folder_find(const struct folder *f, const char *name); /* NULL: none */
BORROWED struct node *folder_make(struct folder *f, const char *name);
void folder_clear(struct folder *f); /* no name leads anywhere any more, also after a power cut */
void folder_sweep(struct folder *f); /* forgets files that nothing leads to */

void folder_sync(struct folder *f);
/* The power is cut, and comes back: names and files. */
void folder_cut(struct folder *f, enum medium_loss loss, struct dice *d);

/* The name of a file that is open; NULL: none is. */
BORROWED const char *folder_open_name(const struct folder *f);

#endif

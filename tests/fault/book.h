/*
 * The book that handlers keep of what they executed (handler.c), read and sorted: one execution for
 * each attempt of a step that ever began.
 */
#ifndef TESTS_FAULT_BOOK_H
#define TESTS_FAULT_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"

enum { BOOK_STEPS = 4 }; /* both templates of the demo have four */

struct execution {
	char task[37];
	int step; /* its index in the template */
	int attempt;
	unsigned begins, ends, cancels, fails;
	int64_t begin_us, end_us,
	        cancel_us; /* monotonic; the first begin, the last of the others */
	char proof[17];
};

struct book {
	struct execution *items; /* by task, step and attempt */
	size_t count;
};

/* Reads dir/name. False: it is not there, or a line is none of a handler's. */
MUST_CHECK bool book_read(const char *dir, const char *name, struct book *out);
void book_free(struct book *b);

/* The attempts of a step: the first of them and how many; NULL and 0 for none. */
BORROWED const struct execution *book_find(
        const struct book *b, const char *task, int step, size_t *count);

/* The index of a step of the demo's diamond or linear; -1: there is none of that name. */
int book_step(const char *name);

static inline void
auto_book_(struct book *b)
{
	book_free(b);
}

#endif

/*
 * Clients that create tasks while daemons die, and remember what they were told.
 *
 * Each thread has one connection and sends one request after the other, every one with a context
 * that no other has. A reply of 201 is an acknowledgement. Anything else the system may say while
 * it falls (no reply, 503) leaves the outcome open: load_resolve() sends the same request again,
 * which either creates the task or is refused with the id of the one that is there.
 */
#ifndef TESTS_FAULT_LOAD_H
#define TESTS_FAULT_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fault/checker.h"

enum { LOAD_THREADS = 4, LOAD_MAX = 20000 /* requests of one thread */ };

struct load;

struct load_settings {
	int port;     /* of the orchestration, in all its lives */
	int pause_ms; /* between two requests of one thread */
	int step_ms;  /* a step takes up to that */
	int failures; /* so many attempts of each step fail first */
	uint64_t seed;
};

/* NULL: no memory, or no thread. */
OWNED struct load *load_start(const struct load_settings *settings);
/* No more requests; the threads are joined. */
void load_stop(struct load *l);
void load_free(struct load *l); /* NULL is fine */

/* After load_stop(): settles every open request. False: one could not be, why is on stderr. */
MUST_CHECK bool load_resolve(struct load *l);
/* Waits until GET says that every task is complete; false with the first that is not on stderr. */
MUST_CHECK bool load_completes(struct load *l, int within_ms);

struct load_numbers {
	size_t sent, acknowledged, open;
	size_t wrong; /* replies that nothing excuses */
};
/* While it runs they are a moment old. open: before load_resolve(). */
struct load_numbers load_numbers(const struct load *l);

/* The ids of all tasks, BORROWED one by one in an array that is the caller's; after
 * load_resolve(). */
OWNED const char **load_ids(const struct load *l, size_t *count);

/* Holds what these clients were told against the book and the database of dir, where there is
 * nothing else (no_others) or others' tasks too. False: it could not be judged. */
MUST_CHECK bool load_judge(
        const struct load *l, const char *dir, bool no_others, struct findings *out);

#endif

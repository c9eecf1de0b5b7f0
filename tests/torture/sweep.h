/*
 * For every n: the nth thing fails while something is attempted, until an attempt ends without it
 * having failed. What an attempt must be is its own business; here it is counted, and watched that
 * no descriptor stays behind.
 */
#ifndef TESTS_TORTURE_SWEEP_H
#define TESTS_TORTURE_SWEEP_H

#include "shared/base/err.h"
#include "tests/torture/fault.h"
#include "tests/unit/unit.h"

struct sweep {
	const char *name; /* of the scenario */
	/* Does it, while something fails: true if it was done whole. Must not assert. */
	bool (*attempt)(void *arg, struct err *e);
	/* Right after each: free, assert, repeat undisturbed. NULL: nothing to do. */
	void (*after)(void *arg, bool done, unsigned nth);
	void *arg;
	unsigned most;   /* attempts, at the utmost */
	unsigned stride; /* every how manyth failure; 0 is 1 */
	bool lasting;    /* all from the nth on fail */
	bool may_linger; /* descriptors are closed by another thread, soon */
	unsigned spare;  /* so many descriptors may be opened once and kept */
};

/* Returns how often something failed; says so on stderr. */
unsigned sweep_run(const struct sweep *s, enum fault_kind kind);
/* All three kinds. */
void sweep_all(const struct sweep *s);

/* Open descriptors of this process. */
unsigned sweep_descriptors(void);

#endif

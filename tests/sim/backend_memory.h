/*
 * The store's backend over a disk in memory: the functions of backend.h written a second time,
 * without SQL, so that the rules above them can be driven through years and crashes in no time.
 *
 * settings.medium is the struct memory. The settings' fault hook is asked at the same moments and
 * with the same names as SQLite's statements are, so that a seed fails both in the same places.
 */
#ifndef TESTS_SIM_BACKEND_MEMORY_H
#define TESTS_SIM_BACKEND_MEMORY_H

#include "tests/sim/memory.h"

/* A connection. */
struct backend {
	struct memory *m;
	enum backend_role role;
	bool fatal;
	bool (*fault)(void *arg, const char *statement);
	void *fault_arg;
};

void backend_memory(struct backend_ops *out);

/* Asks the fault hook; for the files that implement the functions. */
MUST_CHECK bool memory_may_write(struct backend *b, const char *statement, struct err *e);
/* Does the caller's scope cover what belongs to these? */
bool memory_covers(struct memory *m, const struct principal *who, int64_t tenant, int64_t owner);
/* The name of an owner or tenant, the worker of a session; NULL: none. */
const char *memory_owner_name(struct memory *m, int64_t owner);
const char *memory_worker_name(struct memory *m, int64_t session);

void memory_task_ops(struct backend_ops *ops);
void memory_step_ops(struct backend_ops *ops);
void memory_rest_ops(struct backend_ops *ops); /* all the others */

#endif

/* The attempts a worker was given and has not yet been told the end of. No lock of its own. */
#ifndef WORKER_HELD_TABLE_H
#define WORKER_HELD_TABLE_H

#include "worker/link_wire.h"

struct held_table {
	struct held *items;
	size_t count, cap;
};

MUST_CHECK bool held_table_init(struct held_table *t, size_t cap, struct err *e);
void held_table_free(struct held_table *t); /* with its reports */

BORROWED struct held *held_table_find(
        const struct held_table *t, const char *step, int64_t attempt);
/* False when it is full. */
MUST_CHECK bool held_table_add(struct held_table *t, const char *step, int64_t attempt);
void held_table_remove(struct held_table *t, struct held *h);

size_t held_table_running(const struct held_table *t); /* without a report */
/* The request that carried results was answered: they are done with. */
void held_table_acknowledge(struct held_table *t);
/* It was not, and will not be sent again as it was. */
void held_table_unsend(struct held_table *t);
/*
 * The orchestration refused the body of the results under way, and more of them cannot be told
 * apart: each becomes an error that says so; one that said so already is dropped. Returns how many
 * were dropped.
 */
size_t held_table_reduce(struct held_table *t, const char *why);

#endif

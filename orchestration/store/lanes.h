/*
 * The queues in front of one thread: lanes in order of importance, each bounded in operations and
 * bytes. A batch takes from the first lane first, but leaves every lane that waits a small share,
 * so that a flood of results delays creates and never starves them.
 */
#ifndef ORCHESTRATION_STORE_LANES_H
#define ORCHESTRATION_STORE_LANES_H

#include "orchestration/store/op.h"

struct lanes; /* opaque: the lock is in lanes.c */

/* Bounds come from the settings: lanes first to last. */
MUST_CHECK bool lanes_new(const struct store_settings *s, OWNED struct lanes **out, struct err *e);
void lanes_free(struct lanes *l); /* must be empty; NULL is fine */

/* False: the lane is full, or closed; op stays the caller's. */
MUST_CHECK bool lanes_put(struct lanes *l, enum store_lane lane, struct store_op *op);

/*
 * Waits until there is something to take, a wake, the close, or until_us (real monotonic time, 0:
 * for ever), then takes up to max in order of importance. False once it is closed and empty.
 */
bool lanes_take(struct lanes *l, int64_t until_us, size_t max, struct op_list *out);

void lanes_wake(struct lanes *l);
void lanes_close(struct lanes *l); /* nothing is accepted any more */

/* How many wait in each lane. */
void lanes_depth(struct lanes *l, int out[STORE_LANES]);

AUTO_DEFINE(lanes, struct lanes, lanes_free)

#endif

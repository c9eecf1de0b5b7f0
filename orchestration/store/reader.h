/*
 * The store's reader: a thread with a connection of its own, so that reads neither wait for the
 * writer nor delay it. What is queued is answered from one snapshot, begun after it was submitted.
 */
#ifndef ORCHESTRATION_STORE_READER_H
#define ORCHESTRATION_STORE_READER_H

#include "orchestration/store/backend.h"
#include "orchestration/store/op.h"

struct reader; /* opaque: the thread is in reader.c */

MUST_CHECK bool reader_new(const struct store_settings *settings, const struct backend_ops *ops,
        OWNED struct reader **out, struct err *e);
MUST_CHECK bool reader_start(struct reader *r, struct err *e);
void reader_free(struct reader *r); /* answers what is left, ends the thread; NULL is fine */

/* False: the lane is full; op stays the caller's. */
MUST_CHECK bool reader_put(struct reader *r, struct store_op *op);
bool reader_serves(enum store_verb verb);
int reader_depth(struct reader *r);

AUTO_DEFINE(reader, struct reader, reader_free)

#endif

/*
 * The store's only writer: a thread that takes what is queued and hands it to rounds.h, which runs
 * it in transactions and answers. What it does to the store is decided there; here is only when.
 */
#ifndef ORCHESTRATION_STORE_WRITER_H
#define ORCHESTRATION_STORE_WRITER_H

#include "orchestration/store/backend.h"
#include "orchestration/store/op.h"
#include "orchestration/store/pulse.h"

struct writer; /* opaque: the thread is in writer.c */

/* Opens the database; nothing runs before writer_start(). settings, ops, pulse outlive it. */
MUST_CHECK bool writer_new(const struct store_settings *settings, const struct backend_ops *ops,
        struct pulse *pulse, OWNED struct writer **out, struct err *e);
MUST_CHECK bool writer_start(struct writer *w, struct err *e);
void writer_free(struct writer *w); /* answers what is left, ends the thread; NULL is fine */

/* False: its lane is full; op stays the caller's. */
MUST_CHECK bool writer_put(struct writer *w, struct store_op *op);
void writer_wake(struct writer *w);
void writer_drain(struct writer *w);
void writer_depth(struct writer *w, int out[STORE_LANES]);

AUTO_DEFINE(writer, struct writer, writer_free)

#endif

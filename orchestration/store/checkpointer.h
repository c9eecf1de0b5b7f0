/* A thread that carries the write-ahead log into the database, so that no answer waits for it. */
#ifndef ORCHESTRATION_STORE_CHECKPOINTER_H
#define ORCHESTRATION_STORE_CHECKPOINTER_H

#include "orchestration/store/backend.h"
#include "orchestration/store/pulse.h"

struct checkpointer; /* opaque: the thread is in checkpointer.c */

MUST_CHECK bool checkpointer_new(const struct store_settings *s, const struct backend_ops *ops,
        struct pulse *pulse, OWNED struct checkpointer **out, struct err *e);
MUST_CHECK bool checkpointer_start(struct checkpointer *c, struct err *e);
void checkpointer_wake(struct checkpointer *c); /* there is something to carry */
void checkpointer_free(struct checkpointer *c); /* ends the thread; NULL is fine */

AUTO_DEFINE(checkpointer, struct checkpointer, checkpointer_free)

#endif

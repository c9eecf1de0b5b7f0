/*
 * What the answers of reads take until their owners free them.
 *
 * A reader finds answers faster than loops write them: unbounded, a thousand clients that ask for
 * the largest task at once would have a thousand copies of it in memory. So each answer is counted
 * from before its delivery until store_op_free(), and the reader waits while the sum is at its
 * bound: it is exceeded by one answer at most.
 *
 * Operations are freed on any thread and may outlive the store, so the ledger lives until the
 * reader and the last counted operation have let go of it.
 */
#ifndef ORCHESTRATION_STORE_LEDGER_H
#define ORCHESTRATION_STORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"
#include "shared/base/err.h"

struct ledger; /* opaque: the lock is in ledger.c */

/* Full at max bytes. */
MUST_CHECK bool ledger_new(size_t max, OWNED struct ledger **out, struct err *e);
/* The reader's end: nobody waits any more. NULL is fine. */
void ledger_free(struct ledger *l);

/* Counts bytes; whoever holds them releases as many, once. */
void ledger_hold(struct ledger *l, size_t bytes);
void ledger_release(struct ledger *l, size_t bytes);

bool ledger_is_full(struct ledger *l);
/* Waits until it is not full, until_us (real monotonic time), or the closing. */
void ledger_wait(struct ledger *l, int64_t until_us);
/* From now on ledger_wait() returns at once. From any thread. */
void ledger_close(struct ledger *l);

AUTO_DEFINE(ledger, struct ledger, ledger_free)

#endif

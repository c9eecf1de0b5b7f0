/*
 * The writer without its thread: what a round of operations does to the store.
 *
 * A round is what was queued. Its operations run in batches, one transaction each, and are answered
 * after the commit. When the storage refuses a batch, the batch is rolled back and each of its
 * operations is tried alone, so one that cannot be stored does not take others with it. Leases,
 * retries and parked polls are looked at whenever a round begins and after each batch.
 *
 * Nothing here waits, and all time comes from the settings' clocks: the same rounds at the same
 * times do the same. tests/sim relies on it.
 */
#ifndef ORCHESTRATION_STORE_ROUNDS_H
#define ORCHESTRATION_STORE_ROUNDS_H

#include "orchestration/store/backend.h"
#include "orchestration/store/op.h"
#include "orchestration/store/pulse.h"

struct rounds; /* opaque: the desk they work on is in rounds.c */

/* Opens the database and reads what leases and queues are made of. settings, ops, pulse outlive it.
 */
MUST_CHECK bool rounds_new(const struct store_settings *settings, const struct backend_ops *ops,
        struct pulse *pulse, OWNED struct rounds **out, struct err *e);
void rounds_free(struct rounds *r); /* answers the polls that wait; NULL is fine */

/* Reads the clocks, refuses what waited too long, rings timers, answers polls. */
void rounds_begin(struct rounds *r, struct op_list *round);
/* Runs, commits and answers one batch of the round. False: the round is empty, nothing was done. */
bool rounds_batch(struct rounds *r, struct op_list *round);

/* How long nothing is due, in microseconds from the last reading of the clocks, though the wall
 * clock may jump, so at most a second while a retry waits; < 0: for ever. */
int64_t rounds_idle_us(const struct rounds *r);

/* A checkpoint is overdue: somebody should do one. A very late one has been done here. */
bool rounds_want_checkpoint(struct rounds *r);

/* From any thread: no poll is parked any more; only results are taken any more. */
void rounds_drain(struct rounds *r);
void rounds_close(struct rounds *r);

AUTO_DEFINE(rounds, struct rounds, rounds_free)

#endif

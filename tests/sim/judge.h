/*
 * The judge of a simulated store: its events and rows must fit what the model knows by itself.
 *
 *   I1  a task that was acknowledged, a cancel, a result: there, for ever, once
 *   I2  a step starts after its parents have ended; again only after the store wrote why the
 *       attempt before came to nothing: a retry, a release, or a loss that time allows
 *   I3  a task's events are numbered 1, 2, 3 ..., each leaves the state the one before it entered,
 *       by a legal edge, and rows say what events say; sums and totals are what a recount gives
 *   I4  who ends an attempt holds it, and had reported that outcome; one holder at a time
 *
 * It reads through backend.h, never what the store's rules keep in memory.
 */
#ifndef TESTS_SIM_JUDGE_H
#define TESTS_SIM_JUDGE_H

#include "tests/sim/world.h"

/* After a round: new events, and the rows of the tasks they are of. */
void judge_round(struct world *w);
/* Every row, all totals, and each task's events from the first on. */
void judge_everything(struct world *w);
/* Every row into the log; tell.c. */
void judge_tell(struct world *w);
/* One task's rows; judge_rows.c. */
void judge_rows(struct world *w, struct seen_task *t);
void judge_totals(struct world *w);
/* May time, or a worker's own word, have ended the attempt without a result? */
bool judge_may_be_lost(struct world *w, const struct seen_attempt *a, int64_t session);

#endif

/*
 * Simulated workers, as bad as they get: they vanish and come back, start anew and leave their old
 * process running, lose answers, report late, twice, for others or nonsense, forget what they hold.
 * Each delivered step is checked on the spot, and each word of an answer against the rows.
 */
#ifndef TESTS_SIM_WORKER_H
#define TESTS_SIM_WORKER_H

#include "tests/sim/world.h"

/* Something one of them does. */
void worker_act(struct world *w);
/* All of them at their best: each registered, polling, and done at once. */
void worker_serve(struct world *w);
/* New processes for all, without ghosts. */
void worker_restart_all(struct world *w);

/* What an answer says against the rows; worker_check.c. */
void worker_check_statuses(struct world *w, const struct store_op *op);
void worker_check_step(struct world *w, const struct store_op *op, const struct poll_step *step);

#endif

/*
 * The writer's operations, one function each. They return false only for a fault of the storage or
 * of memory: the batch is then rolled back. A refusal is an outcome, decided before the operation's
 * first write.
 */
#ifndef ORCHESTRATION_STORE_DO_H
#define ORCHESTRATION_STORE_DO_H

#include "orchestration/store/match.h"

/* store_op.h says what each takes and gives. */
MUST_CHECK bool do_create(struct work *w, struct store_op *op, struct err *e);
MUST_CHECK bool do_cancel(struct work *w, struct store_op *op, struct err *e);
MUST_CHECK bool do_poll(struct work *w, struct store_op *op, struct err *e);
MUST_CHECK bool do_register(struct work *w, struct store_op *op, struct err *e);
MUST_CHECK bool do_worker_list(struct work *w, struct store_op *op, struct err *e);
MUST_CHECK bool do_template_put(struct work *w, struct store_op *op, struct err *e);
MUST_CHECK bool do_revoke(struct work *w, struct store_op *op, struct err *e);
MUST_CHECK bool do_unrevoke(struct work *w, struct store_op *op, struct err *e);
/* All leases that ended, retries that are due, sessions nobody uses. */
MUST_CHECK bool do_timers(struct work *w, struct err *e);
/* Takes one held attempt back (LOST or UNHELD). */
MUST_CHECK bool do_give_back(struct work *w, struct session *s, const struct lease *lease,
        enum step_outcome why, struct err *e);

#endif

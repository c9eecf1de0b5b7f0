/* The operations that only look, one function for all of them: the reader's work. */
#ifndef ORCHESTRATION_STORE_READ_OPS_H
#define ORCHESTRATION_STORE_READ_OPS_H

#include "orchestration/store/view.h"

/* Sets the outcome, or fails for a fault of storage or memory (ERR_BUSY: its time is up). */
MUST_CHECK bool read_op(struct viewer *v, struct store_op *op, struct err *e);

#endif

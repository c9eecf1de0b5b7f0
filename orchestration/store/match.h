/* Who gets a step: the polls that wait, and the queues they are filled from. See match.c. */
#ifndef ORCHESTRATION_STORE_MATCH_H
#define ORCHESTRATION_STORE_MATCH_H

#include "orchestration/store/change.h"

void match_wait(struct work *w, struct store_op *poll); /* joins those that may be given steps */
/* Leaves them again; fine if it is not among them. */
void match_leave(struct work *w, struct store_op *poll);
/* Who should get a step of this route and rank now, or NULL: then it must queue. */
struct store_op *match_find(struct work *w, int64_t route, int rank);
/* A step of this rank now waits in the route's queue. */
void match_queued(struct work *w, int64_t route, int rank);
/* Hands the claimed step over: its frame, and the lease. *too_large: no frame can hold its input.
 */
MUST_CHECK bool match_give(struct change *c, struct step_row *row, struct store_op *poll,
        bool *too_large, struct err *e);
/* The frame of a step that the poll's session holds already, once more. */
MUST_CHECK bool match_repeat(
        struct change *c, struct step_row *row, struct store_op *poll, struct err *e);
MUST_CHECK bool match_queue(struct work *w, struct err *e); /* queued steps to waiting polls */

#endif

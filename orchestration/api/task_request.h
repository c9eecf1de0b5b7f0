/* The body of POST /v1/tasks, checked whole: every member's type and limit, all errors at once. */
#ifndef ORCHESTRATION_API_TASK_REQUEST_H
#define ORCHESTRATION_API_TASK_REQUEST_H

#include "orchestration/store/store_op.h"
#include "shared/gate/request.h"

/*
 * Fills op->in.task_create from the body. Unknown members are ignored; owner and tenant are
 * refused, since they come from the credential alone (OW6). False: req has been answered, 400 with
 * a pointer for each member at fault.
 */
MUST_CHECK bool task_request_read(struct request *req, const struct json *doc, struct store_op *op);

#endif

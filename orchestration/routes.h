/* The orchestration daemon's routes; routes.def is the list. */
#ifndef ORCHESTRATION_ROUTES_H
#define ORCHESTRATION_ROUTES_H

#include "shared/gate/openapi.h"

/* What the table's largest-body column says; the real bytes come from limits.* at start. */
enum { BODY_PUBLIC = 1, BODY_POLL = 2 };

extern const struct route orchestration_routes[];
extern const size_t orchestration_route_count;

/* What the OpenAPI document says of them beyond the rows; route_details.def is the list. */
extern const struct openapi_detail orchestration_route_details[];
extern const size_t orchestration_route_detail_count;

#define ROUTE(method, path, access, body, body_max, handler, summary)                              \
	void handler(struct request *req, const struct grant *grant, void *app);
#include "orchestration/routes.def"
#undef ROUTE

#endif

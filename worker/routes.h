/* The worker daemon's routes; routes.def is the list. */
#ifndef WORKER_ROUTES_H
#define WORKER_ROUTES_H

#include "shared/gate/openapi.h"

extern const struct route worker_routes[];
extern const size_t worker_route_count;

/* What the OpenAPI document says of them beyond the rows; route_details.def is the list. */
extern const struct openapi_detail worker_route_details[];
extern const size_t worker_route_detail_count;

#define ROUTE(method, path, access, body, body_max, handler, summary)                              \
	void handler(struct request *req, const struct grant *grant, void *app);
#include "worker/routes.def"
#undef ROUTE

#endif

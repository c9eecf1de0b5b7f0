/* The worker daemon's routes; routes.def is the list. */
#ifndef WORKER_ROUTES_H
#define WORKER_ROUTES_H

#include "shared/gate/route.h"

extern const struct route worker_routes[];
extern const size_t worker_route_count;

#define ROUTE(method, path, access, body, body_max, handler, summary)                              \
	void handler(struct request *req, const struct grant *grant, void *app);
#include "worker/routes.def"
#undef ROUTE

#endif

#include "worker/routes.h"

#include "shared/daemon/common.h"

#define ROUTE ROUTE_ROW
const struct route worker_routes[] = {
#include "worker/routes.def"
};
#undef ROUTE

const size_t worker_route_count = COUNT(worker_routes);

#include "worker/routes.h"

#include "shared/daemon/common.h"

#define ROUTE ROUTE_ROW
const struct route worker_routes[] = {
#include "worker/routes.def"
};
#undef ROUTE

const size_t worker_route_count = COUNT(worker_routes);

#define DETAIL OPENAPI_DETAIL
const struct openapi_detail worker_route_details[] = {
#include "worker/route_details.def"
};
#undef DETAIL

const size_t worker_route_detail_count = COUNT(worker_route_details);

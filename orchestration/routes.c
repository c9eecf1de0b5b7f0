#include "orchestration/routes.h"

#include "shared/daemon/common.h"

#define ROUTE ROUTE_ROW
const struct route orchestration_routes[] = {
#include "orchestration/routes.def"
};
#undef ROUTE

const size_t orchestration_route_count = COUNT(orchestration_routes);

#define DETAIL OPENAPI_DETAIL
const struct openapi_detail orchestration_route_details[] = {
#include "orchestration/route_details.def"
};
#undef DETAIL

const size_t orchestration_route_detail_count = COUNT(orchestration_route_details);

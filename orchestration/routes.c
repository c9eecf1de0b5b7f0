#include "orchestration/routes.h"

#include "shared/daemon/common.h"

#define ROUTE ROUTE_ROW
const struct route orchestration_routes[] = {
#include "orchestration/routes.def"
};
#undef ROUTE

const size_t orchestration_route_count = COUNT(orchestration_routes);

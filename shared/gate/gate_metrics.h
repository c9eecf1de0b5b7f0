/*
 * What the gate counts, the same in both daemons; gate_metrics.def is the list. The names of
 * authentication metrics are upstream's, except that durations are in seconds, Prometheus' base
 * unit, where upstream has milliseconds.
 */
#ifndef SHARED_GATE_GATE_METRICS_H
#define SHARED_GATE_GATE_METRICS_H

#include "shared/gate/route.h"
#include "shared/runtime/metrics.h"

struct gate_metrics; /* shared by the gates of a daemon */

enum gate_metric {
#define METRIC(id, ...) GATE_METRIC_##id,
#include "shared/gate/gate_metrics.def"
#undef METRIC
	GATE_METRIC__COUNT
};

/* Adds the table to m; routes (borrowed) give the values of the label "route". */
MUST_CHECK bool gate_metrics_new(struct metrics *m, const struct route *routes, size_t route_count,
        OWNED struct gate_metrics **out, struct err *e);
void gate_metrics_free(struct gate_metrics *gm); /* after its metrics' last rendering */

/* The metrics it was added to, and the number of one of its rows there. */
BORROWED struct metrics *gate_metrics_of(const struct gate_metrics *gm);
unsigned gate_metrics_id(const struct gate_metrics *gm, enum gate_metric which);

/* Indexes for AT(): of a route (NULL: none matched), an HTTP status, a status in the refused row.
 */
unsigned gate_metrics_route(const struct gate_metrics *gm, const struct route *route);
unsigned gate_metrics_status_class(int status);
unsigned gate_metrics_refusal(int status);

AUTO_DEFINE(gate_metrics, struct gate_metrics, gate_metrics_free)

#endif

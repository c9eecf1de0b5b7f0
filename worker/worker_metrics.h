/* What the worker counts; worker_metrics.def is the list. */
#ifndef WORKER_WORKER_METRICS_H
#define WORKER_WORKER_METRICS_H

#include "shared/runtime/metrics.h"
#include "worker/step_report.h"

struct app;
struct worker_metrics;

/* Adds the table to m; app is asked at scrape time and outlives m's last rendering. */
MUST_CHECK bool worker_metrics_new(
        struct metrics *m, struct app *app, OWNED struct worker_metrics **out, struct err *e);
void worker_metrics_free(struct worker_metrics *wm);

/* Counts one report; on the runner's loop only. */
void worker_metrics_report(struct worker_metrics *wm, const struct step_report *r);
/* Reports ever, with that outcome. */
int64_t worker_metrics_reports(const struct worker_metrics *wm, enum outcome outcome);

#endif

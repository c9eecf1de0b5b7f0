/*
 * What the orchestration measures; orchestration_metrics.def is the list.
 *
 * A scrape reads no database: it asks store_probe(), which is cheap, and the counts that a STATS
 * operation brought to the service loop some seconds ago. Counts that are too old are not shown:
 * no number is better than yesterday's.
 */
#ifndef ORCHESTRATION_ORCHESTRATION_METRICS_H
#define ORCHESTRATION_ORCHESTRATION_METRICS_H

#include "orchestration/store/store.h"
#include "shared/runtime/metrics.h"

struct orchestration_metrics;

struct orchestration_metrics_settings {
	struct store *store; /* asked at scrape time: outlives the last rendering */
	struct loop *loop;   /* where counts arrive */
	int64_t every_us;    /* from one answer to the next question */
	int64_t stale_us;    /* after it, counts are too old */
};

/* Adds the table to m and asks for the first counts. settings are copied. */
MUST_CHECK bool orchestration_metrics_new(struct metrics *m,
        const struct orchestration_metrics_settings *settings,
        OWNED struct orchestration_metrics **out, struct err *e);

/* Asks no more; before the loop is freed, on it or after it ended. NULL is fine. */
void orchestration_metrics_stop(struct orchestration_metrics *om);
/* After it was stopped and the loop is freed, which gives back an operation that was under way. */
void orchestration_metrics_free(struct orchestration_metrics *om);

#endif

/*
 * Counters, gauges and histograms, shown in Prometheus' text format 0.0.4.
 *
 * Each part of a program describes its metrics in a table of its own, made from a .def file, and
 * adds it once. Threads write through a meter of their own, so that counting costs one uncontended
 * addition and no lock; reading sums the meters. Labels are small fixed sets of values: nothing a
 * stranger sends can make a new series.
 */
#ifndef SHARED_RUNTIME_METRICS_H
#define SHARED_RUNTIME_METRICS_H

#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_kind {
	METRIC_COUNTER = 1,
	METRIC_GAUGE,        /* the sum of what the meters added and took away */
	METRIC_SECONDS,      /* a histogram of durations */
	METRIC_COUNTER_READ, /* asked for at scrape time, see metrics_read() */
	METRIC_GAUGE_READ
};

/* One label and its values. Borrowed: they outlive the metrics. */
struct metric_label {
	const char *name;
	const char *const *values;
	size_t count;
};

enum { METRIC_LABELS = 3, METRICS_METERS = 64, METRICS_CELLS = 32768 };

/* labels[i] is an index into the table's labels, whose entry 0 is always the empty label "none". */
struct metric_row {
	enum metric_kind kind;
	const char *name, *help;
	unsigned char labels[METRIC_LABELS];
};

/* METRIC(id, kind, name, label, label, label, help), for .def files: */
#define METRIC_ROW(k, n, l0, l1, l2, h)                                                            \
	{                                                                                          \
		.kind = METRIC_##k, .name = (n), .help = (h), .labels = {(l0), (l1), (l2) }        \
	}

struct metric_table {
	const struct metric_row *rows;
	size_t row_count;
	const struct metric_label *labels; /* [0] is {0} */
	size_t label_count;
};

/* Indexes of the values of a row's labels, in its order; 0 where it has none. */
struct metric_at {
	unsigned at[METRIC_LABELS];
};
#define AT(...) ((struct metric_at){{__VA_ARGS__}})

struct metrics;
struct meter;

MUST_CHECK bool metrics_new(OWNED struct metrics **out, struct err *e);
void metrics_free(struct metrics *m); /* with its meters */

/*
 * Adds a table (borrowed; it outlives m); its row r is metric *first + r from now on. One thread at
 * a time adds; others may write and render meanwhile. ERR_LIMIT: more than METRICS_CELLS values.
 */
MUST_CHECK bool metrics_add(
        struct metrics *m, const struct metric_table *table, unsigned *first, struct err *e);

/* A pen for one thread, for all metrics, also those added later; freed with m. From any thread. */
MUST_CHECK bool metrics_meter(struct metrics *m, BORROWED struct meter **out, struct err *e);

/* All do nothing when meter is NULL. A label index outside its label is our mistake (asserted). */
void meter_add(struct meter *meter, unsigned metric, struct metric_at at, int64_t n);
void meter_observe(struct meter *meter, unsigned metric, struct metric_at at, int64_t us);

/* Metrics of kind *_READ: fn gives the samples of one, on the scraping thread, as metric_sample()s.
 */
struct metric_pair {
	const char *name, *value;
};
struct metric_out;
typedef void (*metrics_read_fn)(struct metric_out *out, void *arg);
void metrics_read(struct metrics *m, unsigned metric, metrics_read_fn fn, void *arg);
void metric_sample(
        struct metric_out *out, const struct metric_pair *labels, size_t count, double value);

/* The sum over all meters, for tests and for other views of the same number. */
int64_t metrics_value(const struct metrics *m, unsigned metric, struct metric_at at);
/* The whole exposition; check buf_ok(out). From any thread. */
void metrics_render(const struct metrics *m, struct buf *out);

AUTO_DEFINE(metrics, struct metrics, metrics_free)

#endif

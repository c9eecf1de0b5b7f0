/*
 * A metric owns a run of cells: one per combination of its labels' values, and in a histogram one
 * per bucket and one for the sum on top. Every meter reserves METRICS_CELLS cells at once; pages
 * nobody counts in are never touched, and so tables may be added while meters already write.
 *
 * Cells are relaxed atomics: a scrape may see one of two additions that were made together, which
 * for a counter is only a matter of when. Series with labels appear with their first event unless
 * the metric is small, when all appear at once (a rate then starts at zero instead of nowhere).
 */
#include "shared/runtime/metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 256, SMALL = 64, LABEL_TEXT_MAX = 4096 };

/* Upper bounds of the buckets in microseconds; one more bucket holds the rest. */
static const int64_t bounds_us[] = {25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000,
        100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000};
enum { BUCKETS = COUNT(bounds_us) + 1, SUM = BUCKETS, HISTOGRAM_CELLS };

struct metric {
	const struct metric_row *row;
	const struct metric_label *labels[METRIC_LABELS]; /* NULL: none */
	size_t first;                                     /* cell */
	size_t combinations;
	metrics_read_fn read;
	void *read_arg;
};

struct meter {
	const struct metrics *metrics;
	_Atomic int64_t *cells;
};

struct metrics {
	struct metric metrics[ROWS_MAX];
	atomic_size_t count;
	size_t cells;
	struct meter meters[METRICS_METERS];
	atomic_size_t claimed;             /* meters given out, ready or not */
	atomic_bool ready[METRICS_METERS]; /* may be read */
};

struct metric_out {
	const struct metric *metric;
	struct buf *buf;
};

bool
metrics_new(OWNED struct metrics **out, struct err *e)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for metrics");
	*out = m;
	return true;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < METRICS_METERS; i++)
		free(m->meters[i].cells);
	free(m);
}

static size_t
cells_of(const struct metric *metric)
{
	switch (metric->row->kind) {
	case METRIC_COUNTER:
	case METRIC_GAUGE:
		return metric->combinations;
	case METRIC_SECONDS:
		return metric->combinations * HISTOGRAM_CELLS;
	case METRIC_COUNTER_READ:
	case METRIC_GAUGE_READ:
	default:
		return 0;
	}
}

static void
describe(struct metric *metric, const struct metric_table *table, const struct metric_row *row)
{
	*metric = (struct metric){.row = row, .combinations = 1};
	for (size_t i = 0; i < METRIC_LABELS; i++) {
		assert(row->labels[i] < table->label_count);
		if (row->labels[i] != 0) {
			metric->labels[i] = &table->labels[row->labels[i]];
			metric->combinations *= metric->labels[i]->count;
		}
	}
}

bool
metrics_add(struct metrics *m, const struct metric_table *table, unsigned *first, struct err *e)
{
	const size_t count = atomic_load_explicit(&m->count, memory_order_relaxed);
	size_t cells = m->cells;

	if (table->row_count > ROWS_MAX - count)
		return err_set(e, ERR_LIMIT, "more than %d metrics", ROWS_MAX);
	for (size_t i = 0; i < table->row_count; i++) {
		struct metric *metric = &m->metrics[count + i];

		describe(metric, table, &table->rows[i]);
		metric->first = cells;
		if (metric->combinations > METRICS_CELLS ||
		        cells_of(metric) > METRICS_CELLS - cells)
			return err_set(e, ERR_LIMIT, "%s does not fit: all metrics have %d values",
			        metric->row->name, METRICS_CELLS);
		cells += cells_of(metric);
	}
	m->cells = cells;
	atomic_store_explicit(&m->count, count + table->row_count, memory_order_release);
	*first = (unsigned)count;
	return true;
}

bool
metrics_meter(struct metrics *m, BORROWED struct meter **out, struct err *e)
{
	_Atomic int64_t *cells;
	size_t n = atomic_load(&m->claimed);

	do {
		if (n == METRICS_METERS)
			return err_set(e, ERR_LIMIT, "more than %d meters", METRICS_METERS);
	} while (!atomic_compare_exchange_weak(&m->claimed, &n, n + 1));
	cells = calloc(METRICS_CELLS, sizeof(*cells));
	if (cells == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a meter");
	m->meters[n] = (struct meter){.metrics = m, .cells = cells};
	atomic_store_explicit(&m->ready[n], true, memory_order_release);
	*out = &m->meters[n];
	return true;
}

static const struct metric *
metric_at(const struct metrics *m, unsigned metric)
{
	assert(metric < atomic_load_explicit(&m->count, memory_order_acquire));
	return &m->metrics[metric];
}

/* Which combination of label values this is. */
static size_t
combination(const struct metric *metric, struct metric_at at)
{
	size_t n = 0;

	for (size_t i = 0; i < METRIC_LABELS; i++) {
		const struct metric_label *label = metric->labels[i];

		if (label == NULL)
			continue;
		assert(at.at[i] < label->count);
		n = n * label->count + at.at[i];
	}
	return n;
}

static void
add(struct meter *meter, size_t cell, int64_t n)
{
	atomic_fetch_add_explicit(&meter->cells[cell], n, memory_order_relaxed);
}

void
meter_add(struct meter *meter, unsigned metric, struct metric_at at, int64_t n)
{
	const struct metric *what;

	if (meter == NULL)
		return;
	what = metric_at(meter->metrics, metric);
	assert(what->row->kind == METRIC_COUNTER || what->row->kind == METRIC_GAUGE);
	add(meter, what->first + combination(what, at), n);
}

void
meter_observe(struct meter *meter, unsigned metric, struct metric_at at, int64_t us)
{
	const struct metric *what;
	size_t cell, bucket = 0;

	if (meter == NULL)
		return;
	what = metric_at(meter->metrics, metric);
	assert(what->row->kind == METRIC_SECONDS);
	cell = what->first + combination(what, at) * HISTOGRAM_CELLS;
	while (bucket < COUNT(bounds_us) && us > bounds_us[bucket])
		bucket++;
	add(meter, cell + bucket, 1);
	add(meter, cell + SUM, us);
}

void
metrics_read(struct metrics *m, unsigned metric, metrics_read_fn fn, void *arg)
{
	struct metric *what = &m->metrics[metric];

	assert(metric < atomic_load(&m->count));
	assert(what->row->kind == METRIC_COUNTER_READ || what->row->kind == METRIC_GAUGE_READ);
	what->read = fn;
	what->read_arg = arg;
}

/* ---- reading ---- */

static int64_t
sum(const struct metrics *m, size_t cell)
{
	int64_t total = 0;

	for (size_t i = 0; i < METRICS_METERS; i++)
		if (atomic_load_explicit(&m->ready[i], memory_order_acquire))
			total += atomic_load_explicit(
			        &m->meters[i].cells[cell], memory_order_relaxed);
	return total;
}

int64_t
metrics_value(const struct metrics *m, unsigned metric, struct metric_at at)
{
	const struct metric *what = metric_at(m, metric);
	const size_t n = combination(what, at);
	int64_t total = 0;

	if (cells_of(what) == 0)
		return 0;
	if (what->row->kind != METRIC_SECONDS)
		return sum(m, what->first + n);
	for (size_t bucket = 0; bucket < BUCKETS; bucket++)
		total += sum(m, what->first + n * HISTOGRAM_CELLS + bucket);
	return total;
}

/* Label values and help texts: the format's own escapes. */
static void
put_escaped(struct buf *out, const char *text, bool quotes)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_text(out, "\\n");
		else if (*text == '\\' || (quotes && *text == '"'))
			buf_format(out, "\\%c", *text);
		else
			buf_char(out, *text);
	}
}

static void
put_label(struct buf *out, const char *name, const char *value)
{
	if (out->len > 0)
		buf_char(out, ',');
	buf_format(out, "%s=\"", name);
	put_escaped(out, value, true);
	buf_char(out, '"');
}

/* name_suffix{labels,le="0.5"} with a space behind; labels and le may be missing. */
static void
put_series(struct buf *out, const char *name, const char *suffix, const struct buf *labels,
        const char *le)
{
	buf_format(out, "%s%s", name, suffix);
	if (labels->len > 0 || le != NULL) {
		buf_char(out, '{');
		buf_add(out, labels->data, labels->len);
		if (le != NULL)
			buf_format(out, "%sle=\"%s\"", labels->len > 0 ? "," : "", le);
		buf_char(out, '}');
	}
	buf_char(out, ' ');
}

static void
put_integer(struct buf *out, int64_t n)
{
	buf_int(out, n);
	buf_char(out, '\n');
}

static void
put_histogram(const struct metrics *m, const struct metric *metric, size_t cell,
        const struct buf *labels, struct buf *out)
{
	const char *name = metric->row->name;
	int64_t below = 0;

	for (size_t bucket = 0; bucket < COUNT(bounds_us); bucket++) {
		char le[32];

		below += sum(m, cell + bucket);
		(void)snprintf(le, sizeof(le), "%g", (double)bounds_us[bucket] / 1e6);
		put_series(out, name, "_bucket", labels, le);
		put_integer(out, below);
	}
	below += sum(m, cell + COUNT(bounds_us));
	put_series(out, name, "_bucket", labels, "+Inf");
	put_integer(out, below);
	put_series(out, name, "_sum", labels, NULL);
	buf_format(out, "%.6f\n", (double)sum(m, cell + SUM) / 1e6);
	put_series(out, name, "_count", labels, NULL);
	put_integer(out, below);
}

static bool
is_silent(const struct metrics *m, const struct metric *metric, size_t cell, size_t cells)
{
	if (metric->combinations == 1 || cells_of(metric) <= SMALL)
		return false;
	for (size_t i = 0; i < cells; i++)
		if (sum(m, cell + i) != 0)
			return false;
	return true;
}

static void
put_combination(const struct metrics *m, const struct metric *metric, size_t n, struct buf *out)
{
	AUTO(buf) struct buf labels = BUF(LABEL_TEXT_MAX);
	const size_t each = cells_of(metric) / metric->combinations;
	const size_t cell = metric->first + n * each;
	size_t size = metric->combinations;

	if (is_silent(m, metric, cell, each))
		return;
	for (size_t i = 0; i < METRIC_LABELS; i++) {
		const struct metric_label *label = metric->labels[i];

		if (label == NULL)
			continue;
		size /= label->count;
		put_label(&labels, label->name, label->values[n / size % label->count]);
	}
	if (!buf_ok(&labels)) {
		out->failed = true; /* no half series */
	} else if (metric->row->kind == METRIC_SECONDS) {
		put_histogram(m, metric, cell, &labels, out);
	} else {
		put_series(out, metric->row->name, "", &labels, NULL);
		put_integer(out, sum(m, cell));
	}
}

void
metric_sample(struct metric_out *out, const struct metric_pair *labels, size_t count, double value)
{
	AUTO(buf) struct buf text = BUF(LABEL_TEXT_MAX);

	for (size_t i = 0; i < count; i++)
		put_label(&text, labels[i].name, labels[i].value);
	if (!buf_ok(&text)) {
		out->buf->failed = true;
		return;
	}
	put_series(out->buf, out->metric->row->name, "", &text, NULL);
	buf_format(out->buf, "%.15g\n", value);
}

static const char *
type_name(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_COUNTER:
	case METRIC_COUNTER_READ:
		return "counter";
	case METRIC_SECONDS:
		return "histogram";
	case METRIC_GAUGE:
	case METRIC_GAUGE_READ:
	default:
		return "gauge";
	}
}

static void
put_metric(const struct metrics *m, const struct metric *metric, struct buf *out)
{
	const struct metric_row *row = metric->row;

	buf_format(out, "# HELP %s ", row->name);
	put_escaped(out, row->help, false);
	buf_format(out, "\n# TYPE %s %s\n", row->name, type_name(row->kind));
	if (metric->read != NULL)
		metric->read(&(struct metric_out){.metric = metric, .buf = out}, metric->read_arg);
	if (cells_of(metric) > 0)
		for (size_t n = 0; n < metric->combinations; n++)
			put_combination(m, metric, n, out);
}

void
metrics_render(const struct metrics *m, struct buf *out)
{
	const size_t count = atomic_load_explicit(&m->count, memory_order_acquire);

	for (size_t i = 0; i < count; i++)
		put_metric(m, &m->metrics[i], out);
}

/* Counting from many threads, and the exposition byte for byte. */
#include "shared/runtime/metrics.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { L_NONE, L_COLOUR, L_ROUTE, L_WIDE };
enum { SEEN, OPEN_NOW, TOOK, BUILD, MANY };

static const char *const colours[] = {"red", "a \"b\"\\\n"};
static const char *const routes[] = {"/a", "/b/{id}"};
static const char *const wide[100] = {[0] = "w0", [99] = "w99"};
static const struct metric_label labels[] = {
        {0              },
        { "colour", colours, COUNT(colours)},
        { "route",  routes, COUNT(routes)},
        {  "wide",   wide, COUNT(wide)},
};
static const struct metric_row rows[] = {
        METRIC_ROW(
                COUNTER, "t_seen_total", L_COLOUR, L_ROUTE, L_NONE, "What was\nseen \\ counted."),
        METRIC_ROW(GAUGE, "t_open", L_NONE, L_NONE, L_NONE, "Open now."),
        METRIC_ROW(SECONDS, "t_took_seconds", L_ROUTE, L_NONE, L_NONE, "How long."),
        METRIC_ROW(GAUGE_READ, "t_build_info", L_NONE, L_NONE, L_NONE, "The version."),
        METRIC_ROW(COUNTER, "t_many_total", L_WIDE, L_NONE, L_NONE, "Many series."),
};
static const struct metric_table table = {rows, COUNT(rows), labels, COUNT(labels)};

static struct metrics *
metrics_or_fail(void)
{
	struct metrics *m = NULL;
	struct err e = {0};
	unsigned first = 99;

	ck_assert(metrics_new(&m, &e));
	ck_assert_msg(metrics_add(m, &table, &first, &e), "%s", e.text);
	ck_assert_uint_eq(first, 0);
	return m;
}

static struct meter *
meter_or_fail(struct metrics *m)
{
	struct meter *meter = NULL;
	struct err e = {0};

	ck_assert_msg(metrics_meter(m, &meter, &e), "%s", e.text);
	return meter;
}

static char *
rendered(const struct metrics *m)
{
	struct buf out = BUF(MIB(1));
	char *text;

	metrics_render(m, &out);
	text = buf_take_text(&out);
	ck_assert_ptr_nonnull(text);
	return text;
}

static void
ck_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

static void
version(struct metric_out *out, void *arg)
{
	metric_sample(out, &(struct metric_pair){"version", arg}, 1, 1);
}

START_TEST(exposition_has_help_type_escapes_and_every_small_series)
{
	static char one[] = "1.0 \"x\"";
	AUTO(metrics) struct metrics *m = metrics_or_fail();
	struct meter *meter = meter_or_fail(m);
	char *text;

	metrics_read(m, BUILD, version, one);
	meter_add(meter, SEEN, AT(1, 1), 3);
	meter_add(meter, OPEN_NOW, AT(0), 2);
	meter_add(meter, OPEN_NOW, AT(0), -1);
	text = rendered(m);
	ck_has(text,
	        "# HELP t_seen_total What was\\nseen \\\\ counted.\n# TYPE t_seen_total counter\n"
	        "t_seen_total{colour=\"red\",route=\"/a\"} 0\n"
	        "t_seen_total{colour=\"red\",route=\"/b/{id}\"} 0\n"
	        "t_seen_total{colour=\"a \\\"b\\\"\\\\\\n\",route=\"/a\"} 0\n"
	        "t_seen_total{colour=\"a \\\"b\\\"\\\\\\n\",route=\"/b/{id}\"} 3\n");
	ck_has(text, "# TYPE t_open gauge\nt_open 1\n");
	ck_has(text, "# TYPE t_build_info gauge\nt_build_info{version=\"1.0 \\\"x\\\"\"} 1\n");
	free(text);
}
END_TEST

START_TEST(a_large_metric_shows_only_series_that_counted)
{
	AUTO(metrics) struct metrics *m = metrics_or_fail();
	struct meter *meter = meter_or_fail(m);
	char *text;

	meter_add(meter, MANY, AT(99), 1);
	text = rendered(m);
	ck_has(text, "t_many_total{wide=\"w99\"} 1\n");
	ck_assert_ptr_null(strstr(text, "w0"));
	free(text);
}
END_TEST

START_TEST(a_histogram_counts_up_to_and_including_each_bound)
{
	AUTO(metrics) struct metrics *m = metrics_or_fail();
	struct meter *meter = meter_or_fail(m);
	char *text;

	meter_observe(meter, TOOK, AT(1), 0);
	meter_observe(meter, TOOK, AT(1), 100);
	meter_observe(meter, TOOK, AT(1), 101);
	meter_observe(meter, TOOK, AT(1), INT64_C(3600000000));
	text = rendered(m);
	ck_has(text, "# TYPE t_took_seconds histogram\n");
	ck_has(text, "t_took_seconds_bucket{route=\"/b/{id}\",le=\"5e-05\"} 1\n");
	ck_has(text, "t_took_seconds_bucket{route=\"/b/{id}\",le=\"0.0001\"} 2\n");
	ck_has(text, "t_took_seconds_bucket{route=\"/b/{id}\",le=\"0.00025\"} 3\n");
	ck_has(text, "t_took_seconds_bucket{route=\"/b/{id}\",le=\"30\"} 3\n");
	ck_has(text, "t_took_seconds_bucket{route=\"/b/{id}\",le=\"+Inf\"} 4\n");
	ck_has(text, "t_took_seconds_sum{route=\"/b/{id}\"} 3600.000201\n");
	ck_has(text, "t_took_seconds_count{route=\"/b/{id}\"} 4\n");
	ck_assert_int_eq(metrics_value(m, TOOK, AT(1)), 4);
	free(text);
}
END_TEST

/* What promtool's parser asks of a line: name, optional braces, one space, a number. */
static bool
is_sample(const char *line)
{
	const char *end = line;
	char *after;

	while (isalnum((unsigned char)*end) || *end == '_' || *end == ':')
		end++;
	if (end == line)
		return false;
	if (*end == '{') {
		for (bool quoted = false; *end != '\0' && (quoted || *end != '}'); end++) {
			if (quoted && *end == '\\')
				end++;
			else if (*end == '"')
				quoted = !quoted;
		}
		end++;
	}
	if (*end != ' ')
		return false;
	(void)strtod(end + 1, &after);
	return after != end + 1 && *after == '\0';
}

START_TEST(every_line_is_a_comment_or_a_sample_and_no_series_comes_twice)
{
	AUTO(metrics) struct metrics *m = metrics_or_fail();
	struct meter *meter = meter_or_fail(m);
	char *seen[512], *text, *rest, *line;
	size_t count = 0;

	for (unsigned i = 0; i < 2; i++)
		meter_observe(meter, TOOK, AT(i), 7);
	text = rest = rendered(m);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		if (line[0] != '#')
			ck_assert_msg(is_sample(line), "%s", line);
		if (line[0] != '#')
			*strrchr(line, ' ') = '\0';
		for (size_t i = 0; i < count; i++)
			ck_assert_str_ne(seen[i], line);
		ck_assert_uint_lt(count, COUNT(seen));
		seen[count++] = line;
	}
	ck_assert_uint_gt(count, 10);
	free(text);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000 };

static void *
count_rounds(void *arg)
{
	struct meter *meter = meter_or_fail(arg);

	for (int i = 0; i < ROUNDS; i++) {
		meter_add(meter, SEEN, AT(0, 0), 1);
		meter_observe(meter, TOOK, AT(0), i % 10);
	}
	return NULL;
}

START_TEST(threads_count_apart_and_reading_sums_them)
{
	AUTO(metrics) struct metrics *m = metrics_or_fail();
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_rounds, m), 0);
	for (int i = 0; i < 20; i++)
		free(rendered(m)); /* while they count */
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	ck_assert_int_eq(metrics_value(m, SEEN, AT(0, 0)), THREADS * ROUNDS);
	ck_assert_int_eq(metrics_value(m, TOOK, AT(0)), THREADS * ROUNDS);
}
END_TEST

START_TEST(a_table_added_later_is_counted_by_an_older_meter)
{
	static const struct metric_row more[] = {
	        METRIC_ROW(COUNTER, "t_more_total", L_NONE, L_NONE, L_NONE, "More.")};
	static const struct metric_table second = {more, 1, labels, COUNT(labels)};
	AUTO(metrics) struct metrics *m = metrics_or_fail();
	struct meter *meter = meter_or_fail(m);
	struct err e = {0};
	unsigned first = 0;

	ck_assert(metrics_add(m, &second, &first, &e));
	ck_assert_uint_eq(first, COUNT(rows));
	meter_add(meter, first, AT(0), 5);
	meter_add(NULL, first, AT(0), 5); /* nothing is counted without a meter */
	meter_observe(NULL, TOOK, AT(0), 5);
	ck_assert_int_eq(metrics_value(m, first, AT(0)), 5);
}
END_TEST

START_TEST(limits_are_reached_and_refused)
{
	static const struct metric_label huge[] = {
	        {0           },
                { "w", wide, COUNT(wide)}
        };
	static const struct metric_row row[] = {METRIC_ROW(COUNTER, "t_huge_total", 1, 1, 1, "x")};
	static const struct metric_table too_large = {row, 1, huge, COUNT(huge)};
	AUTO(metrics) struct metrics *m = metrics_or_fail();
	struct meter *meter = NULL;
	struct err e = {0};
	unsigned first = 7;

	ck_assert(!metrics_add(m, &too_large, &first, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_uint_eq(first, 7);
	for (int i = 0; i < METRICS_METERS; i++)
		(void)meter_or_fail(m);
	ck_assert(!metrics_meter(m, &meter, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_ptr_null(meter);
}
END_TEST

START_TEST(every_allocation_of_metrics_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		AUTO(metrics) struct metrics *m = NULL;
		struct meter *meter = NULL;
		struct buf out = BUF(MIB(1));
		struct err e = {0};
		unsigned first;

		ck_assert_uint_lt(nth, 100);
		fault_allocation(++nth);
		built = metrics_new(&m, &e) && metrics_add(m, &table, &first, &e) &&
		        metrics_meter(m, &meter, &e);
		if (built) {
			metrics_render(m, &out);
			built = buf_ok(&out);
		}
		fault_allocation(0);
		buf_free(&out);
	}
	ck_assert_uint_ge(nth, 4);
}
END_TEST

Suite *
metrics_suite(void)
{
	Suite *s = suite_create("metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_test(tc, exposition_has_help_type_escapes_and_every_small_series);
	tcase_add_test(tc, a_large_metric_shows_only_series_that_counted);
	tcase_add_test(tc, a_histogram_counts_up_to_and_including_each_bound);
	tcase_add_test(tc, every_line_is_a_comment_or_a_sample_and_no_series_comes_twice);
	tcase_add_test(tc, threads_count_apart_and_reading_sums_them);
	tcase_add_test(tc, a_table_added_later_is_counted_by_an_older_meter);
	tcase_add_test(tc, limits_are_reached_and_refused);
	tcase_add_test(tc, every_allocation_of_metrics_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

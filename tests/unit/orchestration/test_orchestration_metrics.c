/* What the orchestration measures: each row says something, the counts are those of the store, and
 * old counts are not shown. */
#include "orchestration/orchestration_metrics.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/orchestration/lab.h"

enum { OFTEN_US = 1000, TURNS = 5000 };

static const int64_t hour_us = 3600LL * LAB_SECOND;

static struct lab lab;
static struct loop *loop;
static struct metrics *metrics;
static struct orchestration_metrics *om;

static void
set_up(void)
{
	struct err e = {0};

	lab_open(&lab);
	lab_template(&lab, lab_yaml("linear"));
	ck_assert(loop_new("metrics", &loop, &e));
	ck_assert(metrics_new(&metrics, &e));
}

static void
tear_down(void)
{
	loop_stop(loop);
	loop_join(loop);
	orchestration_metrics_stop(om);
	lab_close(&lab);
	loop_free(loop);
	orchestration_metrics_free(om);
	metrics_free(metrics);
}

/* The loop's thread is started by run(). */
static void
begin(int64_t every_us, int64_t stale_us)
{
	const struct orchestration_metrics_settings settings = {
	        .store = lab.store, .loop = loop, .every_us = every_us, .stale_us = stale_us};
	struct err e = {0};

	ck_assert_msg(orchestration_metrics_new(metrics, &settings, &om, &e), "%s", e.text);
}

static void
run(void)
{
	struct err e = {0};

	ck_assert_msg(loop_start(loop, &e), "%s", e.text);
}

/* Does the exposition have a line that begins with this? */
static bool
shows(const char *line)
{
	AUTO(buf) struct buf out = BUF(MIB(1));
	char begins[160];

	buf_char(&out, '\n');
	metrics_render(metrics, &out);
	buf_char(&out, '\0');
	ck_assert(buf_ok(&out));
	(void)snprintf(begins, sizeof(begins), "\n%s", line);
	return strstr(out.data, begins) != NULL;
}

/* Waits until the line is there, or is gone; some 5 s at the most. */
static bool
becomes(const char *line, bool shown)
{
	for (int turn = 0; turn < TURNS; turn++) {
		if (shows(line) == shown)
			return true;
		(void)poll(NULL, 0, 1);
	}
	return false;
}

static const char *const names[] = {
#define METRIC(id, kind, name, help) name,
#include "orchestration/orchestration_metrics.def"
#undef METRIC
};

START_TEST(every_row_is_shown)
{
	begin(hour_us, hour_us);
	run();
	ck_assert(becomes("tasker_steps_ready 0\n", true));
	for (size_t i = 0; i < COUNT(names); i++) {
		char type[128], plain[128], labelled[128];

		(void)snprintf(type, sizeof(type), "# TYPE %s ", names[i]);
		(void)snprintf(plain, sizeof(plain), "%s ", names[i]);
		(void)snprintf(labelled, sizeof(labelled), "%s{", names[i]);
		ck_assert_msg(shows(type), "%s", names[i]);
		ck_assert_msg(shows(plain) || shows(labelled), "%s has no sample", names[i]);
	}
	ck_assert(shows("tasker_orchestration_info{version=\"" TASKER_VERSION "\"} 1\n"));
}
END_TEST

START_TEST(counts_follow_the_store)
{
	begin(OFTEN_US, hour_us);
	run();
	ck_assert(becomes("tasker_tasks{state=\"steps_in_process\"} 0\n", true));
	(void)lab_create(&lab, "linear");
	(void)lab_create(&lab, "linear");
	ck_assert(becomes("tasker_steps{state=\"pending\"} 4\n", true));
	ck_assert(becomes("tasker_steps_ready 2\n", true));
	lab_advance(&lab, 3 * LAB_SECOND);
	ck_assert(becomes("tasker_steps_ready_oldest_seconds 3\n", true));
	ck_assert(shows("tasker_worker_sessions 0\n"));
	(void)lab_worker(&lab, "w1", "0197d6a0-0000-7000-8000-000000000001");
	ck_assert(becomes("tasker_worker_sessions 1\n", true));
	ck_assert(!shows("tasker_store_bytes{file=\"database\"} 0\n"));
}
END_TEST

START_TEST(the_probe_is_asked_at_scrape_time)
{
	begin(hour_us, hour_us);
	ck_assert(shows("tasker_store_degraded 0\n"));
	ck_assert(shows("tasker_store_rollbacks_total 0\n"));
	lab.fault_in = "TASK_INSERT";
	AUTO(store_op) struct store_op *op = lab_create_op("linear", "{\"n\":0}");
	ck_assert_int_ne(lab_run(&lab, op), STORE_OK);
	ck_assert(shows("tasker_store_degraded 1\n"));
	ck_assert(!shows("tasker_store_rollbacks_total 0\n"));
	lab.fault_in = NULL;
}
END_TEST

START_TEST(counts_that_never_came_are_not_shown)
{
	begin(hour_us, hour_us);
	ck_assert(!shows("tasker_tasks{"));
	ck_assert(!shows("tasker_steps_ready 0"));
	ck_assert(shows("tasker_store_parked_polls 0\n"));
}
END_TEST

START_TEST(counts_that_are_too_old_are_not_shown)
{
	begin(hour_us, 50000);
	run();
	ck_assert(becomes("tasker_tasks{", true));
	ck_assert(becomes("tasker_tasks{", false));
	ck_assert(!shows("tasker_store_bytes{"));
}
END_TEST

/* The question is under way when everything ends: it comes back, and nothing leaks. */
START_TEST(end_with_a_question_under_way_is_clean)
{
	begin(hour_us, hour_us);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const struct orchestration_metrics_settings settings = {
	        .store = lab.store, .loop = loop, .every_us = OFTEN_US, .stale_us = hour_us};
	unsigned nth = 0;
	bool built = false;

	while (!built && nth < 100) {
		struct err e = {0};

		fault_allocation(++nth);
		built = orchestration_metrics_new(metrics, &settings, &om, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert(built);
	run();
	ck_assert(becomes("tasker_steps_ready 0\n", true)); /* asked again if it could not ask */
}
END_TEST

Suite *
orchestration_metrics_suite(void)
{
	Suite *s = suite_create("orchestration metrics");
	TCase *tc = tcase_create("metrics");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, every_row_is_shown);
	tcase_add_test(tc, counts_follow_the_store);
	tcase_add_test(tc, the_probe_is_asked_at_scrape_time);
	tcase_add_test(tc, counts_that_never_came_are_not_shown);
	tcase_add_test(tc, counts_that_are_too_old_are_not_shown);
	tcase_add_test(tc, end_with_a_question_under_way_is_clean);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

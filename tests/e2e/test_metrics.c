/* GET /metrics of both daemons: every row of their tables is there, and says what just happened. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

enum which { orchestration, worker };

static const struct {
	enum which daemon;
	const char *name;
} rows[] = {
#define METRIC(id, kind, name, ...) {orchestration, name},
#include "orchestration/orchestration_metrics.def"
#include "shared/gate/gate_metrics.def"
#undef METRIC
#define METRIC(id, kind, name, ...) {worker, name},
#include "shared/gate/gate_metrics.def"
#include "worker/worker_metrics.def"
#undef METRIC
};

static struct pair pair;

static void
start(void)
{
	token_maker_prepare();
	ck_assert(pair_start(&pair, &(struct pair_settings){.worker = NULL}));
	ck_assert(pair_template(&pair, "/v1/templates/demo/diamond/1.0.0"));
}

static void
stop(void)
{
	pair_stop(&pair);
}

static struct wire_reply
scrape(enum which daemon)
{
	const int port = daemon == worker ? pair.worker.port : pair.orchestration.port;

	return wire_call(port, "GET", "/metrics", "", NULL);
}

/* Does a line begin with this? */
static bool
has_line(const char *text, const char *begins)
{
	char line[160];

	(void)snprintf(line, sizeof(line), "\n%s", begins);
	return strncmp(text, begins, strlen(begins)) == 0 || strstr(text, line) != NULL;
}

/* Counts are fetched every 5 s. */
static bool
becomes(const char *line)
{
	const int64_t until = clock_mono_us() + 15000000;
	bool there = false;

	while (!there && clock_mono_us() < until) {
		struct wire_reply r = scrape(orchestration);

		there = r.body != NULL && has_line(r.body, line);
		wire_reply_free(&r);
		if (!there)
			(void)poll(NULL, 0, 50);
	}
	return there;
}

START_TEST(every_row_of_the_tables_is_shown)
{
	struct wire_reply r;
	char type[160];

	ck_assert(becomes("tasker_steps_ready "));
	r = scrape(rows[_i].daemon);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(
	        wire_field(&r, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
	(void)snprintf(type, sizeof(type), "# TYPE %s ", rows[_i].name);
	ck_assert_msg(has_line(r.body, type), "%s is not there", rows[_i].name);
	wire_reply_free(&r);
}
END_TEST

START_TEST(finished_workflow_is_counted_by_both)
{
	char *admin = pair_admin(), *id = pair_task(&pair, admin, "demo", "diamond");
	struct wire_reply r;

	ck_assert(pair_task_is(&pair, id, "complete", 15000));
	ck_assert(becomes("tasker_tasks{state=\"complete\"} 1\n"));
	ck_assert(becomes("tasker_steps{state=\"complete\"} 4\n"));
	ck_assert(becomes("tasker_steps_ready 0\n"));
	ck_assert(becomes("tasker_worker_sessions 1\n"));
	ck_assert(becomes("tasker_store_degraded 0\n"));
	r = scrape(worker);
	ck_assert(has_line(r.body, "tasker_worker_steps_total{outcome=\"ok\"} 4\n"));
	wire_reply_free(&r);
	free(id);
	free(admin);
}
END_TEST

/* Every sample stands below the TYPE line of its own family, and no family comes twice. */
START_TEST(families_are_whole)
{
	struct wire_reply r = scrape((enum which)_i);
	char family[160] = "", type[200];
	char *save = NULL;

	ck_assert_int_eq(r.status, 200);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *first;

		(void)snprintf(type, sizeof(type), "# TYPE %s ", rows[i].name);
		first = strstr(r.body, type);
		ck_assert(first == NULL || strstr(first + 1, type) == NULL);
	}
	for (char *line = strtok_r(r.body, "\n", &save); line != NULL;
	        line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "# TYPE %159s ", family) == 1 || line[0] == '#')
			continue;
		ck_assert_msg(
		        strncmp(line, family, strlen(family)) == 0, "%s below %s", line, family);
	}
	wire_reply_free(&r);
}
END_TEST

Suite *
metrics_suite(void)
{
	Suite *s = suite_create("metrics");
	TCase *tc = tcase_create("pair");

	tcase_add_unchecked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, finished_workflow_is_counted_by_both);
	tcase_add_loop_test(tc, every_row_of_the_tables_is_shown, 0, COUNT(rows));
	tcase_add_loop_test(tc, families_are_whole, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

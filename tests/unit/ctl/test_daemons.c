/* The groups worker, system and template: what daemons say of themselves and know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

#define WELL                                                                                       \
	"{\"status\":\"healthy\",\"checks\":{\"store\":{\"status\":\"healthy\","                   \
	"\"message\":\"sqlite\\u001b[5m\"}},\"info\":{\"version\":\"9.8.7\"}}"
#define ILL "{\"status\":\"degraded\",\"checks\":{},\"system_info\":{\"version\":\"1.2.3\"}}"
#define WORKERS                                                                                    \
	"{\"workers\":[{\"worker_id\":\"w1\",\"live\":false,\"slots\":1},"                         \
	"{\"worker_id\":\"w1\",\"live\":true,\"slots\":8,\"namespaces\":[\"demo\"]}],"             \
	"\"total_count\":2}"

static struct rig r;
static struct peer orchestration, worker;

static void
begin(const char *orchestration_answer, const char *worker_answer)
{
	static struct peer_line scripts[2];

	scripts[0] = (struct peer_line){orchestration_answer, PEER_CLOSE, false, NULL};
	scripts[1] = (struct peer_line){worker_answer, PEER_CLOSE, false, NULL};
	if (orchestration_answer != NULL) {
		peer_start(&orchestration, NULL, &scripts[0], 1);
		r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &orchestration);
	} else {
		r.env[0] = "TASKER_ORCHESTRATION_URL=http://127.0.0.1:1";
	}
	if (worker_answer != NULL) {
		peer_start(&worker, NULL, &scripts[1], 1);
		r.env[1] = rig_url("TASKER_WORKER_URL", &worker);
	} else {
		r.env[1] = "TASKER_WORKER_URL=http://127.0.0.1:1";
	}
}

static void
end(void)
{
	rig_end(&r);
}

START_TEST(two_healthy_daemons_are_0)
{
	begin(rig_answer(200, WELL), rig_answer(200, WELL));
	rig_run(&r, "system", "health", NULL);
	peer_end(&orchestration);
	peer_end(&worker);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(orchestration.request[0], "GET /health/detailed HTTP/1.1");
	rig_has(r.out, "orchestration");
	rig_has(r.out, "`-store");
	ck_assert_ptr_null(strchr(r.out, '\033'));
}
END_TEST

START_TEST(one_that_is_ill_is_1_and_both_are_shown)
{
	begin(rig_answer(200, WELL), rig_answer(200, ILL));
	rig_run(&r, "system", "health", NULL);
	peer_end(&orchestration);
	peer_end(&worker);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.out, "healthy");
	rig_has(r.out, "degraded");
}
END_TEST

START_TEST(one_that_is_away_is_6_and_both_are_shown)
{
	begin(rig_answer(200, WELL), NULL);
	rig_run(&r, "system", "health", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_UNREACHABLE);
	rig_has(r.out, "healthy");
	rig_has(r.out, "unreachable");
}
END_TEST

START_TEST(only_one_is_asked_when_named)
{
	begin(rig_answer(200, WELL), NULL);
	rig_run(&r, "system", "health", "-o", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_lacks(r.out, "worker");
	begin(NULL, rig_answer(200, WELL));
	rig_run(&r, "system", "health", "--workers", NULL);
	peer_end(&worker);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_lacks(r.out, "orchestration");
}
END_TEST

START_TEST(health_as_json_has_both)
{
	begin(rig_answer(200, ILL), NULL);
	rig_run(&r, "--output", "json", "system", "health", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_UNREACHABLE);
	ck_assert_str_eq(r.out, "{\"orchestration\":" ILL ",\"worker\":null}\n");
}
END_TEST

START_TEST(info_names_versions_addresses_and_credentials)
{
	begin(rig_answer(200, WELL), rig_answer(200, ILL));
	r.env[2] = "TASKER_API_KEY=tk_secret";
	rig_run(&r, "system", "info", NULL);
	peer_end(&orchestration);
	peer_end(&worker);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.out, TASKER_VERSION);
	rig_has(r.out, "9.8.7");
	rig_has(r.out, "1.2.3");
	rig_has(r.out, strchr(r.env[0], '=') + 1);
	rig_has(r.out, "TASKER_API_KEY");
	rig_lacks(r.out, "tk_secret");
}
END_TEST

START_TEST(info_works_without_daemons)
{
	begin(NULL, NULL);
	rig_run(&r, "--output", "json", "system", "info", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.out, "\"version\":null");
}
END_TEST

START_TEST(workers_are_listed)
{
	begin(rig_answer(200, WORKERS), NULL);
	rig_run(&r, "worker", "list", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(orchestration.request[0], "GET /v1/workers HTTP/1.1");
	rig_has(r.out, " demo");
}
END_TEST

START_TEST(a_workers_live_session_is_its_status)
{
	begin(rig_answer(200, WORKERS), NULL);
	rig_run(&r, "worker", "status", "w1", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.out, "Slots       8");
	begin(rig_answer(200, WORKERS), NULL);
	rig_run(&r, "--output", "json", "worker", "status", "w1", NULL);
	peer_end(&orchestration);
	ck_assert_str_eq(r.out, "{\"worker_id\":\"w1\",\"live\":true,\"slots\":8,"
	                        "\"namespaces\":[\"demo\"]}\n");
	begin(rig_answer(200, WORKERS), NULL);
	rig_run(&r, "worker", "status", "w2", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_MISSING);
}
END_TEST

START_TEST(the_worker_at_the_address_tells_its_health)
{
	static const char *const commands[] = {"status", "health"};

	for (size_t i = 0; i < COUNT(commands); i++) {
		begin(NULL, rig_answer(200, ILL));
		rig_run(&r, "worker", commands[i], NULL);
		peer_end(&worker);
		ck_assert_int_eq(r.status, EXIT_STATUS_NO);
		rig_has(r.out, "degraded");
	}
	begin(NULL, NULL);
	rig_run(&r, "worker", "health", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_UNREACHABLE);
	rig_has(r.err, "start tasker-worker");
}
END_TEST

START_TEST(templates_are_listed)
{
	begin(rig_answer(200, "{\"templates\":[{\"namespace\":\"demo\",\"name\":\"diamond\","
	                      "\"version\":\"1.0.0\",\"step_count\":4,\"description\":null}]}"),
	        NULL);
	rig_run(&r, "template", "list", "--namespace", "de mo", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(orchestration.request[0], "GET /v1/templates?namespace=de%20mo HTTP/1.1");
	rig_has(r.out, "diamond");
}
END_TEST

START_TEST(a_template_is_shown_with_its_steps)
{
	begin(rig_answer(200, "{\"namespace\":\"demo\",\"name\":\"diamond\",\"version\":\"1.0.0\","
	                      "\"steps\":[{\"name\":\"join\",\"handler\":\"demo.join\","
	                      "\"dependencies\":[\"left\",\"right\"]}]}"),
	        NULL);
	rig_run(&r, "template", "info", "demo/diamond/1.0.0", NULL);
	peer_end(&orchestration);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(orchestration.request[0], "GET /v1/templates/demo/diamond/1.0.0 HTTP/1.1");
	rig_has(r.out, "left, right");
}
END_TEST

static const char *const misnamed[] = {"diamond", "demo/diamond", "a/b/c/d", "//", "a//c", "/b/c"};

START_TEST(a_template_has_three_names)
{
	begin(NULL, NULL);
	rig_run(&r, "template", "info", misnamed[_i], NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "NAMESPACE/NAME/VERSION");
}
END_TEST

Suite *
daemons_suite(void)
{
	Suite *s = suite_create("daemons");
	TCase *tc = tcase_create("daemons");

	tcase_add_checked_fixture(tc, NULL, end);
	tcase_add_test(tc, two_healthy_daemons_are_0);
	tcase_add_test(tc, one_that_is_ill_is_1_and_both_are_shown);
	tcase_add_test(tc, one_that_is_away_is_6_and_both_are_shown);
	tcase_add_test(tc, only_one_is_asked_when_named);
	tcase_add_test(tc, health_as_json_has_both);
	tcase_add_test(tc, info_names_versions_addresses_and_credentials);
	tcase_add_test(tc, info_works_without_daemons);
	tcase_add_test(tc, workers_are_listed);
	tcase_add_test(tc, a_workers_live_session_is_its_status);
	tcase_add_test(tc, the_worker_at_the_address_tells_its_health);
	tcase_add_test(tc, templates_are_listed);
	tcase_add_test(tc, a_template_is_shown_with_its_steps);
	tcase_add_loop_test(tc, a_template_has_three_names, 0, COUNT(misnamed));
	suite_add_tcase(s, tc);
	return s;
}

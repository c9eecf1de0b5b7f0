#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

#define TASK "0190a0b0-0000-7000-8000-000000000001"
#define STEP "0190a0b0-0000-7000-8000-000000000002"

#define TASK_JSON                                                                                  \
	"{\"task_uuid\":\"" TASK "\",\"name\":\"diamond\\u001b[31m\",\"namespace\":\"demo\","      \
	"\"version\":\"1.0.0\",\"status\":\"steps_in_process\",\"priority\":null,"                 \
	"\"context\":{\"n\":9007199254740993},\"total_steps\":4,\"completed_steps\":1,"            \
	"\"steps\":[{\"name\":\"left\\nright\",\"current_state\":\"in_progress\",\"attempts\":1,"  \
	"\"max_attempts\":3,\"completed_parents\":1,\"total_parents\":2,"                          \
	"\"workflow_step_uuid\":\"" STEP "\"}]}"

static struct rig r;
static struct peer peer;

static void
begin(const struct peer_line *script, size_t lines)
{
	peer_start(&peer, NULL, script, lines);
	r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &peer);
}

static void
end(void)
{
	rig_end(&r);
}

/* ---- create ---- */

/* The body that arrived, parsed; its text is in the peer. */
static struct json *
body_of(size_t request)
{
	const char *body = strstr(peer.request[request], "\r\n\r\n") + 4;
	struct json *doc = NULL;
	struct err e = {0};

	ck_assert_msg(json_parse(body, strlen(body), &json_limits_default, &doc, &e), "%s", body);
	return doc;
}

static void
is(const struct json *doc, const char *name, const char *json)
{
	const struct json_node *n = json_member(doc, json_root(doc), name);
	size_t len = 0;
	const char *raw = n != NULL ? json_raw(doc, n, &len) : "";

	ck_assert_msg(strlen(json) == len && memcmp(raw, json, len) == 0, "%s is %.*s, not %s",
	        name, (int)len, raw, json);
}

START_TEST(a_task_is_created_as_the_demo_asks)
{
	const struct peer_line script[] = {
	        {rig_answer(201, TASK_JSON), PEER_CLOSE, false, NULL}
        };
	AUTO(json) struct json *doc = NULL;

	begin(script, 1);
	rig_run(&r, "--output", "json", "task", "create", "--namespace", "demo", "--name",
	        "diamond", "--version", "1.0.0", "--input", "{\"who\":\"Ada\"}", NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_str_eq(r.out, TASK_JSON "\n");
	rig_has(peer.request[0], "POST /v1/tasks HTTP/1.1\r\n");
	rig_has(peer.request[0], "Content-Type: application/json");
	doc = body_of(0);
	is(doc, "name", "\"diamond\"");
	is(doc, "namespace", "\"demo\"");
	is(doc, "version", "\"1.0.0\"");
	is(doc, "context", "{\"who\":\"Ada\"}");
	is(doc, "initiator", "\"tasker-ctl\"");
	is(doc, "source_system", "\"cli\"");
	is(doc, "reason", "\"CLI task creation\"");
	is(doc, "tags", "[]");
	is(doc, "priority", "");
	is(doc, "idempotency_key", "");
	ck_assert_int_eq(
	        json_kind(json_member(doc, json_root(doc), "correlation_id")), JSON_STRING);
}
END_TEST

START_TEST(every_option_of_create_has_its_member)
{
	const struct peer_line script[] = {
	        {rig_answer(201, TASK_JSON), PEER_CLOSE, false, NULL}
        };
	AUTO(json) struct json *doc = NULL;

	begin(script, 1);
	rig_run(&r, "task", "create", "--name", "x", "-v", "2.0.0", "-p", "-7", "-c", TASK,
	        "--idempotency-key", "k", "-r", "why", "-i", "{ \"big\" : 9007199254740993 }",
	        NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	doc = body_of(0);
	is(doc, "namespace", "\"default\"");
	is(doc, "version", "\"2.0.0\"");
	is(doc, "priority", "-7");
	is(doc, "correlation_id", "\"" TASK "\"");
	is(doc, "idempotency_key", "\"k\"");
	is(doc, "reason", "\"why\"");
	is(doc, "context", "{\"big\":9007199254740993}");
	rig_has(r.out, TASK);
}
END_TEST

START_TEST(input_comes_from_a_file_or_stdin_too)
{
	static const char *const ways[] = {"@", "-"};

	for (size_t i = 0; i < COUNT(ways); i++) {
		const struct peer_line script[] = {
		        {rig_answer(201, TASK_JSON), PEER_CLOSE, false, NULL}
                };
		AUTO(json) struct json *doc = NULL;
		char input[600];

		rig_folder_begin();
		rig_write("input.json", "{\n \"a\" : 1\n}\n");
		(void)snprintf(input, sizeof(input), "%s%s", ways[i],
		        ways[i][0] == '@' ? rig_path("input.json") : "");
		r.input = "{\n \"a\" : 1\n}\n";
		begin(script, 1);
		rig_run(&r, "task", "create", "--name", "x", "--input", input, NULL);
		peer_end(&peer);
		rig_folder_end();
		ck_assert_int_eq(r.status, EXIT_STATUS_OK);
		doc = body_of(0);
		is(doc, "context", "{\"a\":1}");
	}
}
END_TEST

/* Nothing is sent: the address leads nowhere, and that would be 6. */
static const struct {
	const char *option, *value, *says;
} slips[] = {
        {"--input",          "",                  "--input"    },
        {"--input",          "[1]",               "object"     },
        {"--input",          "{\"a\":1",          "byte"       },
        {"--input",          "{\"a\":1,\"a\":2}", "duplicate"  },
        {"--input",          "@/nowhere",         "/nowhere"   },
        {"--priority",       "101",               "-100 to 100"},
        {"--correlation-id", "x",                 "UUID"       },
};

START_TEST(slips_are_found_before_anything_is_sent)
{
	r.env[0] = "TASKER_ORCHESTRATION_URL=http://127.0.0.1:1";
	rig_run(&r, "task", "create", "--name", "x", slips[_i].option, slips[_i].value, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, slips[_i].says);
}
END_TEST

/* ---- get, list, cancel ---- */

START_TEST(hostile_names_stay_harmless)
{
	const struct peer_line script[] = {
	        {rig_answer(200, TASK_JSON), PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	r.tty = true;
	rig_run(&r, "task", "get", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_ptr_null(strchr(r.out, '\033'));
	rig_has(r.out, "x1b[31m");
	rig_lacks(r.out, "\nright");
	rig_has(r.out, "9007199254740993");
}
END_TEST

START_TEST(a_task_is_shown_with_its_steps)
{
	const struct peer_line script[] = {
	        {rig_answer(200, TASK_JSON), PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	rig_run(&r, "task", "get", TASK, NULL);
	peer_end(&peer);
	rig_has(r.out, "Status      steps_in_process");
	rig_has(r.out, "Priority    -");
	rig_has(r.out, "in_progress");
	rig_has(r.out, "1/3");
	rig_has(r.out, "1/2");
	rig_has(r.out, STEP);
}
END_TEST

static const char *const no_ids[] = {"x", "", "../workers", TASK "0", "*"};

START_TEST(what_is_no_id_is_not_sent)
{
	static const char *const commands[] = {"get", "cancel", "steps", "watch"};

	r.env[0] = "TASKER_ORCHESTRATION_URL=http://127.0.0.1:1";
	for (size_t i = 0; i < COUNT(commands); i++) {
		rig_run(&r, "task", commands[i], no_ids[_i], NULL);
		ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	}
	rig_run(&r, "task", "step", no_ids[_i], STEP, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
}
END_TEST

START_TEST(cancel_is_delete)
{
	const struct peer_line script[] = {
	        {rig_answer(200, TASK_JSON), PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	rig_run(&r, "task", "cancel", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "DELETE /v1/tasks/" TASK " HTTP/1.1\r\n");
}
END_TEST

START_TEST(a_list_passes_filters_on_and_shows_rows)
{
	const struct peer_line script[] = {
	        {rig_answer(200, "{\"tasks\":[" TASK_JSON "],\"pagination\":{\"page\":2,"
	                         "\"total_count\":31,\"total_pages\":4}}"),
                 PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	rig_run(&r, "task", "list", "-n", "a&b", "-s", "complete,error", "-l", "10", "--page", "2",
	        NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0],
	        "GET /v1/tasks?page=2&per_page=10&namespace=a%26b&status=complete%2Cerror "
	        "HTTP/1.1");
	rig_has(r.out, TASK);
	rig_has(r.out, "1/4");
	ck_assert_ptr_null(strchr(r.out, '\033'));
	rig_has(r.err, "31 tasks, page 2 of 4");
}
END_TEST

START_TEST(an_empty_list_is_an_answer)
{
	const struct peer_line script[] = {
	        {rig_answer(200, "{\"tasks\":[],\"pagination\":{\"page\":1,\"total_count\":0,"
	                         "\"total_pages\":0}}"),
                 PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	rig_run(&r, "task", "list", NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_str_eq(r.out, "");
	rig_has(r.err, "0 tasks");
}
END_TEST

/* ---- steps ---- */

#define STEP_JSON                                                                                  \
	"{\"step_uuid\":\"" STEP                                                                   \
	"\",\"name\":\"left\",\"current_state\":\"error\",\"attempts\":3,"                         \
	"\"max_attempts\":3,\"log\":\"one\\u001b[2J\\ntwo\\n\",\"results\":{\"success\":false,"    \
	"\"result\":null,\"metadata\":{\"execution_time_ms\":12,\"worker_id\":\"w1\"},"            \
	"\"error\":{\"message\":\"no such file\"}}}"

START_TEST(steps_show_what_came_of_them)
{
	const struct peer_line script[] = {
	        {rig_answer(200, "[" STEP_JSON ",{\"name\":\"fresh\",\"results\":null}]"),
                 PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	rig_run(&r, "task", "steps", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "GET /v1/tasks/" TASK "/workflow_steps HTTP/1.1");
	rig_has(r.out, "no such file");
	rig_has(r.out, "w1");
	rig_has(r.out, "3/3");
	rig_has(r.out, "fresh");
}
END_TEST

START_TEST(a_step_is_found_by_its_id)
{
	const struct peer_line script[] = {
	        {rig_answer(200, STEP_JSON), PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	rig_run(&r, "task", "step", TASK, STEP, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "GET /v1/tasks/" TASK "/workflow_steps/" STEP " HTTP/1.1");
	rig_has(r.out, "Log:\n  one\\x1b[2J\n  two\n");
	rig_has(r.out, "{\"message\":\"no such file\"}");
}
END_TEST

START_TEST(a_step_is_found_by_its_name)
{
	const struct peer_line script[] = {
	        {rig_answer(200, "[{\"name\":\"other\"}," STEP_JSON "]"), PEER_KEEP,  false, NULL},
	        {rig_answer(200, STEP_JSON),                              PEER_CLOSE, false, NULL}
        };

	begin(script, 2);
	rig_run(&r, "--output", "json", "task", "step", TASK, "left", NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[1], "/workflow_steps/" STEP " HTTP/1.1");
	ck_assert_str_eq(r.out, STEP_JSON "\n");
}
END_TEST

START_TEST(a_step_that_is_not_there_is_3)
{
	const struct peer_line script[] = {
	        {rig_answer(200, "[" STEP_JSON "]"), PEER_CLOSE, false, NULL}
        };

	begin(script, 1);
	rig_run(&r, "task", "step", TASK, "right", NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_MISSING);
	rig_has(r.err, "no step right");
}
END_TEST

Suite *
task_suite(void)
{
	Suite *s = suite_create("task");
	TCase *tc = tcase_create("tasks");

	tcase_add_checked_fixture(tc, NULL, end);
	tcase_add_test(tc, a_task_is_created_as_the_demo_asks);
	tcase_add_test(tc, every_option_of_create_has_its_member);
	tcase_add_test(tc, input_comes_from_a_file_or_stdin_too);
	tcase_add_loop_test(tc, slips_are_found_before_anything_is_sent, 0, COUNT(slips));
	tcase_add_test(tc, hostile_names_stay_harmless);
	tcase_add_test(tc, a_task_is_shown_with_its_steps);
	tcase_add_loop_test(tc, what_is_no_id_is_not_sent, 0, COUNT(no_ids));
	tcase_add_test(tc, cancel_is_delete);
	tcase_add_test(tc, a_list_passes_filters_on_and_shows_rows);
	tcase_add_test(tc, an_empty_list_is_an_answer);
	tcase_add_test(tc, steps_show_what_came_of_them);
	tcase_add_test(tc, a_step_is_found_by_its_id);
	tcase_add_test(tc, a_step_is_found_by_its_name);
	tcase_add_test(tc, a_step_that_is_not_there_is_3);
	suite_add_tcase(s, tc);
	return s;
}

/* What commands make of answers, and of none: exit codes, words for people, credentials sent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api.h"
#include "ctl/problem.h"
#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

#define TASK "0190a0b0-0000-7000-8000-000000000001"

static struct rig r;
static struct peer peer;

static void
end(void)
{
	rig_end(&r);
}

/* `task get` against a daemon with one answer. */
static void
get_answered(const char *answer)
{
	struct peer_line script[] = {
	        {answer, PEER_CLOSE, false, NULL}
        };

	peer_start(&peer, NULL, script, COUNT(script));
	r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &peer);
	rig_run(&r, "task", "get", TASK, NULL);
	peer_end(&peer);
}

#define PROBLEM(code, message) "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}"

static const struct {
	int status;
	const char *body;
	enum exit_status exit;
	const char *says, *also;
} answers[] = {
#define ANSWER(s, b, e, first, second)                                                             \
	{.status = (s), .body = b, .exit = EXIT_STATUS_##e, .says = (first), .also = (second)},
#include "tests/unit/ctl/answers.def"
#undef ANSWER
};

START_TEST(every_answer_has_its_exit_code_and_words)
{
	get_answered(rig_answer(answers[_i].status, answers[_i].body));
	ck_assert_int_eq(r.status, answers[_i].exit);
	ck_assert_str_eq(r.out, "");
	rig_has(r.err, answers[_i].says);
	rig_has(r.err, answers[_i].also);
	ck_assert_ptr_null(strchr(r.err, '\033'));
}
END_TEST

START_TEST(a_refused_credential_is_named)
{
	r.env[1] = "TASKER_API_KEY=tk_secret";
	get_answered(rig_answer(401, PROBLEM("A", "Invalid or expired credential")));
	rig_has(r.err, "the credential in TASKER_API_KEY was refused");
	rig_has(r.err, "[[web.auth.api_keys]]");
	rig_lacks(r.err, "validate-token");
	rig_lacks(r.err, "tk_secret");
}
END_TEST

START_TEST(retry_after_is_passed_on)
{
	get_answered("HTTP/1.1 503 S\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	ck_assert_int_eq(r.status, EXIT_STATUS_UNREACHABLE);
	rig_has(r.err, "try again in 7 s");
}
END_TEST

START_TEST(an_unreachable_daemon_is_told_with_its_address)
{
	char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d", peer_dead_port());
	rig_run(&r, "task", "get", TASK, "--orchestration-url", url, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_UNREACHABLE);
	rig_has(r.err, url);
	rig_has(r.err, "start tasker-orchestration");
	rig_has(r.err, "TASKER_ORCHESTRATION_URL");
}
END_TEST

START_TEST(a_bad_address_is_a_slip_of_the_user)
{
	r.env[0] = "TASKER_ORCHESTRATION_URL=localhost:8080";
	rig_run(&r, "task", "get", TASK, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "http://");
}
END_TEST

static const struct {
	const char *env, *header;
} sent[] = {
        {"TASKER_AUTH_TOKEN=abc", "\r\nAuthorization: Bearer abc\r\n"},
        {"TASKER_API_KEY=abc",    "\r\nX-API-Key: abc\r\n"           },
};

START_TEST(the_credential_goes_into_its_header)
{
	r.env[1] = sent[_i].env;
	get_answered(rig_answer(200, "{\"task_uuid\":\"" TASK "\"}"));
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "GET /v1/tasks/" TASK " HTTP/1.1\r\n");
	rig_has(peer.request[0], sent[_i].header);
}
END_TEST

START_TEST(a_credential_is_not_said_aloud)
{
	struct peer_line script[] = {
	        {rig_answer(200, "{}"), PEER_CLOSE, false, NULL}
        };

	peer_start(&peer, NULL, script, COUNT(script));
	r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &peer);
	r.env[1] = "TASKER_AUTH_TOKEN=very-secret";
	rig_run(&r, "-v", "task", "get", TASK, NULL);
	peer_end(&peer);
	rig_has(r.err, "credential: TASKER_AUTH_TOKEN");
	rig_has(r.err, "< 200 in ");
	rig_has(r.err, "request-7");
	rig_lacks(r.err, "very-secret");
}
END_TEST

START_TEST(json_is_the_answer_on_one_line)
{
	struct peer_line script[] = {
	        {rig_answer(200, "{ \"task_uuid\":\"" TASK "\",\n \"n\" : 18446744073709551615 }"),
                 PEER_CLOSE, false, NULL}
        };

	peer_start(&peer, NULL, script, COUNT(script));
	r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &peer);
	rig_run(&r, "--output", "json", "task", "get", TASK, NULL);
	peer_end(&peer);
	ck_assert_str_eq(r.out, "{\"task_uuid\":\"" TASK "\",\"n\":18446744073709551615}\n");
}
END_TEST

START_TEST(a_silent_daemon_is_given_up)
{
	struct peer_line script[] = {
	        {"", PEER_HOLD, false, NULL}
        };

	peer_start(&peer, NULL, script, COUNT(script));
	r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &peer);
	r.env[1] = "TASKER_ORCHESTRATION_TIMEOUT_MS=50";
	rig_run(&r, "task", "get", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_UNREACHABLE);
	rig_has(r.err, "no answer within 50 ms");
}
END_TEST

static const struct {
	const char *segment, *path;
} segments[] = {
        {"plain-._~9",   "/v1/plain-._~9"       },
        {"../admin",     "/v1/..%2Fadmin"       },
        {"a b?c#d&e",    "/v1/a%20b%3Fc%23d%26e"},
        {"\xc3\xbc\r\n", "/v1/%C3%BC%0D%0A"     },
        {"%2e",          "/v1/%252e"            },
};

START_TEST(a_segment_cannot_leave_its_place)
{
	struct buf path = BUF(256);

	api_path(&path, "/v1");
	api_segment(&path, segments[_i].segment);
	buf_char(&path, '\0');
	ck_assert_str_eq(path.data, segments[_i].path);
	buf_free(&path);
}
END_TEST

START_TEST(a_query_is_one_question_mark_and_ampersands)
{
	struct buf path = BUF(256);

	api_path(&path, "/v1/tasks");
	api_query(&path, "a", "1&b=2");
	api_query(&path, "c", "x y");
	buf_char(&path, '\0');
	ck_assert_str_eq(path.data, "/v1/tasks?a=1%26b%3D2&c=x%20y");
	buf_free(&path);
}
END_TEST

START_TEST(unknown_formats_and_misplaced_options_are_refused)
{
	rig_run(&r, "--output", "yaml", "task", "list", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_run(&r, "--timeout", "0", "task", "list", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_run(&r, "--config", "x", "task", "list", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "environment");
}
END_TEST

START_TEST(colours_are_for_terminals_that_want_them)
{
	static const struct {
		bool tty;
		const char *env[2];
		bool coloured;
	} cases[] = {
	        {false, {"TERM=xterm", NULL},         false},
	        {true,  {"TERM=xterm", NULL},         true },
	        {true,  {"TERM=dumb", NULL},          false},
	        {true,  {NULL, NULL},                 false},
	        {true,  {"TERM=xterm", "NO_COLOR=1"}, false},
	        {true,  {"TERM=xterm", "NO_COLOR="},  true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		r.tty = cases[i].tty;
		r.env[0] = cases[i].env[0];
		r.env[1] = cases[i].env[1];
		rig_run(&r, "task", "get", "no-id", NULL);
		ck_assert_int_eq(strchr(r.err, '\033') != NULL, cases[i].coloured);
	}
}
END_TEST

START_TEST(an_answer_that_cannot_be_written_is_no_success)
{
	char name[] = "tasker-ctl", group[] = "auth", command[] = "show-permissions";
	char *argv[] = {name, group, command, NULL};
	FILE *full = fopen("/dev/full", "we"), *null = fopen("/dev/null", "r+e");
	const struct ctl_world world = {.in = null, .out = full, .err = null};

	ck_assert(full != NULL && null != NULL);
	ck_assert_int_eq(ctl_run(&world, 3, argv), EXIT_STATUS_NO);
	(void)fclose(full);
	(void)fclose(null);
}
END_TEST

Suite *
api_suite(void)
{
	Suite *s = suite_create("api");
	TCase *tc = tcase_create("answers");

	tcase_add_checked_fixture(tc, NULL, end);
	tcase_add_loop_test(tc, every_answer_has_its_exit_code_and_words, 0, COUNT(answers));
	tcase_add_test(tc, a_refused_credential_is_named);
	tcase_add_test(tc, retry_after_is_passed_on);
	tcase_add_test(tc, an_unreachable_daemon_is_told_with_its_address);
	tcase_add_test(tc, a_bad_address_is_a_slip_of_the_user);
	tcase_add_loop_test(tc, the_credential_goes_into_its_header, 0, COUNT(sent));
	tcase_add_test(tc, a_credential_is_not_said_aloud);
	tcase_add_test(tc, json_is_the_answer_on_one_line);
	tcase_add_test(tc, a_silent_daemon_is_given_up);
	tcase_add_loop_test(tc, a_segment_cannot_leave_its_place, 0, COUNT(segments));
	tcase_add_test(tc, a_query_is_one_question_mark_and_ampersands);
	tcase_add_test(tc, unknown_formats_and_misplaced_options_are_refused);
	tcase_add_test(tc, colours_are_for_terminals_that_want_them);
	tcase_add_test(tc, an_answer_that_cannot_be_written_is_no_success);
	suite_add_tcase(s, tc);
	return s;
}

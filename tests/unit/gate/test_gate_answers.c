/* What a refusal says: to the caller, to the log and to the metrics. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/gate/rig.h"

static int64_t
counted(const struct rig *r, enum gate_metric which, struct metric_at at)
{
	return metrics_value(r->metrics, gate_metrics_id(r->gate_metrics, which), at);
}

START_TEST(a_credential_header_sent_twice_is_400_and_closes_CR3)
{
	static const char *const twice[] = {"X-API-Key: " RIGHT_KEY "\r\nx-api-key: " RIGHT_KEY
	                                    "\r\n",
	        "Authorization: Bearer x\r\nAuthorization: Bearer x\r\n",
	        "Authorization: Bearer x\r\nauthorization:\r\n"};
	static const char *const paths[] = {"/v1/whoami", "/health", "/nothing", "/v1/nothing"};
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	for (size_t i = 0; i < COUNT(twice); i++)
		for (size_t p = 0; p < COUNT(paths); p++) {
			struct answer a;

			rig_request(&r, "GET", paths[p], twice[i], NULL, &a);
			ck_assert_int_eq(a.status, 400);
			ck_assert(a.closed);
		}
	ck_assert_uint_eq(r.handled, 0);
	rig_close(&r);
}
END_TEST

START_TEST(every_bad_credential_gets_the_same_401_CR2_CR4_CR5_CR10)
{
	static const char *const bad[] = {"X-API-Key: " BAD_KEY "\r\n", "X-API-Key: short\r\n",
	        "X-API-Key:\r\n", "Authorization: Bearer a.b.c\r\n", "Authorization: Bearer\r\n",
	        "Authorization: Basic eDp5\r\n",
	        "Authorization: Basic eDp5\r\nX-API-Key: " RIGHT_KEY "\r\n",
	        "Authorization: Bearer a.b.c\r\nX-API-Key: " RIGHT_KEY "\r\n",
	        "Authorization:\r\nX-API-Key: " RIGHT_KEY "\r\n"};
	struct answer first, a;
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	for (size_t i = 0; i < COUNT(bad); i++) {
		char fields[512];

		(void)snprintf(fields, sizeof(fields), "%sX-Request-Id: same\r\n", bad[i]);
		rig_request(&r, "GET", "/v1/whoami", fields, NULL, i == 0 ? &first : &a);
		if (i == 0)
			continue;
		ck_assert_int_eq(a.status, 401);
		ck_assert_str_eq(a.body, first.body);
		ck_assert_str_eq(answer_field(&a, "WWW-Authenticate"),
		        "Bearer realm=\"tasker\", error=\"invalid_token\"");
	}
	ck_assert_str_eq(first.body,
	        "{\"error\":{\"code\":\"AUTHENTICATION_FAILED\","
	        "\"message\":\"Invalid or expired credential\"},"
	        "\"type\":\"/problems/authentication-failed\",\"title\":\"Unauthorized\","
	        "\"status\":401,\"detail\":\"Invalid or expired credential\","
	        "\"request_id\":\"same\"}");
	rig_request(&r, "GET", "/v1/whoami", "", NULL, &a);
	ck_assert_str_eq(answer_field(&a, "WWW-Authenticate"), "Bearer realm=\"tasker\"");
	ck_assert_ptr_nonnull(strstr(a.body, "Missing authentication credentials"));
	rig_close(&r);
}
END_TEST

START_TEST(a_403_names_the_permission_and_not_the_object_PM5)
{
	struct answer a;
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	rig_request(&r, "POST", "/v1/tasks", "X-API-Key: " LOW_KEY "\r\nX-Request-Id: r.1\r\n",
	        "{}", &a);
	ck_assert_int_eq(a.status, 403);
	ck_assert_str_eq(answer_field(&a, "WWW-Authenticate"),
	        "Bearer realm=\"tasker\", error=\"insufficient_scope\", scope=\"tasks:create\"");
	ck_assert_str_eq(a.body,
	        "{\"error\":{\"code\":\"AUTHORIZATION_FAILED\","
	        "\"message\":\"Missing required permission: tasks:create\"},"
	        "\"type\":\"/problems/"
	        "authorization-failed\",\"title\":\"Forbidden\",\"status\":403,"
	        "\"detail\":\"Missing required permission: tasks:create\",\"request_id\":\"r.1\"}");
	ck_assert(answer_has(&a, "Content-Type: application/problem+json"));
	ck_assert(answer_has(&a, "Cache-Control: no-store"));
	ck_assert(answer_has(&a, "X-Content-Type-Options: nosniff"));
	rig_request(&r, "POST", "/v1/internal/workers", "X-API-Key: " RIGHT_KEY "\r\n", "{}", &a);
	ck_assert_str_eq(answer_field(&a, "WWW-Authenticate"),
	        "Bearer realm=\"tasker\", error=\"insufficient_scope\"");
	rig_close(&r);
}
END_TEST

START_TEST(allow_is_all_that_options_and_405_reveal_PM6)
{
	struct answer a;
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	rig_request(&r, "OPTIONS", "/v1/tasks/x", "Origin: http://evil\r\n", NULL, &a);
	ck_assert_int_eq(a.status, 204);
	ck_assert_str_eq(answer_field(&a, "Allow"), "GET, HEAD, PATCH, DELETE, OPTIONS");
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Origin"), "");
	rig_request(&r, "PUT", "/v1/tasks", "X-API-Key: " LOW_KEY "\r\n", NULL, &a);
	ck_assert_int_eq(a.status, 405);
	ck_assert_str_eq(answer_field(&a, "Allow"), "GET, HEAD, POST, OPTIONS");
	ck_assert_ptr_nonnull(strstr(a.body, "\"type\":\"/problems/method-not-allowed\""));
	rig_close(&r);
}
END_TEST

START_TEST(a_refusal_is_one_warning_and_counted_without_the_credential)
{
	struct answer a;
	struct rig r;
	const char *text;

	rig_capture_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", "/v1/tasks?secret=s3cr3t", "X-API-Key: " BAD_KEY "\r\n", NULL, &a);
	rig_request(&r, "POST", "/v1/tasks", "X-API-Key: " LOW_KEY "\r\n", "{\"password\":1}", &a);
	rig_request(&r, "GET", "/v1/whoami", "X-API-Key: " RIGHT_KEY "\r\n", NULL, &a);
	text = rig_logged();
	ck_assert_ptr_nonnull(strstr(text, "auth.denied"));
	ck_assert_ptr_nonnull(strstr(text, "\"reason\":\"api_key\""));
	ck_assert_ptr_nonnull(strstr(text, "\"permission\":\"tasks:create\""));
	ck_assert_ptr_nonnull(strstr(text, "\"subject\":\"key:low\""));
	ck_assert_ptr_nonnull(strstr(text, "http.request"));
	ck_assert_ptr_nonnull(strstr(text, "\"route\":\"/v1/whoami\""));
	ck_assert_ptr_null(strstr(text, "s3cr3t"));
	ck_assert_ptr_null(strstr(text, "password"));
	ck_assert_ptr_null(strstr(text, "tk_"));
	ck_assert_int_eq(counted(&r, GATE_METRIC_AUTH_FAILURES, AT(VERDICT_DENY_API_KEY)), 1);
	ck_assert_int_eq(counted(&r, GATE_METRIC_DENIALS, AT(PERMISSION_TASKS_CREATE)), 1);
	ck_assert_int_eq(counted(&r, GATE_METRIC_AUTH_REQUESTS, AT(AUTH_METHOD_API_KEY, 0)), 2);
	ck_assert_int_eq(counted(&r, GATE_METRIC_AUTH_REQUESTS, AT(AUTH_METHOD_API_KEY, 1)), 1);
	rig_close(&r);
}
END_TEST

/* "Authorization: Bearer …" for a user who may list tasks; one character of it changed. */
static char *
token_field(bool broken)
{
	char payload[512], *token, *field;

	(void)snprintf(payload, sizeof(payload),
	        "{\"iss\":\"tasker-core\",\"aud\":\"tasker-api\",\"sub\":\"ann\",\"iat\":%lld,"
	        "\"exp\":%lld,\"permissions\":[\"tasks:list\"]}",
	        (long long)(clock_wall_us() / 1000000),
	        (long long)(clock_wall_us() / 1000000 + 600));
	token = token_make(TOKEN_KEY_RSA, "RS256", payload);
	if (broken) {
		char *c = token + strlen(token) - 20;

		*c = *c == 'A' ? 'B' : 'A';
	}
	ck_assert_int_gt(asprintf(&field, "Authorization: Bearer %s\r\n", token), 0);
	free(token);
	return field;
}

START_TEST(a_token_opens_what_it_lists_and_is_verified_once)
{
	const struct rig_settings settings = {.tokens = true};
	char *good = token_field(false), *broken = token_field(true);
	struct answer a;
	struct rig r;

	rig_capture_log();
	rig_open(&r, &settings);
	for (int i = 0; i < 3; i++) {
		rig_request(&r, "GET", "/v1/tasks", good, NULL, &a);
		ck_assert_int_eq(a.status, 200);
	}
	rig_request(&r, "POST", "/v1/tasks", good, "{}", &a);
	ck_assert_int_eq(a.status, 403);
	rig_request(&r, "GET", "/v1/tasks", broken, NULL, &a);
	ck_assert_int_eq(a.status, 401);
	ck_assert_uint_eq(r.handled, 3);
	ck_assert_int_eq(counted(&r, GATE_METRIC_VERIFICATION, AT(0)), 1);
	ck_assert_int_eq(counted(&r, GATE_METRIC_VERIFICATION, AT(1)), 1);
	ck_assert_int_eq(counted(&r, GATE_METRIC_CACHE_HITS, AT(0)), 3);
	ck_assert_int_eq(counted(&r, GATE_METRIC_AUTH_REQUESTS, AT(AUTH_METHOD_JWT, 0)), 4);
	ck_assert_int_eq(counted(&r, GATE_METRIC_AUTH_REQUESTS, AT(AUTH_METHOD_JWT, 1)), 1);
	ck_assert_int_eq(counted(&r, GATE_METRIC_AUTH_FAILURES, AT(VERDICT_DENY_SIGNATURE)), 1);
	ck_assert_int_eq(counted(&r, GATE_METRIC_DENIALS, AT(PERMISSION_TASKS_CREATE)), 1);
	ck_assert_ptr_null(strstr(rig_logged(), "eyJ")); /* no token in the log */
	free(good);
	free(broken);
	rig_close(&r);
}
END_TEST

static const struct {
	bool lax, hushed;
	int status;
	const char *event, *permission; /* logged; permission NULL: without it */
} unknowns[] = {
        {true,  false, 200, "auth.unknown_permission", "tasks:fly"},
        {true,  true,  200, NULL,                      NULL       },
        {false, false, 401, "auth.denied",             "tasks:fly"},
        {false, true,  401, "auth.denied",             NULL       },
};

/* In lax mode once a token, in strict mode in the line of each refusal. */
START_TEST(a_permission_that_nobody_knows_is_logged_JT18)
{
	const struct rig_settings settings = {
	        .tokens = true, .lax = unknowns[_i].lax, .hushed = unknowns[_i].hushed};
	char *claims =
	        token_user_claims("alice", "tasks:read tasks:fly", clock_wall_us() / 1000000);
	char *token = token_make(TOKEN_KEY_RSA, "RS256", claims);
	const char *event = unknowns[_i].event, *at = NULL;
	char field[4096];
	struct answer a;
	struct rig r;

	rig_capture_log();
	rig_open(&r, &settings);
	(void)snprintf(field, sizeof(field), "Authorization: Bearer %s\r\n", token);
	for (int i = 0; i < 2; i++) {
		rig_request(&r, "GET", "/v1/whoami", field, NULL, &a);
		ck_assert_int_eq(a.status, unknowns[_i].status);
	}
	ck_assert_ptr_null(strstr(rig_logged(), token));
	if (event != NULL)
		at = strstr(rig_logged(), event);
	ck_assert_int_eq(at != NULL, event != NULL);
	ck_assert_int_eq(
	        strstr(rig_logged(), "tasks:fly") != NULL, unknowns[_i].permission != NULL);
	if (unknowns[_i].lax && at != NULL) {
		ck_assert_ptr_null(strstr(at + 1, event));
		ck_assert_ptr_nonnull(strstr(at, "\"permission\":\"tasks:fly\""));
		ck_assert_ptr_nonnull(strstr(at, "\"subject\":\"alice\""));
	}
	if (!unknowns[_i].lax)
		ck_assert_ptr_nonnull(strstr(at, "\"reason\":\"unknown_permission\""));
	rig_close(&r);
	free(token);
	free(claims);
}
END_TEST

static const struct {
	const char *text;
	int status;
	const char *code;
} refusals[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\nbad field: x\r\n\r\n",                      400, "BAD_REQUEST"               },
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
         "NOT_IMPLEMENTED"                                                                                          },
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n",                                      505, "HTTP_VERSION_NOT_SUPPORTED"},
};

START_TEST(what_the_parser_refuses_is_the_same_problem_body)
{
	const int status = refusals[_i].status;
	char code[64];
	struct answer a;
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	rig_ask(&r, refusals[_i].text, &a);
	ck_assert_int_eq(a.status, status);
	ck_assert(answer_has(&a, "Content-Type: application/problem+json"));
	(void)snprintf(code, sizeof(code), "\"code\":\"%s\"", refusals[_i].code);
	ck_assert_ptr_nonnull(strstr(a.body, code));
	ck_assert(a.closed);
	ck_assert_int_eq(counted(&r, GATE_METRIC_REFUSED, AT(gate_metrics_refusal(status))), 1);
	rig_close(&r);
}
END_TEST

Suite *
gate_answers_suite(void)
{
	Suite *s = suite_create("gate_answers");
	TCase *tc = tcase_create("gate_answers");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_credential_header_sent_twice_is_400_and_closes_CR3);
	tcase_add_test(tc, every_bad_credential_gets_the_same_401_CR2_CR4_CR5_CR10);
	tcase_add_test(tc, a_403_names_the_permission_and_not_the_object_PM5);
	tcase_add_test(tc, allow_is_all_that_options_and_405_reveal_PM6);
	tcase_add_test(tc, a_refusal_is_one_warning_and_counted_without_the_credential);
	tcase_add_test(tc, a_token_opens_what_it_lists_and_is_verified_once);
	tcase_add_loop_test(tc, a_permission_that_nobody_knows_is_logged_JT18, 0, COUNT(unknowns));
	tcase_add_loop_test(
	        tc, what_the_parser_refuses_is_the_same_problem_body, 0, COUNT(refusals));
	suite_add_tcase(s, tc);
	return s;
}

/* Whole workflows through the pair, as a user sees them; and what the seeds promise about tasks. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

static struct pair pair;

static void
start(void)
{
	token_maker_prepare();
	ck_assert(pair_start(&pair, &(struct pair_settings){.worker = NULL}));
	ck_assert(pair_template(&pair, "/v1/templates/demo/diamond/1.0.0"));
	ck_assert(pair_template(&pair, "/v1/templates/demo/shell/1.0.0"));
}

static void
stop(void)
{
	pair_stop(&pair);
}

static struct wire_reply
call(const char *method, const char *path, const char *header, const char *body)
{
	return wire_call(pair.orchestration.port, method, path, header, body);
}

/* The body for a template of the demo, with a context. */
static void
body_for(char out[512], const char *template, const char *context)
{
	(void)snprintf(out, 512,
	        "{\"name\":\"%s\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":%s,"
	        "\"initiator\":\"e2e\",\"source_system\":\"test\",\"reason\":\"because\"}",
	        template, context);
}

static char *
create(const char *template, const char *context, int *status)
{
	char body[512];
	char *admin = pair_admin(), *id;
	struct wire_reply r;

	body_for(body, template, context);
	r = call("POST", "/v1/tasks", admin, body);
	*status = r.status;
	id = pair_member(r.body, "task_uuid");
	free(admin);
	wire_reply_free(&r);
	return id;
}

static const char *const templates[] = {"diamond", "linear", "shell"};

START_TEST(demo_workflow_completes)
{
	int status;
	char *id = create(templates[_i], "{\"number\":6}", &status);

	ck_assert_int_eq(status, 201);
	ck_assert(pair_task_is(&pair, id, "complete", 15000));
	free(id);
}
END_TEST

START_TEST(complete_step_shows_its_result_in_tasker_envelope)
{
	int status;
	char path[96];
	char *admin = pair_admin(), *id = create("diamond", "{\"number\":7}", &status);
	struct wire_reply r;

	ck_assert(pair_task_is(&pair, id, "complete", 15000));
	(void)snprintf(path, sizeof(path), "/v1/tasks/%s/workflow_steps", id);
	r = call("GET", path, admin, NULL);
	ck_assert_int_eq(r.status, 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"current_state\":\"complete\""));
	ck_assert_ptr_nonnull(strstr(r.body, "\"success\":true"));
	ck_assert_ptr_nonnull(strstr(r.body, "\"worker_id\":\"e2e-worker\""));
	wire_reply_free(&r);
	free(admin);
	free(id);
}
END_TEST

START_TEST(same_request_twice_is_409_with_the_first_id)
{
	int status;
	char *first = create("diamond", "{\"number\":8,\"big\":9007199254740993}", &status);
	char *again;

	ck_assert_int_eq(status, 201);
	/* the order of members does not matter to the identity */
	again = create("diamond", "{ \"big\" : 9007199254740993, \"number\":8}", &status);
	ck_assert_int_eq(status, 409);
	ck_assert_str_eq(again, first);
	free(first);
	free(again);
}
END_TEST

START_TEST(context_is_kept_token_for_token)
{
	int status;
	char path[64];
	char *admin = pair_admin();
	char *id = create("diamond",
	        "{ \"number\" : 1.50e0, \"once\": true, \"id\": 18446744073709551615 }", &status);
	struct wire_reply r;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	r = call("GET", path, admin, NULL);
	ck_assert_ptr_nonnull(strstr(r.body,
	        "\"context\":{\"number\":1.50e0,\"once\":true,\"id\":18446744073709551615}"));
	wire_reply_free(&r);
	free(admin);
	free(id);
}
END_TEST

/* OW1, OW4: foreign, malformed and missing are one answer, byte for byte but for the request's id.
 */
START_TEST(foreign_malformed_and_missing_look_the_same)
{
	int status;
	char paths[3][96];
	char *mine = create("diamond", "{\"number\":10}", &status);
	char *stranger = pair_bearer(&(struct pair_claims){
	        .subject = "mallory", .tenant = "umbrella", .permissions = PAIR_ALL});
	static const char *const methods[] = {"GET", "DELETE"};

	(void)snprintf(paths[0], sizeof(paths[0]), "/v1/tasks/%s", mine);
	(void)snprintf(
	        paths[1], sizeof(paths[1]), "/v1/tasks/0197d6a0-0000-7000-8000-000000000000");
	(void)snprintf(paths[2], sizeof(paths[2]), "/v1/tasks/not-an-id");
	for (size_t m = 0; m < COUNT(methods); m++) {
		char first[1024] = "";

		for (size_t i = 0; i < COUNT(paths); i++) {
			char header[4096];
			struct wire_reply r;

			(void)snprintf(
			        header, sizeof(header), "%sX-Request-Id: same\r\n", stranger);
			r = call(methods[m], paths[i], header, NULL);
			ck_assert_int_eq(r.status, 404);
			ck_assert_ptr_nonnull(strstr(r.body, "\"TASK_NOT_FOUND\""));
			if (i == 0)
				(void)snprintf(first, sizeof(first), "%s", r.body);
			ck_assert_str_eq(r.body, first);
			wire_reply_free(&r);
		}
	}
	free(mine);
	free(stranger);
}
END_TEST

/* OW3: lists and totals count one's own only. */
START_TEST(list_of_another_tenant_is_empty)
{
	int status;
	char *mine = create("diamond", "{\"number\":11}", &status);
	char *stranger = pair_bearer(
	        &(struct pair_claims){.tenant = "umbrella", .permissions = "tasks:list"});
	struct wire_reply r = call("GET", "/v1/tasks", stranger, NULL);

	ck_assert_int_eq(r.status, 200);
	ck_assert_ptr_nonnull(strstr(r.body, "\"tasks\":[]"));
	ck_assert_ptr_nonnull(strstr(r.body, "\"total_count\":0"));
	wire_reply_free(&r);
	free(stranger);
	free(mine);
}
END_TEST

static const struct {
	const char *body;
	int status;
	const char *says;
} refused[] = {
        {"{",                                                                                       400, "byte"     },
        {"[]",                                                                                      400, "object"   },
        {"{}",                                                                                      400, "/context" },
        {"{\"name\":1}",                                                                            400, "/name"    },
        {"{\"name\":\"diamond\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":[],"
         "\"initiator\":\"a\",\"source_system\":\"b\",\"reason\":\"c\"}",                  400, "/context" },
        {"{\"name\":\"diamond\",\"namespace\":\"demo\",\"version\":\"9.9.9\",\"context\":{},"
         "\"initiator\":\"a\",\"source_system\":\"b\",\"reason\":\"c\"}",                  404, "9.9.9"    },
        {"{\"name\":\"diamond\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":{},"
         "\"initiator\":\"a\",\"source_system\":\"b\",\"reason\":\"c\",\"owner\":\"me\"}", 400, "/owner"   }, /* OW6 */
        {"{\"name\":\"diamond\",\"namespace\":\"demo\",\"version\":\"1.0.0\",\"context\":{},"
         "\"initiator\":\"a\",\"source_system\":\"b\",\"reason\":\"c\",\"priority\":101}", 400, "/priority"},
        {"{\"a\":1,\"a\":2}",                                                                       400, "duplicate"}, /* HP20 */
};

START_TEST(bad_task_request_says_where)
{
	char *admin = pair_admin();
	struct wire_reply r = call("POST", "/v1/tasks", admin, refused[_i].body);

	ck_assert_int_eq(r.status, refused[_i].status);
	ck_assert_msg(strstr(r.body, refused[_i].says) != NULL, "%s", r.body);
	wire_reply_free(&r);
	free(admin);
}
END_TEST

/* CR6: a good token in the query, a form field or a cookie opens nothing, and is not in the log. */
START_TEST(token_outside_its_header_is_no_credential)
{
	char *bearer = pair_admin(), *token = strchr(strstr(bearer, "Bearer"), ' ') + 1, *log;
	char path[4096], body[4096], cookie[4096];
	struct wire_reply r;

	token[strcspn(token, "\r")] = '\0';
	(void)snprintf(path, sizeof(path), "/v1/tasks?access_token=%s", token);
	(void)snprintf(body, sizeof(body), "{\"access_token\":\"%s\"}", token);
	(void)snprintf(cookie, sizeof(cookie), "Cookie: access_token=%s\r\n", token);
	r = call("GET", path, "", NULL);
	ck_assert_int_eq(r.status, 401);
	wire_reply_free(&r);
	r = call("POST", "/v1/tasks", "", body);
	ck_assert_int_eq(r.status, 401);
	wire_reply_free(&r);
	r = call("GET", "/v1/tasks", cookie, NULL);
	ck_assert_int_eq(r.status, 401);
	wire_reply_free(&r);
	log = daemon_read(pair.dir, "orchestration.log");
	for (int i = 0; i < 200 && strstr(log, "auth.denied") == NULL; i++) {
		free(log); /* the log has a thread of its own */
		(void)poll(NULL, 0, 10);
		log = daemon_read(pair.dir, "orchestration.log");
	}
	ck_assert_ptr_nonnull(strstr(log, "auth.denied"));
	ck_assert_ptr_null(strstr(log, token));
	free(log);
	free(bearer);
}
END_TEST

static const struct {
	const char *query;
	int status;
} queries[] = {
        {"?page=0",                  400},
        {"?page=-1",                 400},
        {"?page=abc",                400},
        {"?per_page=0",              400},
        {"?per_page=101",            400},
        {"?per_page=100&page=1",     200},
        {"?status=nonsense",         400},
        {"?status=complete,pending", 200},
        {"?status=completed",        200},
        {"?nobody=knows",            400}, /* HP13 */
        {"?page=1&page=2",           400},
        {"?namespace=%00",           400},
        {"?namespace=demo",          200},
};

START_TEST(query_is_checked)
{
	char *admin = pair_admin();
	char path[64];
	struct wire_reply r;

	(void)snprintf(path, sizeof(path), "/v1/tasks%s", queries[_i].query);
	r = call("GET", path, admin, NULL);
	ck_assert_msg(r.status == queries[_i].status, "%s: %d %s", path, r.status, r.body);
	wire_reply_free(&r);
	free(admin);
}
END_TEST

START_TEST(cancelled_task_stays_cancelled)
{
	char path[64];
	char *admin = pair_admin(), *id = pair_task(&pair, admin, "demo", "diamond"), *status;
	struct wire_reply r;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	r = call("DELETE", path, admin, NULL);
	if (r.status == 200) { /* else it was faster than we */
		status = pair_member(r.body, "status");
		ck_assert_str_eq(status, "cancelled");
		free(status);
		ck_assert(pair_task_is(&pair, id, "cancelled", 1000));
		wire_reply_free(&r);
		r = call("DELETE", path, admin, NULL);
	}
	ck_assert_int_eq(r.status, 400);
	wire_reply_free(&r);
	free(id);
	free(admin);
}
END_TEST

/* PM1: 403 before the body: 50 MB announced and never sent, with Expect, and chunked. */
static const char *const announced[] = {
        "Content-Length: 52428800\r\n",
        "Content-Length: 52428800\r\nExpect: 100-continue\r\n",
        "Transfer-Encoding: chunked\r\n",
};

START_TEST(refusal_arrives_before_the_body)
{
	char *nobody =
	        pair_bearer(&(struct pair_claims){.permissions = "tasks:read", .tenant = "acme"});
	char head[4096];
	int interim = 0, fd = wire_connect(pair.orchestration.port);
	int64_t from;
	struct wire_reply r;

	(void)snprintf(head, sizeof(head),
	        "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n%s%s\r\n",
	        nobody, announced[_i]);
	from = clock_mono_us();
	ck_assert(wire_send(fd, head, strlen(head)));
	r = wire_read(fd, 5000, false, &interim);
	ck_assert_int_eq(r.status, 403);
	ck_assert_int_eq(interim, 0);
	ck_assert_int_lt(clock_mono_us() - from, 2000000);
	ck_assert_ptr_nonnull(strstr(r.body, "tasks:create"));
	ck_assert_ptr_nonnull(wire_field(&r, "WWW-Authenticate"));
	ck_assert(wire_closes(fd, 5000));
	wire_reply_free(&r);
	free(nobody);
}
END_TEST

Suite *
workflow_suite(void)
{
	Suite *s = suite_create("workflow");
	TCase *tc = tcase_create("pair");

	tcase_add_unchecked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, demo_workflow_completes, 0, COUNT(templates));
	tcase_add_test(tc, complete_step_shows_its_result_in_tasker_envelope);
	tcase_add_test(tc, same_request_twice_is_409_with_the_first_id);
	tcase_add_test(tc, context_is_kept_token_for_token);
	tcase_add_test(tc, foreign_malformed_and_missing_look_the_same);
	tcase_add_test(tc, list_of_another_tenant_is_empty);
	tcase_add_loop_test(tc, bad_task_request_says_where, 0, COUNT(refused));
	tcase_add_test(tc, token_outside_its_header_is_no_credential);
	tcase_add_loop_test(tc, query_is_checked, 0, COUNT(queries));
	tcase_add_test(tc, cancelled_task_stays_cancelled);
	tcase_add_loop_test(tc, refusal_arrives_before_the_body, 0, COUNT(announced));
	suite_add_tcase(s, tc);
	return s;
}

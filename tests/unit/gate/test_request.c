/* A request as its handler sees it: query, holes, replies, ids, and clients that go. */
#include "shared/gate/request.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "tests/unit/gate/rig.h"

#define RIGHT "X-API-Key: " RIGHT_KEY "\r\n"

static void
quiet_log(void)
{
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_JSON, LEVEL_ERROR, "test");
}

static const struct {
	const char *query;
	int status;
	const char *body;
} queries[] = {
        {"",                   200, "[(none)][(none)]"                               },
        {"?",                  200, "[(none)][(none)]"                               },
        {"?limit=5",           200, "[5][(none)]"                                    },
        {"?status=a&limit=5",  200, "[5][a]"                                         },
        {"?limit=",            200, "[][(none)]"                                     },
        {"?limit",             200, "[][(none)]"                                     },
        {"?limit=a+b%2Bc",     200, "[a b+c][(none)]"                                },
        {"?l%69mit=%c3%A4",    200, "[\xc3\xa4][(none)]"                             },
        {"?limit=a=b",         200, "[a=b][(none)]"                                  },
        {"?limit=%0a",         200, "[\n][(none)]"                                   },
        {"?limit=1&limit=1",   400, "given twice"                                    },
        {"?limit=1&l%69mit=2", 400, "given twice"                                    },
        {"?Limit=1",           400, "not known here; this route takes: limit, status"},
        {"?limit=1&evil=1",    400, "not known here"                                 },
        {"?limit=1&",          400, "not known here"                                 },
        {"?&limit=1",          400, "not known here"                                 },
        {"?=1",                400, "not known here"                                 },
        {"?limit=%00",         400, ""                                               }, /* here or in the head's parser */
        {"?limit=%ff",         400, "escape"                                         },
        {"?limit=%c3",         400, "escape"                                         },
        {"?limit=%ed%a0%80",   400, "escape"                                         },
        {"?limit=%4",          400, ""                                               },
        {"?limit=%",           400, ""                                               },
        {"?limit=%zz",         400, ""                                               },
};

START_TEST(queries_are_strict_HP13)
{
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	for (size_t i = 0; i < COUNT(queries); i++) {
		char path[256];
		struct answer a;

		(void)snprintf(path, sizeof(path), "/v1/tasks%s", queries[i].query);
		rig_request(&r, "GET", path, RIGHT, NULL, &a);
		ck_assert_msg(a.status == queries[i].status, "%s: %d", queries[i].query, a.status);
		ck_assert_msg(strstr(a.body, queries[i].body) != NULL, "%s: %s", queries[i].query,
		        a.body);
		ck_assert_ptr_null(strstr(a.body, "evil")); /* input is not echoed */
	}
	rig_close(&r);
}
END_TEST

/* Parameters without text take more room decoded than raw: under ASan, the room is enough. */
START_TEST(a_query_of_many_parameters_is_refused_at_the_first_wrong_one_HP13)
{
	char path[1024] = "/v1/tasks?limit&status";
	struct answer a;
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", path, RIGHT, NULL, &a);
	ck_assert_int_eq(a.status, 200);
	for (int i = 0; i < 500; i++)
		strncat(path, "&", sizeof(path) - strlen(path) - 1);
	rig_request(&r, "GET", path, RIGHT, NULL, &a);
	ck_assert_int_eq(a.status, 400);
	rig_close(&r);
}
END_TEST

START_TEST(a_hole_is_handed_on_raw_and_a_missing_one_is_empty)
{
	struct answer a;
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", "/v1/tasks/a%20b-c", RIGHT, NULL, &a);
	ck_assert_str_eq(a.body, "a%20b-c");
	rig_close(&r);
}
END_TEST

START_TEST(request_ids_are_echoed_when_fit_and_made_otherwise_CF8)
{
	static const char *const unfit[] = {"", "X-Request-Id: a b\r\n", "X-Request-Id:\r\n",
	        "X-Request-Id: <script>\r\n", "X-Request-Id: one\r\nX-Request-Id: two\r\n"};
	struct answer a;
	char last[64] = "";
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", "/health", "X-Request-Id: abc_1.2-3\r\n", NULL, &a);
	ck_assert_str_eq(answer_field(&a, "X-Request-Id"), "abc_1.2-3");
	for (size_t i = 0; i < COUNT(unfit); i++) {
		rig_request(&r, "GET", "/health", unfit[i], NULL, &a);
		ck_assert_uint_eq(strlen(answer_field(&a, "X-Request-Id")), 36);
		ck_assert_str_ne(answer_field(&a, "X-Request-Id"), last);
		(void)snprintf(last, sizeof(last), "%s", answer_field(&a, "X-Request-Id"));
	}
	rig_close(&r);
}
END_TEST

START_TEST(pointers_are_collected_up_to_their_limit_with_further_members)
{
	struct json *doc = NULL;
	const struct json_node *root, *errors;
	struct err e = {0};
	struct answer a;
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", "/v1/invalid", RIGHT, NULL, &a);
	ck_assert_int_eq(a.status, 400);
	ck_assert(answer_has(&a, "Content-Type: application/problem+json"));
	ck_assert_msg(
	        json_parse(a.body, strlen(a.body), &json_limits_default, &doc, &e), "%s", e.text);
	root = json_root(doc);
	errors = json_member(doc, root, "errors");
	ck_assert_uint_eq(json_count(errors), 50);
	ck_assert(
	        json_string_is(doc, json_member(doc, json_first(doc, errors), "pointer"), "/name"));
	ck_assert(json_string_is(
	        doc, json_member(doc, json_first(doc, errors), "detail"), "wrong 0 \"quoted\""));
	ck_assert(json_string_is(
	        doc, json_member(doc, json_member(doc, root, "checks"), "store"), "unhealthy"));
	ck_assert(json_string_is(doc, json_member(doc, root, "type"), "/problems/bad-request"));
	json_free(doc);
	rig_close(&r);
}
END_TEST

START_TEST(half_a_document_is_never_sent)
{
	struct answer a;
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", "/v1/broken", RIGHT, NULL, &a);
	ck_assert_int_eq(a.status, 500);
	ck_assert_ptr_nonnull(strstr(a.body, "\"code\":\"INTERNAL_ERROR\""));
	rig_close(&r);
}
END_TEST

START_TEST(reply_fields_cannot_be_cut_or_split_HP16)
{
	struct answer a;
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", "/v1/fields", RIGHT, NULL, &a);
	ck_assert_int_eq(a.status, 204);
	ck_assert_str_eq(answer_field(&a, "X-Huge"), "");
	ck_assert_str_eq(answer_field(&a, "X-Evil"), "");
	ck_assert_str_eq(answer_field(&a, "X-Injected"), "");
	ck_assert_str_eq(answer_field(&a, "Retry-After"), "7");
	ck_assert_str_eq(answer_field(&a, "Cache-Control"), "max-age=60"); /* the handler's wins */
	ck_assert_ptr_null(strstr(a.head, "no-store"));
	rig_close(&r);
}
END_TEST

START_TEST(head_answers_like_get_without_a_body_PM6)
{
	struct answer get, head;
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	rig_request(&r, "GET", "/v1/whoami", RIGHT, NULL, &get);
	rig_request(&r, "HEAD", "/v1/whoami", RIGHT, NULL, &head);
	ck_assert_int_eq(head.status, 200);
	ck_assert_uint_eq(head.extra, 0);
	ck_assert_uint_gt(strlen(get.body), 0);
	ck_assert_uint_eq(
	        strtoul(answer_field(&head, "Content-Length"), NULL, 10), strlen(get.body));
	rig_close(&r);
}
END_TEST

START_TEST(one_connection_carries_many_requests_each_judged_alone)
{
	struct rig r;
	int fd;

	quiet_log();
	rig_open(&r, NULL);
	fd = rig_connect(&r);
	for (int i = 0; i < 200; i++) {
		static const char *const keys[] = {RIGHT, "", "X-API-Key: " LOW_KEY "\r\n"};
		static const int wanted[] = {200, 401, 403};
		char text[512];
		struct answer a;

		(void)snprintf(text, sizeof(text), "GET /v1/tasks HTTP/1.1\r\nHost: h\r\n%s\r\n",
		        keys[i % 3]);
		rig_send(fd, text, strlen(text));
		rig_receive(&r, fd, false, &a);
		ck_assert_int_eq(a.status, wanted[i % 3]);
		ck_assert(!a.closed);
	}
	(void)close(fd);
	rig_close(&r);
}
END_TEST

static int
park(struct rig *r)
{
	static const char text[] = "GET /v1/park HTTP/1.1\r\nHost: h\r\n" RIGHT "\r\n";
	const int fd = rig_connect(r);

	rig_send(fd, text, sizeof(text) - 1);
	for (int i = 0; i < 1000 && r->parked == NULL; i++)
		rig_turn(r);
	ck_assert_ptr_nonnull(r->parked);
	return fd;
}

START_TEST(a_parked_request_is_answered_later)
{
	struct answer a;
	struct rig r;
	int fd;

	quiet_log();
	rig_open(&r, NULL);
	fd = park(&r);
	ck_assert(request_alive(r.parked));
	ck_assert_str_eq(request_peer(r.parked), "127.0.0.1");
	ck_assert_str_eq(request_route(r.parked)->path, "/v1/park");
	ck_assert_ptr_eq(request_loop(r.parked), r.loop);
	ck_assert_uint_eq(strlen(request_id(r.parked)), 36);
	request_problem(r.parked, 409, "CONFLICT", "Too %s", "late");
	rig_receive(&r, fd, false, &a);
	ck_assert_int_eq(a.status, 409);
	ck_assert_uint_eq(r.gone, 0);
	(void)close(fd);
	rig_close(&r);
}
END_TEST

START_TEST(a_client_that_goes_is_told_once_and_the_reply_is_dropped)
{
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	(void)close(park(&r));
	for (int i = 0; i < 1000 && r.gone == 0; i++)
		rig_turn(&r);
	ck_assert_uint_eq(r.gone, 1);
	ck_assert(!request_alive(r.parked));
	for (int i = 0; i < 20; i++)
		rig_turn(&r);
	request_reply_empty(r.parked, 200);
	for (int i = 0; i < 20; i++)
		rig_turn(&r);
	ck_assert_uint_eq(r.gone, 1);
	rig_close(&r);
}
END_TEST

static void
count(struct request *req, void *arg)
{
	(void)req;
	++*(unsigned *)arg;
}

START_TEST(a_client_that_half_closes_and_then_goes_is_told_once)
{
	struct rig r;
	int fd;

	quiet_log();
	rig_open(&r, NULL);
	fd = park(&r);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	for (int i = 0; i < 1000 && r.gone == 0; i++)
		rig_turn(&r);
	(void)close(fd);
	for (int i = 0; i < 100; i++)
		rig_turn(&r);
	ck_assert_uint_eq(r.gone, 1);
	request_reply_empty(r.parked, 200);
	rig_close(&r);
}
END_TEST

START_TEST(who_asks_late_is_told_at_once_that_the_client_has_gone)
{
	unsigned told = 0;
	struct rig r;

	quiet_log();
	rig_open(&r, NULL);
	(void)close(park(&r));
	for (int i = 0; i < 1000 && r.gone == 0; i++)
		rig_turn(&r);
	request_on_gone(r.parked, count, &told);
	ck_assert_uint_eq(told, 1);
	request_reply_empty(r.parked, 200);
	rig_close(&r);
}
END_TEST

START_TEST(a_request_nobody_answered_is_freed_with_its_gate)
{
	struct rig r;
	int fd;

	quiet_log();
	rig_open(&r, NULL);
	fd = park(&r);
	rig_close(&r); /* under ASan: nothing leaks */
	(void)close(fd);
}
END_TEST

Suite *
request_suite(void)
{
	Suite *s = suite_create("request");
	TCase *tc = tcase_create("request");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, queries_are_strict_HP13);
	tcase_add_test(tc, a_query_of_many_parameters_is_refused_at_the_first_wrong_one_HP13);
	tcase_add_test(tc, a_hole_is_handed_on_raw_and_a_missing_one_is_empty);
	tcase_add_test(tc, request_ids_are_echoed_when_fit_and_made_otherwise_CF8);
	tcase_add_test(tc, pointers_are_collected_up_to_their_limit_with_further_members);
	tcase_add_test(tc, half_a_document_is_never_sent);
	tcase_add_test(tc, reply_fields_cannot_be_cut_or_split_HP16);
	tcase_add_test(tc, head_answers_like_get_without_a_body_PM6);
	tcase_add_test(tc, one_connection_carries_many_requests_each_judged_alone);
	tcase_add_test(tc, a_parked_request_is_answered_later);
	tcase_add_test(tc, a_client_that_goes_is_told_once_and_the_reply_is_dropped);
	tcase_add_test(tc, a_client_that_half_closes_and_then_goes_is_told_once);
	tcase_add_test(tc, who_asks_late_is_told_at_once_that_the_client_has_gone);
	tcase_add_test(tc, a_request_nobody_answered_is_freed_with_its_gate);
	suite_add_tcase(s, tc);
	return s;
}

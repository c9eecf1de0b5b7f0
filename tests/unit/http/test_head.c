/* What an accepted head says; what is refused is in tests/data/http_probes.def. */
#include "shared/http/head.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct http_head head;

static struct head_result
parse(const char *text, const struct http_limits *limits)
{
	size_t scanned = 0;

	return http_head_parse(text, strlen(text), limits, &scanned, &head);
}

static void
span_is(struct span s, const char *text)
{
	ck_assert_uint_eq(s.len, strlen(text));
	if (s.len > 0)
		ck_assert_mem_eq(s.text, text, s.len);
}

START_TEST(a_head_is_taken_apart)
{
	const char *text = "POST /v1/tasks?dry=1 HTTP/1.1\r\nHost: a:8080\r\nX-Api-Key:  k \t\r\n"
	                   "Content-Length: 12\r\nx-api-key: l\r\n\r\n{\"name\":\"x\"}";
	const struct head_result r = parse(text, &http_limits_default);

	ck_assert_int_eq(r.verdict, HEAD_OK);
	ck_assert_uint_eq(r.consumed, strlen(text) - 12);
	ck_assert_int_eq(head.method, METHOD_POST);
	span_is(head.target, "/v1/tasks?dry=1");
	span_is(head.path, "/v1/tasks");
	span_is(head.query, "dry=1");
	span_is(head.host, "a:8080");
	ck_assert(head.has_query && head.keep_alive && !head.expect_continue);
	ck_assert_int_eq(head.minor, 1);
	ck_assert_int_eq(head.body, BODY_LENGTH);
	ck_assert_uint_eq(head.content_length, 12);
	ck_assert_uint_eq(head.field_count, 4);
	span_is(http_head_field(&head, "X-API-KEY")->value, "k");
	ck_assert_uint_eq(http_head_count(&head, "x-api-key"), 2);
	ck_assert_ptr_null(http_head_field(&head, "X-Api"));
	ck_assert_uint_eq(http_head_count(&head, "Authorization"), 0);
}
END_TEST

static const struct {
	const char *name;
	enum method method;
	int status; /* with a body of three bytes: 0 is fine */
} methods[] = {
        {"GET",     METHOD_GET,     400},
        {"HEAD",    METHOD_HEAD,    400},
        {"POST",    METHOD_POST,    0  },
        {"PUT",     METHOD_PUT,     0  },
        {"PATCH",   METHOD_PATCH,   0  },
        {"DELETE",  METHOD_DELETE,  400},
        {"OPTIONS", METHOD_OPTIONS, 400},
};

START_TEST(known_methods_have_their_names_and_their_right_to_a_body_HP5_HP12)
{
	char text[256];
	struct head_result r;

	(void)snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", methods[_i].name);
	r = parse(text, &http_limits_default);
	ck_assert_int_eq(r.verdict, HEAD_OK);
	ck_assert_int_eq(head.method, methods[_i].method);
	ck_assert_str_eq(method_name(methods[_i].method), methods[_i].name);
	(void)snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
	        methods[_i].name);
	r = parse(text, &http_limits_default);
	ck_assert_int_eq(r.verdict, methods[_i].status == 0 ? HEAD_OK : HEAD_BAD);
}
END_TEST

static const struct {
	const char *version, *connection; /* NULL: no such field */
	bool keep_alive;
} persistence[] = {
        {"HTTP/1.1", NULL,                              true },
        {"HTTP/1.1", "keep-alive",                      true },
        {"HTTP/1.1", "close",                           false},
        {"HTTP/1.1", "CLOSE",                           false},
        {"HTTP/1.1", "upgrade, close",                  false},
        {"HTTP/1.1", "close,upgrade",                   false},
        {"HTTP/1.1", "keep-alive\r\nConnection: close", false},
        {"HTTP/1.1", "closed",                          true },
        {"HTTP/1.0", NULL,                              false},
        {"HTTP/1.0", "keep-alive",                      true },
        {"HTTP/1.0", "Keep-Alive",                      true },
        {"HTTP/1.0", "keep-alive, close",               false},
};

START_TEST(a_connection_persists_as_it_says_HP15)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "GET / %s\r\nHost: a\r\n%s%s\r\n\r\n",
	        persistence[_i].version,
	        persistence[_i].connection != NULL ? "Connection: " : "X: ",
	        persistence[_i].connection != NULL ? persistence[_i].connection : "");
	ck_assert_int_eq(parse(text, &http_limits_default).verdict, HEAD_OK);
	ck_assert_int_eq(head.keep_alive, persistence[_i].keep_alive);
}
END_TEST

static const struct {
	const char *fields, *version;
	bool expects, unknown;
} expectations[] = {
        {"Content-Length: 3\r\nExpect: 100-continue\r\n",          "HTTP/1.1", true,  false},
        {"Content-Length: 3\r\nExpect: 100-Continue\r\n",          "HTTP/1.1", true,  false},
        {"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", "HTTP/1.1", true,  false},
        {"Content-Length: 0\r\nExpect: 100-continue\r\n",          "HTTP/1.1", false, false},
        {"Expect: 100-continue\r\n",                               "HTTP/1.1", false, false},
        {"Content-Length: 3\r\nExpect: 100-continue\r\n",          "HTTP/1.0", false, false},
        {"Content-Length: 3\r\nExpect: 200-ok\r\n",                "HTTP/1.1", false, true },
        {"Expect: a\r\n",                                          "HTTP/1.1", false, true },
        {"Expect: a\r\n",                                          "HTTP/1.0", false, false},
};

START_TEST(an_expectation_counts_only_where_a_body_follows)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "POST / %s\r\nHost: a\r\n%s\r\n",
	        expectations[_i].version, expectations[_i].fields);
	ck_assert_int_eq(parse(text, &http_limits_default).verdict, HEAD_OK);
	ck_assert_int_eq(head.expect_continue, expectations[_i].expects);
	ck_assert_int_eq(head.unknown_expectation, expectations[_i].unknown);
}
END_TEST

START_TEST(the_largest_length_is_kept_exactly_HP1)
{
	const struct head_result r =
	        parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
	                &http_limits_default);

	ck_assert_int_eq(r.verdict, HEAD_OK);
	ck_assert(head.content_length == UINT64_C(9999999999999999999));
}
END_TEST

/* Alignment must not matter to the eight-bytes-at-once scan. */
START_TEST(a_control_character_is_found_wherever_it_stands_HP7)
{
	char text[256];

	for (unsigned at = 0; at < 40; at++)
		for (unsigned c = 0; c < 256; c++) {
			const bool control = (c < 0x20 && c != '\t') || c == 0x7f;
			const char *before = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
			size_t len = strlen(before), scanned = 0;
			struct head_result r;

			memset(text, 'a', sizeof(text));
			memcpy(text, before, len);
			text[len + at] = (char)c;
			len += 41;
			memcpy(text + len, "\r\n\r\n", 4);
			r = http_head_parse(text, len + 4, &http_limits_default, &scanned, &head);
			ck_assert_int_eq(r.verdict, control ? HEAD_BAD : HEAD_OK);
		}
}
END_TEST

START_TEST(limits_are_the_callers_LM1)
{
	struct http_limits limits = http_limits_default;

	limits.head_fields = 1;
	ck_assert_int_eq(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &limits).verdict, HEAD_OK);
	ck_assert_int_eq(parse("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n", &limits).verdict,
	        HEAD_TOO_LARGE);
	limits.head_bytes = 27;
	ck_assert_int_eq(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &limits).verdict, HEAD_OK);
	limits.head_bytes = 26;
	ck_assert_int_eq(
	        parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &limits).verdict, HEAD_TOO_LARGE);
}
END_TEST

START_TEST(every_verdict_has_its_status)
{
	ck_assert_int_eq(head_verdict_status(HEAD_BAD), 400);
	ck_assert_int_eq(head_verdict_status(HEAD_TOO_LARGE), 431);
	ck_assert_int_eq(head_verdict_status(HEAD_TARGET_LONG), 414);
	ck_assert_int_eq(head_verdict_status(HEAD_METHOD), 501);
	ck_assert_int_eq(head_verdict_status(HEAD_VERSION), 505);
	ck_assert_int_eq(head_verdict_status(HEAD_CODING), 501);
	ck_assert_str_eq(method_name(METHOD_NONE), "");
}
END_TEST

Suite *
head_suite(void)
{
	Suite *s = suite_create("head");
	TCase *tc = tcase_create("accepted");

	tcase_add_test(tc, a_head_is_taken_apart);
	tcase_add_loop_test(tc, known_methods_have_their_names_and_their_right_to_a_body_HP5_HP12,
	        0, COUNT(methods));
	tcase_add_loop_test(tc, a_connection_persists_as_it_says_HP15, 0, COUNT(persistence));
	tcase_add_loop_test(
	        tc, an_expectation_counts_only_where_a_body_follows, 0, COUNT(expectations));
	tcase_add_test(tc, the_largest_length_is_kept_exactly_HP1);
	tcase_add_test(tc, a_control_character_is_found_wherever_it_stands_HP7);
	tcase_add_test(tc, limits_are_the_callers_LM1);
	tcase_add_test(tc, every_verdict_has_its_status);
	suite_add_tcase(s, tc);
	return s;
}

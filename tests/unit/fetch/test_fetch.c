/* What goes out and what comes back, against a server that plays a script. */
#include "shared/fetch/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fetch/peer.h"
#include "tests/unit/unit.h"

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" body

static struct fetch *
client(bool env_proxy)
{
	struct fetch_options options = {.env_proxy = env_proxy};
	struct fetch *f = NULL;
	struct err e = {0};

	ck_assert_msg(fetch_new(&options, &f, &e), "%s", e.text);
	return f;
}

static struct fetch_request
get(const char *url)
{
	return (struct fetch_request){.method = "GET",
	        .url = url,
	        .connect_timeout_ms = 2000,
	        .timeout_ms = 5000,
	        .response_max = KIB(64)};
}

static void
check_answer(struct fetch *f, const struct fetch_request *request, int status, const char *body)
{
	AUTO(fetch_response) struct fetch_response r = {0};
	struct err e = {0};

	ck_assert_msg(fetch_send(f, request, &r, &e), "%s", e.text);
	ck_assert_int_eq(r.status, status);
	ck_assert_uint_eq(r.body.len, strlen(body));
	if (r.body.len > 0)
		ck_assert_mem_eq(r.body.data, body, r.body.len);
}

START_TEST(one_connection_serves_all_requests)
{
	static const struct peer_line script[] = {{.answer = OK("a1")}, {.answer = OK("b2")},
	        {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx"},
	        {.answer = OK("c3")}};
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	check_answer(f, &request, 200, "a1");
	check_answer(f, &request, 200, "b2");
	check_answer(f, &request, 404, "x");
	check_answer(f, &request, 200, "c3");
	peer_end(&p);
	ck_assert_uint_eq(p.connections, 1);
	ck_assert_uint_eq(p.requests, 4);
}
END_TEST

START_TEST(connection_the_server_closed_is_made_anew)
{
	static const struct peer_line script[] = {
	        {.answer = OK("a1"), .end = PEER_CLOSE},
                {.answer = OK("b2"), .end = PEER_CLOSE}
        };
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	check_answer(f, &request, 200, "a1");
	check_answer(f, &request, 200, "b2");
	peer_end(&p);
	ck_assert_uint_eq(p.connections, 2);
}
END_TEST

START_TEST(request_lost_with_a_kept_connection_is_sent_once_more)
{
	static const struct peer_line script[] = {
	        {.answer = OK("a1")},
                {.answer = "",       .end = PEER_CLOSE},
                {.answer = OK("b2")                 }
        };
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	request.method = "POST";
	request.body = "{}";
	request.body_len = 2;
	check_answer(f, &request, 200, "a1");
	check_answer(f, &request, 200, "b2");
	peer_end(&p);
	ck_assert_uint_eq(p.requests, 3);
	ck_assert_str_eq(p.request[1], p.request[2]);
}
END_TEST

START_TEST(request_goes_out_as_given_and_no_more)
{
	static const struct peer_line script[] = {{.answer = OK("ok")}, {.answer = OK("ok")},
	        {.answer = OK("ok")}, {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"}};
	static const struct fetch_header headers[] = {
	        {"Authorization", "Bearer t"  },
                {"X-Empty",       ""          },
                {"content-type",  "text/plain"}
        };
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	char expected[512];
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	check_answer(f, &request, 200, "ok");
	request.method = "POST";
	request.body = "{}";
	request.body_len = 2;
	check_answer(f, &request, 200, "ok");
	request.method = "PATCH";
	request.headers = headers;
	request.header_count = COUNT(headers);
	check_answer(f, &request, 200, "ok");
	request = get(p.url);
	request.method = "HEAD";
	check_answer(f, &request, 200, "");
	peer_end(&p);

	(void)snprintf(expected, sizeof(expected),
	        "GET /v1/tasks HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: tasker/" TASKER_VERSION
	        "\r\nAccept: */*\r\n\r\n",
	        (int)strcspn(p.url + 7, "/"), p.url + 7);
	ck_assert_str_eq(p.request[0], expected);
	ck_assert_ptr_nonnull(strstr(p.request[1], "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(p.request[1], "\r\nContent-Length: 2\r\n\r\n{}"));
	ck_assert_int_eq(strncmp(p.request[2], "PATCH /v1/tasks ", 16), 0);
	ck_assert_ptr_nonnull(strstr(p.request[2], "\r\nAuthorization: Bearer t\r\n"));
	ck_assert_ptr_nonnull(strstr(p.request[2], "\r\nX-Empty:\r\n"));
	ck_assert_ptr_nonnull(strstr(p.request[2], "\r\ncontent-type: text/plain\r\n"));
	ck_assert_ptr_null(strstr(p.request[2], "application/json"));
	ck_assert_int_eq(strncmp(p.request[3], "HEAD /v1/tasks ", 15), 0);
	ck_assert_ptr_null(
	        strstr(p.request[3], "Authorization")); /* nothing left of the last one */
	for (size_t i = 0; i < p.requests; i++) {
		ck_assert_ptr_null(strstr(p.request[i], "Accept-Encoding"));
		ck_assert_ptr_null(strstr(p.request[i], "Expect"));
	}
}
END_TEST

START_TEST(post_without_a_body_says_that_it_has_none)
{
	static const struct peer_line script[] = {{.answer = OK("ok")}, {.answer = OK("ok")}};
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	request.method = "POST";
	check_answer(f, &request, 200, "ok");
	request.method = "DELETE";
	check_answer(f, &request, 200, "ok");
	peer_end(&p);
	ck_assert_ptr_nonnull(strstr(p.request[0], "\r\nContent-Length: 0\r\n"));
	ck_assert_ptr_null(strstr(p.request[0], "Content-Type"));
	ck_assert_int_eq(strncmp(p.request[1], "DELETE /v1/tasks ", 17), 0);
}
END_TEST

START_TEST(redirect_is_an_answer_like_any_other)
{
	static const struct peer_line script[] = {
	        {.answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\n"
	                   "X-Request-ID: r-1\r\nContent-Type: text/html\r\nRetry-After: 7\r\n"
	                   "Content-Length: 0\r\n\r\n"}};
	AUTO(fetch) struct fetch *f = client(false);
	AUTO(fetch_response) struct fetch_response r = {0};
	struct fetch_request request;
	struct err e = {0};
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	ck_assert(fetch_send(f, &request, &r, &e));
	peer_end(&p);
	ck_assert_int_eq(r.status, 302);
	ck_assert_str_eq(r.location, "http://127.0.0.1:1/x");
	ck_assert_str_eq(r.request_id, "r-1");
	ck_assert_str_eq(r.content_type, "text/html");
	ck_assert_int_eq(r.retry_after_s, 7);
}
END_TEST

START_TEST(encoded_and_chunked_answers_are_not_decoded_further)
{
	static const struct peer_line script[] = {
	        {.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
	                   "3\r\n\r\nabc"},
	        {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	                   "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"}};
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	check_answer(f, &request, 200, "abc");
	check_answer(f, &request, 200, "abcde");
	peer_end(&p);
}
END_TEST

START_TEST(proxy_of_the_environment_is_not_obeyed)
{
	static const struct peer_line script[] = {{.answer = OK("ok")}};
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	char dead[64];
	struct peer p;

	(void)snprintf(dead, sizeof(dead), "http://127.0.0.1:%d", peer_dead_port());
	ck_assert_int_eq(setenv("http_proxy", dead, 1), 0);
	peer_start(&p, f, script, COUNT(script));
	request = get(p.url);
	check_answer(f, &request, 200, "ok");
	peer_end(&p);
}
END_TEST

START_TEST(proxy_of_the_environment_is_obeyed_when_asked)
{
	static const struct peer_line script[] = {{.answer = OK("ok")}};
	AUTO(fetch) struct fetch *f = client(true);
	struct fetch_request request = get("http://tasker.invalid/v1");
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	ck_assert_int_eq(setenv("http_proxy", p.url, 1), 0);
	(void)unsetenv("no_proxy");
	(void)unsetenv("NO_PROXY");
	check_answer(f, &request, 200, "ok");
	peer_end(&p);
	ck_assert_int_eq(strncmp(p.request[0], "GET http://tasker.invalid/v1 HTTP/1.1\r\n", 39), 0);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	struct fetch_options options = {.peer = "tasker-orchestration", .ca_path = "/nowhere.pem"};
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		struct fetch *f = NULL;
		struct err e = {0};

		ck_assert_uint_lt(nth, 100);
		fault_allocation(++nth);
		built = fetch_new(&options, &f, &e);
		fault_allocation(0);
		if (!built) {
			ck_assert_int_eq(e.code, ERR_NOMEM);
			ck_assert_ptr_null(f);
		}
		fetch_free(f);
	}
	ck_assert_uint_eq(nth, 4); /* the client and two texts failed once each */
}
END_TEST

START_TEST(every_allocation_of_a_request_may_fail)
{
	static const struct peer_line script[] = {
	        {.answer = OK("ok"), .end = PEER_CLOSE},
                {.answer = OK("ok"), .end = PEER_CLOSE},
	        {.answer = OK("ok"), .end = PEER_CLOSE},
                {.answer = OK("ok"), .end = PEER_CLOSE}
        };
	static const struct fetch_header header = {"X-Test", "1"};
	AUTO(fetch) struct fetch *f = client(false);
	struct fetch_request request;
	unsigned nth = 0;
	bool sent = false;
	struct peer p;

	peer_start(&p, f, script, 2); /* one failure is before the request, one after it */
	request = get(p.url);
	request.headers = &header;
	request.header_count = 1;
	while (!sent) {
		struct fetch_response r = {0};
		struct err e = {0};

		ck_assert_uint_lt(nth, 100);
		fault_allocation(++nth);
		sent = fetch_send(f, &request, &r, &e);
		fault_allocation(0);
		if (!sent) {
			ck_assert_int_eq(e.code, ERR_NOMEM);
			ck_assert_ptr_null(r.body.data);
		}
		fetch_response_free(&r);
	}
	peer_end(&p);
	ck_assert_uint_eq(nth, 3); /* the header and the body failed once each */
}
END_TEST

Suite *
fetch_suite(void)
{
	Suite *s = suite_create("fetch");
	TCase *tc = tcase_create("requests");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, one_connection_serves_all_requests);
	tcase_add_test(tc, connection_the_server_closed_is_made_anew);
	tcase_add_test(tc, request_lost_with_a_kept_connection_is_sent_once_more);
	tcase_add_test(tc, request_goes_out_as_given_and_no_more);
	tcase_add_test(tc, post_without_a_body_says_that_it_has_none);
	tcase_add_test(tc, redirect_is_an_answer_like_any_other);
	tcase_add_test(tc, encoded_and_chunked_answers_are_not_decoded_further);
	tcase_add_test(tc, proxy_of_the_environment_is_not_obeyed);
	tcase_add_test(tc, proxy_of_the_environment_is_obeyed_when_asked);
	tcase_add_test(tc, every_allocation_may_fail);
	tcase_add_test(tc, every_allocation_of_a_request_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

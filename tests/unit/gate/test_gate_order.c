/*
 * The order of a request: every route × method × credential, and that a refused request's body
 * stays unread. One rig serves a whole case, so the log of all of it can be searched at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/gate/rig.h"

enum who { NOBODY, BAD, LOW, RIGHT, SESSION, WHO__COUNT };

static const char *const credentials[] = {
        [NOBODY] = "",
        [BAD] = "X-API-Key: " BAD_KEY "\r\n",
        [LOW] = "X-API-Key: " LOW_KEY "\r\n",
        [RIGHT] = "X-API-Key: " RIGHT_KEY "\r\n",
        [SESSION] = "Authorization: Bearer " SESSION_SECRET "\r\n",
};

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

/* "/v1/tasks/{task}" asked for as "/v1/tasks/x1". */
static const char *
concrete(const char *path)
{
	static char out[128];
	char *to = out;

	for (; *path != '\0'; path++) {
		if (*path == '{') {
			*to++ = 'x';
			*to++ = '1';
			path = strchr(path, '}');
		} else {
			*to++ = *path;
		}
	}
	*to = '\0';
	return out;
}

static const struct route *
row_for(const char *path, const char *method)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

	for (size_t i = 0; i < rig_route_count; i++)
		if (strcmp(rig_routes[i].path, path) == 0 &&
		        strcmp(method_name(rig_routes[i].method), wanted) == 0)
			return &rig_routes[i];
	return NULL;
}

static bool
path_is_open(const char *path)
{
	for (size_t i = 0; i < rig_route_count; i++)
		if (strcmp(rig_routes[i].path, path) == 0 &&
		        rig_routes[i].access.kind == ACCESS_OPEN)
			return true;
	return false;
}

/* What the access column says, in other words than the gate's: 0 is "the handler answers". */
static int
wanted_of_row(const struct route *row, enum who who, bool auth_off)
{
	const enum access_kind kind = row->access.kind;

	if (kind == ACCESS_OPEN)
		return 0;
	if (kind == ACCESS_INTERNAL && row->access.caller == CALLER_SESSION)
		return who == SESSION ? 0 : who <= BAD && !auth_off ? 401 : 403;
	if (auth_off)
		return kind == ACCESS_INTERNAL && who == SESSION ? 403 : who == SESSION ? 403 : 0;
	if (who == NOBODY || who == BAD)
		return 401;
	if (kind == ACCESS_INTERNAL || who == SESSION)
		return 403;
	return kind == ACCESS_NEEDS && who == LOW ? 403 : 0;
}

static int
wanted_status(const char *path, const char *method, enum who who, bool auth_off)
{
	const struct route *row = row_for(path, method);

	if (row != NULL)
		return wanted_of_row(row, who, auth_off);
	if (strcmp(method, "OPTIONS") == 0)
		return 204;
	if (path_is_open(path) || auth_off)
		return 405;
	return who == NOBODY || who == BAD ? 401 : 405;
}

static void
ck_matrix_cell(struct rig *r, const char *path, const char *method, enum who who)
{
	const struct route *row = row_for(path, method);
	const int wanted = wanted_status(path, method, who, r->settings.auth_off);
	const unsigned handled = r->handled;
	struct answer a;

	rig_request(r, method, concrete(path), credentials[who],
	        row != NULL && row->body == BODY_KIND_JSON ? "{\"n\":1}" : NULL, &a);
	if (wanted == 0)
		ck_assert_msg(r->handled == handled + 1 && a.status != 401 && a.status != 403 &&
		                      a.status != 405,
		        "%s %s by %d: %d", method, path, who, a.status);
	else
		ck_assert_msg(r->handled == handled && a.status == wanted,
		        "%s %s by %d: %d, not %d", method, path, who, a.status, wanted);
	ck_assert(a.status != 401 || answer_field(&a, "WWW-Authenticate")[0] != '\0');
	ck_assert(a.status != 405 || answer_field(&a, "Allow")[0] != '\0');
	ck_assert_str_ne(answer_field(&a, "X-Request-Id"), "");
}

static void
ck_matrix(struct rig *r)
{
	for (size_t i = 0; i < rig_route_count; i++) {
		if (strcmp(rig_routes[i].path, "/v1/park") == 0)
			continue; /* does not answer */
		for (size_t m = 0; m < COUNT(methods); m++)
			for (enum who who = NOBODY; who <= SESSION; who++)
				ck_matrix_cell(r, rig_routes[i].path, methods[m], who);
	}
}

START_TEST(every_route_method_and_credential_follows_the_table_CR1_CR12_PM3_PM4_PM6)
{
	const struct rig_settings settings = {.auth_off = _i == 1};
	struct rig r;

	rig_capture_log();
	rig_open(&r, &settings);
	ck_matrix(&r);
	ck_assert(!r.foreign_grant_opens);
	ck_assert_ptr_null(strstr(rig_logged(), "tk_"));
	ck_assert_ptr_null(strstr(rig_logged(), "ts_"));
	rig_close(&r);
}
END_TEST

static const struct {
	const char *path;
	int nobody, somebody; /* somebody: any valid credential */
} unknown[] = {
        {"/v1/nothing",         401, 404},
        {"/v1/tasks/x/nothing", 401, 404},
        {"/v1/",                401, 404},
        {"/v1",                 401, 404},
        {"/config/x",           401, 404},
        {"/v1x",                404, 404},
        {"/configx",            404, 404},
        {"/nothing",            404, 404},
        {"/",                   404, 404},
        {"/healthx",            404, 404},
};

START_TEST(unknown_paths_below_a_protected_prefix_are_hidden_from_strangers_CR11)
{
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	for (size_t i = 0; i < COUNT(unknown); i++)
		for (enum who who = NOBODY; who <= SESSION; who++)
			for (size_t m = 0; m < COUNT(methods); m++) {
				const int wanted =
				        who <= BAD ? unknown[i].nobody : unknown[i].somebody;
				struct answer a;

				rig_request(&r, methods[m], unknown[i].path, credentials[who], NULL,
				        &a);
				ck_assert_msg(a.status == wanted, "%s %s by %d: %d", methods[m],
				        unknown[i].path, who, a.status);
			}
	rig_close(&r);
}
END_TEST

START_TEST(a_hidden_path_is_missing_for_everybody_CR11_PM7)
{
	const struct rig_settings settings = {.hide_config = true};
	struct rig r;

	rig_capture_log();
	rig_open(&r, &settings);
	for (enum who who = NOBODY; who <= SESSION; who++)
		for (size_t m = 0; m < COUNT(methods); m++) {
			struct answer a;

			rig_request(&r, methods[m], "/config", credentials[who], NULL, &a);
			ck_assert_int_eq(a.status, 404);
			ck_assert_str_eq(answer_field(&a, "Allow"), "");
		}
	rig_close(&r);
}
END_TEST

/* Each is sent without its body: only the head decides. */
static const struct {
	const char *fields;
	size_t body; /* bytes of it sent along */
	bool stays;  /* may the connection live on? */
} unread[] = {
        {"Content-Type: application/json\r\nContent-Length: 52428800\r\n",   0,     false},
        {"Content-Type: application/json\r\nContent-Length: 52428800\r\n"
         "Expect: 100-continue\r\n",                                0,     false},
        {"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", 0,     false},
        {"Content-Type: application/json\r\nContent-Length: 52428800\r\n",   20000, false},
        {"Content-Type: nonsense\r\nContent-Length: 9\r\n",                  9,     true }, /* PM2: not 400, not 415 */
        {"Expect: something-else\r\n",                                       0,     true }, /* not 417 */
        {"",                                                                 0,     true }, /* not 411 */
};

START_TEST(a_refused_request_has_no_byte_of_its_body_read_PM1_PM2_HP6)
{
	static const enum who refused[] = {NOBODY, BAD, LOW, SESSION};
	static char body[20000];
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	memset(body, '{', sizeof(body));
	for (size_t i = 0; i < COUNT(unread); i++)
		for (size_t w = 0; w < COUNT(refused); w++) {
			char text[1024];
			struct answer a;
			const int fd = rig_connect(&r);

			(void)snprintf(text, sizeof(text),
			        "POST /v1/tasks HTTP/1.1\r\nHost: h\r\n%s%s\r\n", unread[i].fields,
			        credentials[refused[w]]);
			rig_send(fd, text, strlen(text));
			rig_send(fd, body, unread[i].body);
			rig_receive(&r, fd, false, &a);
			ck_assert_int_eq(a.status, refused[w] <= BAD ? 401 : 403);
			ck_assert_msg(!a.continued, "row %zu got 100", i);
			ck_assert_msg(a.closed != unread[i].stays, "row %zu", i);
			(void)close(fd);
		}
	ck_assert_uint_eq(r.handled, 0);
	rig_close(&r);
}
END_TEST

static const struct {
	const char *method, *path, *fields, *body;
	int status;
	const char *code;
} bodies[] = {
        {"POST",   "/v1/tasks",            "",                                                                 "",          411, "LENGTH_REQUIRED"       }, /* HP6 */
        {"PATCH",  "/v1/tasks/x",          "",                                                                 "",          411, "LENGTH_REQUIRED"       },
        {"POST",   "/v1/tasks",            "Content-Type: application/json\r\nContent-Length: 4097\r\n",       "",          413,
         "PAYLOAD_TOO_LARGE"                                                                                                                             },
        {"PATCH",  "/v1/tasks/x",          "Content-Type: application/json\r\nContent-Length: 65\r\n",         "",
         413,                                                                                                                    "PAYLOAD_TOO_LARGE"     },
        {"POST",   "/v1/tasks",            "Content-Type: text/plain\r\nContent-Length: 2\r\n",                "{}",        415,
         "UNSUPPORTED_MEDIA_TYPE"                                                                                                                        },
        {"POST",   "/v1/tasks",            "Content-Length: 2\r\n",                                            "{}",        415, "UNSUPPORTED_MEDIA_TYPE"},
        {"POST",   "/v1/tasks",
         "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
                "Content-Length: 2\r\n",                                                                       "{}",        415, "UNSUPPORTED_MEDIA_TYPE"},
        {"POST",   "/v1/tasks",
         "Content-Type: application/json\r\nExpect: magic\r\nContent-Length: 2\r\n",                           "{}",
         417,                                                                                                                    "EXPECTATION_FAILED"    },
        {"POST",   "/v1/tasks/x/validate", "Content-Length: 2\r\n",                                            "{}",        400, "BAD_REQUEST"           },
        {"POST",   "/v1/tasks/x/validate", "Transfer-Encoding: chunked\r\n",                                   "0\r\n\r\n", 400,
         "BAD_REQUEST"                                                                                                                                   },
        {"DELETE", "/v1/tasks/x",          "Content-Length: 2\r\n",                                            "{}",        400, "BAD_REQUEST"           },
        {"POST",   "/v1/tasks",            "Content-Type: application/json\r\nContent-Length: 0\r\n",          "",          400,
         "JSON_ERROR"                                                                                                                                    },
        {"POST",   "/v1/tasks",            "Content-Type: application/json\r\nContent-Length: 8\r\n",
         "{\"a\":1,}",                                                                                                      400, "JSON_ERROR"            },
        {"POST",   "/v1/tasks",            "Content-Type: application/json\r\nContent-Length: 13\r\n",
         "{\"a\":1,\"a\":2}",                                                                                               400, "JSON_ERROR"            },
        {"POST",   "/v1/tasks",            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
         "7\r\n{\"n\":5}\r\n0\r\n\r\n",                                                                                     201, NULL                    },
        {"POST",   "/v1/tasks/x/validate", "Content-Length: 0\r\n",                                            "",          200, NULL                    },
        {"POST",   "/v1/tasks/x/validate", "",                                                                 "",          200, NULL                    },
};

START_TEST(bodies_are_judged_after_the_grant_in_one_order_HP19_HP20)
{
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	for (size_t i = 0; i < COUNT(bodies); i++) {
		char text[1024], code[64];
		struct answer a;

		(void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: h\r\n%s%s\r\n%s",
		        bodies[i].method, bodies[i].path, credentials[RIGHT], bodies[i].fields,
		        bodies[i].body);
		rig_ask(&r, text, &a);
		ck_assert_msg(a.status == bodies[i].status, "row %zu: %d %s", i, a.status, a.body);
		(void)snprintf(code, sizeof(code), "\"code\":\"%s\"", bodies[i].code);
		ck_assert_msg(bodies[i].code == NULL || strstr(a.body, code) != NULL, "row %zu: %s",
		        i, a.body);
	}
	ck_assert_uint_eq(r.handled, 3);
	ck_assert_int_eq(r.number, 5);
	/* The 413 of a declared length is the gate's: the server was never asked for the body. */
	ck_assert_int_eq(
	        metrics_value(r.metrics, gate_metrics_id(r.gate_metrics, GATE_METRIC_REFUSED),
	                AT(gate_metrics_refusal(413))),
	        0);
	rig_close(&r);
}
END_TEST

START_TEST(a_granted_body_is_asked_for_with_100_and_bad_json_names_its_byte)
{
	struct rig r;
	struct answer a;
	int fd;

	rig_capture_log();
	rig_open(&r, NULL);
	fd = rig_connect(&r);
	rig_send(fd,
	        "POST /v1/tasks HTTP/1.1\r\nHost: h\r\nX-API-Key: " RIGHT_KEY "\r\n"
	        "Content-Type: application/json\r\nExpect: 100-continue\r\n"
	        "Content-Length: 10\r\n\r\n",
	        strlen("POST /v1/tasks HTTP/1.1\r\nHost: h\r\nX-API-Key: " RIGHT_KEY "\r\n"
	               "Content-Type: application/json\r\nExpect: 100-continue\r\n"
	               "Content-Length: 10\r\n\r\n"));
	for (int i = 0; i < 20; i++)
		rig_turn(&r);
	rig_send(fd, "{\"n\": nul}", 10);
	rig_receive(&r, fd, false, &a);
	ck_assert(a.continued);
	ck_assert_int_eq(a.status, 400);
	ck_assert_ptr_nonnull(strstr(a.body, "Invalid JSON format: byte "));
	ck_assert_ptr_null(strstr(a.body, "nul}"));
	(void)close(fd);
	rig_close(&r);
}
END_TEST

START_TEST(a_chunked_body_that_outgrows_its_route_is_413_and_never_handled)
{
	static char text[8192];
	struct rig r;
	struct answer a;
	int n;

	rig_capture_log();
	rig_open(&r, NULL);
	n = snprintf(text, sizeof(text),
	        "POST /v1/tasks HTTP/1.1\r\nHost: h\r\n%sContent-Type: application/json\r\n"
	        "Transfer-Encoding: chunked\r\n\r\n1400\r\n",
	        credentials[RIGHT]);
	memset(text + n, ' ', 0x1400);
	memcpy(text + n + 0x1400, "\r\n0\r\n\r\n", 8);
	rig_ask(&r, text, &a);
	ck_assert_int_eq(a.status, 413);
	ck_assert(answer_has(&a, "Content-Type: application/problem+json"));
	ck_assert_uint_eq(r.handled, 0);
	rig_close(&r);
}
END_TEST

START_TEST(the_route_s_limit_counts_for_json_and_not_the_default)
{
	enum { LONG = 1536 * 1024 };
	char *body = malloc(LONG);
	char head[512];
	struct rig r;
	struct answer a;
	size_t sent = 0;
	int fd;

	rig_capture_log();
	rig_open(&r, NULL);
	fd = rig_connect(&r);
	memset(body, ' ', LONG);
	memcpy(body, "{\"n\":9}", 7);
	(void)snprintf(head, sizeof(head),
	        "POST /v1/large HTTP/1.1\r\nHost: h\r\n%sContent-Type: application/json\r\n"
	        "Content-Length: %d\r\n\r\n",
	        credentials[RIGHT], LONG);
	rig_send(fd, head, strlen(head));
	for (int i = 0; i < 100000 && sent < LONG; i++) {
		const ssize_t n = send(fd, body + sent, LONG - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		rig_turn(&r);
	}
	rig_receive(&r, fd, false, &a);
	ck_assert_int_eq(a.status, 201);
	ck_assert_int_eq(r.number, 9);
	(void)close(fd);
	free(body);
	rig_close(&r);
}
END_TEST

/* {"n":5,"x":[[...]]}: the arrays stand one level in. */
static int
ask_nested(struct rig *r, const char *path, enum who who, size_t arrays)
{
	char body[256], text[1024];
	struct answer a;

	ck_assert_uint_lt(2 * arrays, sizeof(body) - 16);
	(void)snprintf(body, sizeof(body), "{\"n\":5,\"x\":");
	memset(body + strlen(body), '\0', sizeof(body) - strlen(body));
	memset(body + strlen(body), '[', arrays);
	memset(body + strlen(body), ']', arrays);
	body[strlen(body)] = '}';
	(void)snprintf(text, sizeof(text),
	        "POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Type: application/json\r\n"
	        "Content-Length: %zu\r\n\r\n%s",
	        path, credentials[who], strlen(body), body);
	rig_ask(r, text, &a);
	return a.status;
}

/* Else a result that a handler may give, and the step it came from, could not be reported. */
START_TEST(a_worker_wraps_documents_that_are_as_deep_as_the_public_s_HP20)
{
	const size_t deepest = json_limits_default.depth;
	struct rig r;

	rig_capture_log();
	rig_open(&r, NULL);
	ck_assert_int_eq(ask_nested(&r, "/v1/tasks", RIGHT, deepest - 1), 201);
	ck_assert_int_eq(ask_nested(&r, "/v1/tasks", RIGHT, deepest), 400);
	/* {"results":[{"result":[[...]]}]} is three levels around a result. */
	ck_assert_int_ne(ask_nested(&r, "/v1/internal/poll", SESSION, deepest + 2), 400);
	ck_assert_int_eq(ask_nested(&r, "/v1/internal/poll", SESSION, deepest + 3), 400);
	rig_close(&r);
}
END_TEST

Suite *
gate_order_suite(void)
{
	Suite *s = suite_create("gate_order");
	TCase *tc = tcase_create("gate_order");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
	        tc, every_route_method_and_credential_follows_the_table_CR1_CR12_PM3_PM4_PM6, 0, 2);
	tcase_add_test(tc, unknown_paths_below_a_protected_prefix_are_hidden_from_strangers_CR11);
	tcase_add_test(tc, a_hidden_path_is_missing_for_everybody_CR11_PM7);
	tcase_add_test(tc, a_refused_request_has_no_byte_of_its_body_read_PM1_PM2_HP6);
	tcase_add_test(tc, bodies_are_judged_after_the_grant_in_one_order_HP19_HP20);
	tcase_add_test(tc, a_granted_body_is_asked_for_with_100_and_bad_json_names_its_byte);
	tcase_add_test(tc, a_chunked_body_that_outgrows_its_route_is_413_and_never_handled);
	tcase_add_test(tc, the_route_s_limit_counts_for_json_and_not_the_default);
	tcase_add_test(tc, a_worker_wraps_documents_that_are_as_deep_as_the_public_s_HP20);
	suite_add_tcase(s, tc);
	return s;
}

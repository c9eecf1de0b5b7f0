/* CORS: silent unless origins are listed, exact, and nothing that a credential would have to
 * guard (PM6). */
#include "shared/gate/cors.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/gate/rig.h"

#define UI "https://ui.example.com"
#define LOCAL "http://localhost:3000"
#define KEY "X-API-Key: " RIGHT_KEY "\r\n"
#define ASKS                                                                                       \
	"Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n"

static const char *const listed[] = {UI, LOCAL};
static const struct rig_settings with_origins = {
        .cors = {listed, COUNT(listed)}
};

static struct rig rig;

static void
tear_down(void)
{
	rig_close(&rig);
}

static void
open_without(void)
{
	rig_capture_log();
	rig_open(&rig, NULL);
}

static void
open_with(void)
{
	rig_capture_log();
	rig_open(&rig, &with_origins);
}

static bool
mentions_cors(const struct answer *a)
{
	return strstr(a->head, "Access-Control-") != NULL || strstr(a->head, "\r\nVary:") != NULL;
}

static const struct {
	const char *method, *path, *fields;
	int status;
} requests[] = {
        {"GET",     "/v1/whoami", KEY "Origin: " UI "\r\n",  200},
        {"GET",     "/v1/whoami", "Origin: " UI "\r\n",      401},
        {"GET",     "/health",    "Origin: " UI "\r\n",      200},
        {"GET",     "/nowhere",   "Origin: " UI "\r\n",      404},
        {"PUT",     "/v1/tasks",  KEY "Origin: " UI "\r\n",  405},
        {"OPTIONS", "/v1/tasks",  "Origin: " UI "\r\n" ASKS, 204},
};

START_TEST(switched_off_it_is_never_mentioned)
{
	struct answer a;

	rig_request(&rig, requests[_i].method, requests[_i].path, requests[_i].fields, NULL, &a);
	ck_assert_int_eq(a.status, requests[_i].status);
	ck_assert_msg(!mentions_cors(&a), "%s", a.head);
}
END_TEST

/* Also refusals: a page must be able to tell 401 from a network that is down. */
START_TEST(listed_origin_may_read_every_answer)
{
	struct answer a;

	rig_request(&rig, requests[_i].method, requests[_i].path, requests[_i].fields, NULL, &a);
	ck_assert_int_eq(a.status, requests[_i].status);
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Origin"), UI);
	ck_assert_str_eq(answer_field(&a, "Vary"), "Origin");
	ck_assert_str_eq(answer_field(&a, "Access-Control-Expose-Headers"),
	        "Location, Retry-After, WWW-Authenticate, X-Request-Id");
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Credentials"), "");
}
END_TEST

static const char *const unlisted[] = {
        "",
        "Origin: https://evil.example.com\r\n",
        "Origin: https://ui.example.com.evil.com\r\n",
        "Origin: https://ui.example.co\r\n",
        "Origin: https://ui.example.com/\r\n",
        "Origin: https://ui.example.com:443\r\n",
        "Origin: HTTPS://ui.example.com\r\n",
        "Origin: http://ui.example.com\r\n",
        "Origin: " UI ", " LOCAL "\r\n",
        "Origin: " UI "\r\nOrigin: " UI "\r\n",
        "Origin: null\r\n",
        "Origin: *\r\n",
        "Origin:\r\n",
};

START_TEST(unlisted_origin_may_read_nothing)
{
	static const char *const methods[] = {"GET", "OPTIONS"};

	for (size_t m = 0; m < COUNT(methods); m++) {
		char fields[512];
		struct answer a;

		(void)snprintf(fields, sizeof(fields), "%s" KEY ASKS, unlisted[_i]);
		rig_request(&rig, methods[m], "/v1/tasks/x", fields, NULL, &a);
		ck_assert_int_eq(a.status, m == 0 ? 200 : 204);
		ck_assert_msg(strstr(a.head, "Access-Control-") == NULL, "%s", a.head);
		ck_assert_str_eq(answer_field(&a, "Vary"), "Origin");
	}
}
END_TEST

/* Without a credential, as browsers send it; it reveals what Allow does and our own field names. */
START_TEST(preflight_needs_no_credential_PM6)
{
	struct answer a;

	rig_request(&rig, "OPTIONS", "/v1/tasks", "Origin: " LOCAL "\r\n" ASKS, NULL, &a);
	ck_assert_int_eq(a.status, 204);
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Origin"), LOCAL);
	ck_assert_str_eq(
	        answer_field(&a, "Access-Control-Allow-Methods"), "GET, HEAD, POST, OPTIONS");
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Headers"),
	        "Authorization, Content-Type, X-Request-Id, X-API-Key");
	ck_assert_str_eq(answer_field(&a, "Access-Control-Max-Age"), "600");
	ck_assert_str_eq(answer_field(&a, "Allow"), "GET, HEAD, POST, OPTIONS");
	ck_assert_uint_eq(rig.handled, 0);
}
END_TEST

START_TEST(options_that_is_no_preflight_says_no_more_than_allow_PM6)
{
	struct answer a;

	rig_request(&rig, "OPTIONS", "/v1/tasks", "Origin: " UI "\r\n", NULL, &a);
	ck_assert_int_eq(a.status, 204);
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Methods"), "");
	ck_assert_str_eq(answer_field(&a, "Allow"), "GET, HEAD, POST, OPTIONS");
}
END_TEST

/* An unknown path below /v1/ is 401 to a stranger, preflight or not (CR11). */
START_TEST(preflight_does_not_reveal_paths)
{
	struct answer a;

	rig_request(&rig, "OPTIONS", "/v1/nowhere", "Origin: " UI "\r\n" ASKS, NULL, &a);
	ck_assert_int_eq(a.status, 401);
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Methods"), "");
	ck_assert_str_eq(answer_field(&a, "Access-Control-Allow-Origin"), UI);
}
END_TEST

/* An allowed origin is no credential. */
START_TEST(listed_origin_opens_no_route)
{
	struct answer a;

	rig_request(&rig, "POST", "/v1/tasks", "Origin: " UI "\r\n", "{\"n\":1}", &a);
	ck_assert_int_eq(a.status, 401);
	ck_assert_uint_eq(rig.handled, 0);
}
END_TEST

Suite *
cors_suite(void)
{
	Suite *s = suite_create("cors");
	TCase *off = tcase_create("off");
	TCase *on = tcase_create("on");

	tcase_add_checked_fixture(off, open_without, tear_down);
	tcase_add_loop_test(off, switched_off_it_is_never_mentioned, 0, COUNT(requests));
	suite_add_tcase(s, off);
	tcase_add_checked_fixture(on, open_with, tear_down);
	tcase_add_loop_test(on, listed_origin_may_read_every_answer, 0, COUNT(requests));
	tcase_add_loop_test(on, unlisted_origin_may_read_nothing, 0, COUNT(unlisted));
	tcase_add_test(on, preflight_needs_no_credential_PM6);
	tcase_add_test(on, options_that_is_no_preflight_says_no_more_than_allow_PM6);
	tcase_add_test(on, preflight_does_not_reveal_paths);
	tcase_add_test(on, listed_origin_opens_no_route);
	suite_add_tcase(s, on);
	return s;
}

/* web.cors_origins reaches both daemons; tests/unit/gate/test_cors.c says what it does there. */
#include <string.h>

#include "tests/lib/daemon.h"
#include "tests/lib/wire.h"
#include "tests/unit/unit.h"

#define UI "https://ui.example.com"

static const char *const roles[] = {"orchestration", "worker"};
static const char off[] = "[web]\nbind_address = \"127.0.0.1:0\"\n";
static const char on[] = "[web]\nbind_address = \"127.0.0.1:0\"\ncors_origins = [\"" UI "\"]\n";

static void
ask(const char *role, const char *toml, const char *expected)
{
	struct daemon d;
	char dir[64];
	struct wire_reply r;
	const char *origin;

	ck_assert(daemon_dir(dir));
	ck_assert(daemon_start(&d, dir, role, toml));
	r = wire_call(d.port, "OPTIONS", "/v1/whoami",
	        "Origin: " UI "\r\nAccess-Control-Request-Method: GET\r\n", NULL);
	(void)daemon_stop(&d, 15000);
	daemon_dir_remove(dir);
	ck_assert_int_eq(r.status, 204);
	origin = wire_field(&r, "Access-Control-Allow-Origin");
	if (expected == NULL)
		ck_assert_ptr_null(origin);
	else
		ck_assert_str_eq(origin, expected);
	wire_reply_free(&r);
}

START_TEST(origins_are_allowed_where_they_are_listed)
{
	ask(roles[_i], off, NULL);
	ask(roles[_i], on, UI);
}
END_TEST

Suite *
cors_suite(void)
{
	Suite *s = suite_create("cors");
	TCase *tc = tcase_create("daemons");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, origins_are_allowed_where_they_are_listed, 0, COUNT(roles));
	suite_add_tcase(s, tc);
	return s;
}

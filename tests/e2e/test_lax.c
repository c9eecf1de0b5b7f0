/* web.auth.strict_validation and log_unknown_permissions, from the file to the log (JT18). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

static const char toml[] = "[web]\n"
                           "bind_address = \"127.0.0.1:0\"\n"
                           "[web.auth]\n"
                           "enabled = true\n"
                           "jwt_public_key_path = \"users.pem\"\n"
                           "strict_validation = %s\n"
                           "log_unknown_permissions = %s\n"
                           "[log]\n"
                           "format = \"json\"\n";

static const struct {
	const char *strict, *logged;
	int status;
	const char *line; /* NULL: the permission is not in the log */
} cases[] = {
        {"true",  "true",  401, "\"reason\":\"unknown_permission\""},
        {"true",  "false", 401, NULL                               },
        {"false", "true",  200, "\"auth.unknown_permission\""      },
        {"false", "false", 200, NULL                               },
};

START_TEST(unknown_permission_does_what_the_file_says)
{
	char *pem = token_key_pem(TOKEN_KEY_RSA), *log, *bearer;
	char dir[64], text[512];
	struct daemon d;
	struct wire_reply r;

	bearer = pair_bearer(&(struct pair_claims){.permissions = "tasks:read tasks:fly"});
	(void)snprintf(text, sizeof(text), toml, cases[_i].strict, cases[_i].logged);
	ck_assert(daemon_dir(dir));
	ck_assert(daemon_file(dir, "users.pem", pem));
	ck_assert(daemon_start(&d, dir, "orchestration", text));
	r = wire_call(d.port, "GET", "/v1/whoami", bearer, NULL);
	(void)daemon_stop(&d, 15000);
	log = daemon_read(dir, "orchestration.log");
	daemon_dir_remove(dir);
	ck_assert_int_eq(r.status, cases[_i].status);
	ck_assert_int_eq(strstr(log, "tasks:fly") != NULL, cases[_i].line != NULL);
	if (cases[_i].line != NULL)
		ck_assert_ptr_nonnull(strstr(log, cases[_i].line));
	if (r.status == 200)
		ck_assert_ptr_null(strstr(r.body, "tasks:fly"));
	wire_reply_free(&r);
	free(bearer);
	free(log);
	free(pem);
}
END_TEST

Suite *
lax_suite(void)
{
	Suite *s = suite_create("lax");
	TCase *tc = tcase_create("daemon");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, unknown_permission_does_what_the_file_says, 0, COUNT(cases));
	suite_add_tcase(s, tc);
	return s;
}

/* template validate, config check and show: files on this machine, and no daemon. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

static struct rig r;

static void
end(void)
{
	rig_end(&r);
	rig_folder_end();
}

static const char good_template[] = "name: pair\n"
                                    "namespace_name: demo\n"
                                    "version: 1.0.0\n"
                                    "steps:\n"
                                    "  - name: left\n"
                                    "    handler:\n"
                                    "      callable: demo.left\n";

START_TEST(a_good_template_is_valid)
{
	rig_write("t.yaml", good_template);
	rig_run(&r, "template", "validate", rig_path("t.yaml"), NULL);
	ck_assert_msg(r.status == EXIT_STATUS_OK, "%s", r.err);
	ck_assert_str_eq(r.out, "demo/pair/1.0.0 is valid: 1 step\n");
	rig_run(&r, "--output", "json", "template", "validate", rig_path("t.yaml"), NULL);
	ck_assert_str_eq(r.out, "{\"valid\":true,\"error\":null}\n");
}
END_TEST

START_TEST(a_bad_template_is_1_with_line_and_column)
{
	rig_write("t.yaml", "name: pair\nversion: [1\n");
	rig_run(&r, "template", "validate", rig_path("t.yaml"), NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.err, "t.yaml: line ");
	rig_has(r.err, "column ");
	ck_assert_str_eq(r.out, "");
	rig_run(&r, "--output", "json", "template", "validate", rig_path("t.yaml"), NULL);
	rig_has(r.out, "{\"valid\":false,\"error\":\"line ");
	rig_run(&r, "template", "validate", rig_path("none"), NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_MISSING);
}
END_TEST

START_TEST(a_configuration_is_checked_as_its_role)
{
	rig_write("worker.toml", "[worker]\nid = \"w1\"\n");
	rig_run(&r, "config", "check", rig_path("worker.toml"), NULL);
	ck_assert_msg(r.status == EXIT_STATUS_OK, "%s", r.err);
	rig_has(r.out, "The worker's configuration is valid");
	rig_run(&r, "config", "check", "-c", rig_path("worker.toml"), NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_run(&r, "--config", rig_path("worker.toml"), "config", "check", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_run(&r, "config", "check", rig_path("worker.toml"), "--role", "nobody", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
}
END_TEST

START_TEST(a_bad_configuration_is_1_with_its_line)
{
	rig_write("orchestration.toml", "[web]\nthreads = 1\nthraeds = 2\n");
	rig_run(&r, "config", "check", rig_path("orchestration.toml"), NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.err, "orchestration.toml:3");
	rig_has(r.err, "threads");
	rig_run(&r, "config", "check", rig_path("none.toml"), NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
}
END_TEST

/* CF2: secrets are never shown. */
START_TEST(show_hides_secrets)
{
	rig_write("orchestration.toml", "[[web.auth.api_keys]]\nid = \"ci\"\n"
	                                "key = \"tk_0123456789abcdefghijklmnop\"\n"
	                                "permissions = [\"tasks:read\"]\n");
	rig_run(&r, "config", "show", rig_path("orchestration.toml"), NULL);
	ck_assert_msg(r.status == EXIT_STATUS_OK, "%s", r.err);
	rig_has(r.out, "web.threads = ");
	rig_has(r.out, "web.auth.api_keys[0].id = \"ci\"");
	rig_lacks(r.out, "tk_0123456789");
}
END_TEST

START_TEST(the_environment_counts)
{
	r.env[0] = "TASKER_WEB_THREADS=3";
	rig_write("orchestration.toml", "[web]\nthreads = 1\n");
	rig_run(&r, "config", "show", rig_path("orchestration.toml"), NULL);
	rig_has(r.out, "web.threads = 3\n");
}
END_TEST

Suite *
offline_suite(void)
{
	Suite *s = suite_create("offline");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, rig_folder_begin, end);
	tcase_add_test(tc, a_good_template_is_valid);
	tcase_add_test(tc, a_bad_template_is_1_with_line_and_column);
	tcase_add_test(tc, a_configuration_is_checked_as_its_role);
	tcase_add_test(tc, a_bad_configuration_is_1_with_its_line);
	tcase_add_test(tc, show_hides_secrets);
	tcase_add_test(tc, the_environment_counts);
	suite_add_tcase(s, tc);
	return s;
}

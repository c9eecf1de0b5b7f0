/* The daemons' frame and command line, seen from outside: exit codes of the real programs' main. */
#include "shared/daemon/daemon_main.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static int runs;

static bool
check(const struct config *config, struct err *e)
{
	return config->log_access || err_set(e, ERR_FORMAT, "log.access must be on in this test");
}

static int
run(const struct daemon_start *start)
{
	(void)start;
	runs++;
	return 42;
}

static const struct daemon_program program = {
        .options = {.name = "tasker-test", .version = "1", .summary = "A test."},
        .role = CONFIG_ORCHESTRATION,
        .check = check,
        .run = run,
};

static const struct {
	const char *argv[4];
	int code, runs;
} lines[] = {
        {{"t", "--help"},                                   0,  0},
        {{"t", "--version"},                                0,  0},
        {{"t", "--nonsense"},                               64, 0},
        {{"t", "operand"},                                  64, 0},
        {{"t", "--config", "/nonexistent.toml"},            78, 0},
        {{"t", "--config", "/dev/null", "--check-config"},  0,  0},
        {{"t", "--set=log.access=false", "--check-config"}, 78, 0},
        {{"t", "--set=no.such.key=1"},                      78, 0},
        {{"t", "--set=log.level=debug"},                    42, 1},
};

START_TEST(command_line_ends_with_its_exit_code)
{
	char text[4][64] = {{0}};
	char *argv[5] = {NULL};
	int argc = 0;

	for (; argc < 4 && lines[_i].argv[argc] != NULL; argc++) {
		(void)snprintf(text[argc], sizeof(text[argc]), "%s", lines[_i].argv[argc]);
		argv[argc] = text[argc];
	}
	ck_assert_int_eq(daemon_main(&program, argc, argv), lines[_i].code);
	ck_assert_int_eq(runs, lines[_i].runs);
}
END_TEST

Suite *
service_suite(void)
{
	Suite *s = suite_create("service");
	TCase *tc = tcase_create("main");

	tcase_add_loop_test(tc, command_line_ends_with_its_exit_code, 0, COUNT(lines));
	suite_add_tcase(s, tc);
	return s;
}

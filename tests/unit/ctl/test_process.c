/* The program as a process: signals, closed pipes, exit codes as a shell sees them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

#define TASK "0190a0b0-0000-7000-8000-000000000001"

static struct peer peer;
static _Atomic pid_t child; /* the peer's thread reads it */

static int
null_out(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Starts it with stdout to out; argv[0] is filled in. */
static void
start(const char **argv, int out)
{
	const char *program = getenv("TASKER_CTL");

	ck_assert_msg(program != NULL && access(program, X_OK) == 0, "run me by make unit-ctl");
	argv[0] = program;
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		(void)dup2(out, STDOUT_FILENO);
		(void)dup2(null_out(), STDERR_FILENO);
		(void)execv(program, (char *const *)(uintptr_t)argv);
		_exit(99);
	}
}

/* How it ended: its exit code, or minus the signal. */
static int
ended(void)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* By then the request has arrived, so that the program is inside its wait. */
static void
interrupt(struct fetch *f)
{
	(void)f;
	(void)kill(child, SIGINT);
}

START_TEST(an_interrupt_is_130)
{
	const struct peer_line script[] = {
	        {"", PEER_HOLD, false, interrupt}
        };
	const char *argv[] = {NULL, "task", "watch", TASK, NULL};

	peer_start(&peer, NULL, script, 1);
	ck_assert_int_eq(setenv("TASKER_ORCHESTRATION_URL",
	                         strchr(rig_url("TASKER_ORCHESTRATION_URL", &peer), '=') + 1, 1),
	        0);
	start(argv, null_out());
	ck_assert_int_eq(ended(), 130);
	peer_end(&peer);
}
END_TEST

START_TEST(a_reader_that_left_is_no_signal)
{
	const char *argv[] = {NULL, "auth", "show-permissions", NULL};
	int pipes[2];

	ck_assert_int_eq(pipe(pipes), 0);
	(void)close(pipes[0]);
	start(argv, pipes[1]);
	ck_assert_int_eq(ended(), EXIT_STATUS_NO);
}
END_TEST

static const struct {
	const char *argv[5];
	int exit;
} runs[] = {
        {{NULL, "--version", NULL},                   0},
        {{NULL, NULL},                                2},
        {{NULL, "nonsense", NULL},                    2},
        {{NULL, "auth", "show-permissions", NULL},    0},
        {{NULL, "template", "validate", "/no", NULL}, 3},
        {{NULL, "task", "get", TASK, NULL},           6},
};

START_TEST(exit_codes_reach_the_shell)
{
	const char *argv[5];

	memcpy(argv, runs[_i].argv, sizeof(argv));
	ck_assert_int_eq(setenv("TASKER_ORCHESTRATION_URL", "http://127.0.0.1:1", 1), 0);
	start(argv, null_out());
	ck_assert_int_eq(ended(), runs[_i].exit);
}
END_TEST

Suite *
process_suite(void)
{
	Suite *s = suite_create("process");
	TCase *tc = tcase_create("program");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, an_interrupt_is_130);
	tcase_add_test(tc, a_reader_that_left_is_no_signal);
	tcase_add_loop_test(tc, exit_codes_reach_the_shell, 0, COUNT(runs));
	suite_add_tcase(s, tc);
	return s;
}

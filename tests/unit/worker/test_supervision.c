/* What the runner does about handlers that die, hang, leave processes behind or are not wanted. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/unit/worker/rig.h"

static bool
orphan_is_gone(struct rig *rig, void *arg)
{
	const pid_t *pid = arg;

	(void)rig;
	return kill(*pid, 0) != 0 && errno == ESRCH;
}

START_TEST(what_escaped_by_a_double_fork_is_swept_when_its_handler_ends)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;
	pid_t orphan;

	rig_give(rig, 1, 1, "chaos.double_fork");
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_OK);
	orphan = (pid_t)strtol(rig_text(&r->result) + strlen("{\"orphan\":"), NULL, 10);
	ck_assert_int_gt(orphan, 1);
	step_report_free(r);
	/* Its handler lives: it is left alone, through some sweeps. */
	(void)usleep(300000);
	ck_assert_int_eq(kill(orphan, 0), 0);
	rig_give(rig, 2, 1, "chaos.exit");
	step_report_free(rig_wait(rig));
	rig_until(orphan_is_gone, rig, &orphan);
	rig_free(rig);
}
END_TEST

/* Runs a worker that dies without a word while a step of it is at work; tells the handler's pid. */
static void
die_at_work(int out)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_give(rig, 1, 1, "chaos.double_fork"); /* its result names its pid */
	r = rig_wait(rig);
	rig_give(rig, 2, 1, "chaos.ignore");
	(void)usleep(100000);
	ck_assert_int_eq(write(out, r->result.data, r->result.len), (ssize_t)r->result.len);
	(void)raise(SIGKILL);
}

/* Gone, or a zombie that only waits for init. */
static bool
process_is_dead(struct rig *rig, void *arg)
{
	char path[64], line[256] = "";
	FILE *f;

	(void)rig;
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", *(const long *)arg);
	f = fopen(path, "re");
	if (f == NULL)
		return true;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	(void)fclose(f);
	return strstr(line, ") Z ") != NULL;
}

START_TEST(handlers_die_with_their_worker)
{
	char text[128] = "";
	int ends[2];
	long handler;
	pid_t worker;

	(void)rig_scratch(); /* one folder for both */
	ck_assert_int_eq(pipe(ends), 0);
	worker = fork();
	if (worker == 0)
		die_at_work(ends[1]);
	ck_assert_int_gt(read(ends[0], text, sizeof(text) - 1), 0);
	handler = strtol(strstr(text, "\"self\":") + strlen("\"self\":"), NULL, 10);
	ck_assert_int_gt(handler, 1);
	ck_assert_int_eq(waitpid(worker, NULL, 0), worker);
	rig_until(process_is_dead, NULL, &handler);
	ck_assert_int_eq(kill((pid_t)strtol(text + strlen("{\"orphan\":"), NULL, 10), SIGKILL), 0);
	(void)rmdir(rig_scratch());
}
END_TEST

static bool
is_unhealthy(struct rig *rig, void *arg)
{
	(void)arg;
	return !runner_healthy(rig_runner(rig));
}

static bool
is_healthy(struct rig *rig, void *arg)
{
	(void)arg;
	return runner_healthy(rig_runner(rig));
}

static const char *const broken[] = {"-x", "-q", "-g"};

START_TEST(a_handler_that_never_gets_ready_is_unhealthy_and_burns_no_step)
{
	const char *command[] = {rig_chaos(), broken[_i], NULL};
	struct handler_settings handler = rig_chaos_handler(command);
	const struct runner_settings s = rig_settings(&handler, 1);
	AUTO(buf) struct buf offers = BUF(KIB(4));
	struct rig *rig;
	struct step_report *r;

	handler.start_timeout_us = 50000;
	rig = rig_new(&s);
	rig_give(rig, 1, 1, "chaos.echo");
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_RELEASED);
	step_report_free(r);
	rig_until(is_unhealthy, rig, NULL);
	runner_callables(rig_runner(rig), &offers);
	ck_assert_str_eq(rig_text(&offers), "[]");
	rig_give(rig, 2, 1, "chaos.echo");
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_RELEASED);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(five_crashes_in_the_window_are_unhealthy_until_they_are_old)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	unsigned before;

	for (unsigned i = 0; i < RESTART_FAILURES; i++) {
		rig_give(rig, i + 1, 1, "chaos.crash");
		step_report_free(rig_wait(rig));
	}
	rig_until(is_unhealthy, rig, NULL);
	before = rig_changes(rig);
	rig_until(is_healthy, rig, NULL);
	ck_assert_uint_ge(rig_changes(rig) + 1, before);
	rig_until(rig_ready, rig, NULL);
	rig_free(rig);
}
END_TEST

START_TEST(a_mute_handler_is_hung_after_three_pings_and_its_step_times_out)
{
	const char *mute[] = {rig_chaos(), "-m", NULL};
	struct handler_settings handler = rig_chaos_handler(_i == 0 ? mute : NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;

	handler.heartbeat_us = 40000;
	rig = rig_new(&s);
	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.hold");
	if (_i == 0) {
		r = rig_wait(rig);
		ck_assert_str_eq(r->code, "handler_timeout");
		ck_assert(r->retryable);
		step_report_free(r);
	} else { /* one that answers goes on */
		(void)usleep(400000);
		ck_assert_uint_eq(rig_waiting(rig), 0);
	}
	rig_free(rig);
}
END_TEST

START_TEST(release_all_gives_back_what_does_not_answer_in_time)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.ignore");
	rig_give(rig, 2, 1, "chaos.echo");
	runner_release_all(rig_runner(rig), 50000);
	for (unsigned i = 0; i < 2; i++) {
		r = rig_wait(rig);
		ck_assert_int_eq(r->outcome, OUTCOME_RELEASED);
		step_report_free(r);
	}
	rig_free(rig);
}
END_TEST

/* What a step that is to be given back says inside its grace, and what becomes of it. */
static const struct {
	const char *callable;
	enum outcome outcome;
} last_words[] = {
        {"chaos.hold",             OUTCOME_OK      }, /* it made it */
        {"chaos.give_up",          OUTCOME_RELEASED}, /* only because we asked: burns nothing */
        {"chaos.give_up_for_good", OUTCOME_ERROR   },
};

START_TEST(a_released_step_may_still_end_but_not_burn_a_failure)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, last_words[_i].callable);
	runner_release_all(rig_runner(rig), 5000000);
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, last_words[_i].outcome);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(after_drain_what_runs_goes_on_and_what_comes_is_released)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.hold");
	rig_give(rig, 2, 1, "chaos.echo"); /* queued */
	runner_drain(rig_runner(rig));
	rig_give(rig, 3, 1, "chaos.echo");
	for (unsigned i = 0; i < 2; i++) {
		r = rig_wait(rig);
		ck_assert_str_ne(r->step, rig_uuid(1));
		ck_assert_int_eq(r->outcome, OUTCOME_RELEASED);
		step_report_free(r);
	}
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(1), 1, STOP_CANCELLED));
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_CANCELLED);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(freeing_the_runner_ends_its_handlers_and_reports_every_step)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	int64_t began;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.ignore");
	(void)usleep(50000);
	began = clock_mono_us();
	rig_free(rig); /* also looks that nothing was left behind */
	ck_assert_int_lt(clock_mono_us() - began, 3000000);
}
END_TEST

/* CF10: what the worker knows does not reach a handler; what its configuration names does. */
static const struct {
	const char *name, *seen;
} variables[] = {
        {"TASKER_WORKER_LINK_TOKEN", "TASKER_WORKER_LINK_TOKEN=(unset)\n"},
        {"HOME",                     "HOME=/nowhere\n"                   },
        {"GREETING",                 "GREETING=hello\n"                  },
        {"TASKER_RUN",               "TASKER_RUN=rig-boot.1\n"           },
};

START_TEST(the_environment_is_an_allow_list)
{
	const char *command[] = {"/bin/sh", "-c", "echo \"$1=${!1-(unset)}\"; exec sleep 0", "sh",
	        variables[_i].name, NULL};
	static const char *const env[] = {"GREETING=hello", NULL};
	struct handler_settings handler = rig_shell_handler(command);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;

	command[0] = "/bin/bash";
	handler.env = env;
	ck_assert_int_eq(setenv("TASKER_WORKER_LINK_TOKEN", "secret", 1), 0);
	ck_assert_int_eq(setenv("HOME", "/nowhere", 1), 0);
	rig = rig_new(&s);
	rig_give(rig, 1, 1, "shell.env");
	r = rig_wait(rig);
	ck_assert_str_eq(rig_text(&r->log), variables[_i].seen);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

Suite *
supervision_suite(void)
{
	Suite *suite = suite_create("supervision");
	TCase *tc = tcase_create("supervision");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, handlers_die_with_their_worker);
	tcase_add_test(tc, what_escaped_by_a_double_fork_is_swept_when_its_handler_ends);
	tcase_add_loop_test(tc, a_handler_that_never_gets_ready_is_unhealthy_and_burns_no_step, 0,
	        COUNT(broken));
	tcase_add_test(tc, five_crashes_in_the_window_are_unhealthy_until_they_are_old);
	tcase_add_loop_test(
	        tc, a_mute_handler_is_hung_after_three_pings_and_its_step_times_out, 0, 2);
	tcase_add_test(tc, release_all_gives_back_what_does_not_answer_in_time);
	tcase_add_loop_test(
	        tc, a_released_step_may_still_end_but_not_burn_a_failure, 0, COUNT(last_words));
	tcase_add_test(tc, after_drain_what_runs_goes_on_and_what_comes_is_released);
	tcase_add_test(tc, freeing_the_runner_ends_its_handlers_and_reports_every_step);
	tcase_add_loop_test(tc, the_environment_is_an_allow_list, 0, COUNT(variables));
	suite_add_tcase(suite, tc);
	return suite;
}

/*
 * A step's way through the worker's runner, with handler processes: whatever fails, the step is
 * reported once or was never taken, and the next one, undisturbed, is done (F5).
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/torture/sweep.h"
#include "tests/unit/worker/rig.h"

static struct rig *rig;

/* Of each kind of handler. */
static const char *const script[] = {"/bin/sh", "-c", "exit 0", NULL};
static const struct {
	const char *name, *callable;
	struct handler_settings (*handler)(const char *const *command);
	const char *const *command;
} kinds[] = {
        {"runner: a script",  "shell.x",    rig_shell_handler, script},
        {"runner: a process", "chaos.echo", rig_chaos_handler, NULL  }
};
static const char *callable;

/* One step; both its offer and its report belong to it. */
static bool
run_step(struct err *e)
{
	static unsigned number;
	struct step *step = rig_step(++number, 1, callable, "{}", 0);
	struct step_report *report;
	bool good;

	if (!runner_offer(rig_runner(rig), step, e))
		return false;
	report = rig_wait(rig); /* ends the test if none comes */
	good = report->outcome == OUTCOME_OK;
	if (!good)
		(void)err_set(e, ERR_IO, "%s: %s", report->code, report->message);
	step_report_free(report);
	return good;
}

static bool
attempt(void *arg, struct err *e)
{
	(void)arg;
	return run_step(e);
}

static void
judge(void *arg, bool done, unsigned nth)
{
	struct err e = {0};
	bool again = done;

	(void)arg;
	/* After a failure a handler rests for a moment before it is offered steps. */
	for (int i = 0; !again && i < 10; i++) {
		rig_until(rig_ready, rig, NULL);
		again = run_step(&e);
	}
	ck_assert_msg(again, "no step is done any more after failure %u (%s): %s", nth,
	        fault_last(), e.text);
	ck_assert_msg(
	        rig_waiting(rig) == 0, "reported twice after failure %u (%s)", nth, fault_last());
	rig_until(rig_ready, rig, NULL);
}

START_TEST(a_step_is_reported_once_whatever_fails_F5)
{
	struct handler_settings handler = kinds[_i].handler(kinds[_i].command);
	const struct runner_settings settings = rig_settings(&handler, 1);
	const struct sweep s = {.name = kinds[_i].name,
	        .attempt = attempt,
	        .after = judge,
	        .most = 2000,
	        .stride = getenv("TORTURE_ALL") != NULL ? 1 : 5,
	        .may_linger = true};

	handler.timeout_us = 500000; /* a step that is lost inside waits so long to be reported */
	fault_spare_this_thread(true);
	callable = kinds[_i].callable;
	rig = rig_new(&settings);
	rig_until(rig_ready, rig, NULL);
	sweep_all(&s);
	rig_free(rig); /* which insists that no attempt has left its folder */
}
END_TEST

Suite *
runner_suite(void)
{
	Suite *s = suite_create("runner");
	TCase *tc = tcase_create("runner");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, a_step_is_reported_once_whatever_fails_F5, 0, COUNT(kinds));
	suite_add_tcase(s, tc);
	return s;
}

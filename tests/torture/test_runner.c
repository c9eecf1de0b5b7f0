/*
 * A step's way through the worker's runner, with handler processes: whatever fails, the step is
 * reported once or was never taken, and the next one, undisturbed, is done (F5).
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/torture/sweep.h"
#include "tests/unit/worker/rig.h"

static struct rig *rig;

/* One step; both its offer and its report belong to it. */
static bool
run_step(struct err *e)
{
	static unsigned number;
	struct step *step = rig_step(++number, 1, "shell.x", "{}", 0);
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

static int
discard(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	return where->level > 0 ? remove(path) : 0;
}

START_TEST(a_step_is_reported_once_whatever_fails_F5)
{
	static const char *const command[] = {"/bin/sh", "-c", "exit 0", NULL};
	const struct handler_settings handler = rig_shell_handler(command);
	const struct runner_settings settings = rig_settings(&handler, 1);
	const struct sweep s = {.name = "runner: a script",
	        .attempt = attempt,
	        .after = judge,
	        .most = 2000,
	        .stride = getenv("TORTURE_ALL") != NULL ? 1 : 5,
	        .may_linger = true};

	fault_spare_this_thread(true);
	rig = rig_new(&settings);
	rig_until(rig_ready, rig, NULL);
	sweep_all(&s);
	/* Where the removal of an attempt's folder failed, it stays until somebody else removes it.
	 */
	ck_assert_int_eq(nftw(rig_scratch(), discard, 8, FTW_DEPTH | FTW_PHYS), 0);
	rig_free(rig);
}
END_TEST

Suite *
runner_suite(void)
{
	Suite *s = suite_create("runner");
	TCase *tc = tcase_create("runner");

	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, a_step_is_reported_once_whatever_fails_F5);
	suite_add_tcase(s, tc);
	return s;
}

/* The exec kind (ecosystem 4.2): one process an attempt, files in and out, exit codes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/unit/worker/rig.h"

/* A script and what its step comes to. NULL: not looked at. */
static const struct {
	const char *script;
	enum outcome outcome;
	const char *result, *code;
	bool retryable;
	const char *log;
} scripts[] = {
        {"cat >/dev/null",                                                                       OUTCOME_OK,    "{}",                NULL,              false, ""       },
        {": >\"$TASKER_RESULT\"",                                                                OUTCOME_OK,    "{}",                NULL,              false, NULL     },
        {"printf ' \\n' >\"$TASKER_RESULT\"",                                                    OUTCOME_OK,    "{}",                NULL,              false, NULL     },
        {"cat >\"$TASKER_RESULT\"",                                                              OUTCOME_OK,    "{\"who\":\"Ada\"}", NULL,              false, NULL     },
        {"cat \"$TASKER_INPUT\" >\"$TASKER_RESULT\"",                                            OUTCOME_OK,    "{\"who\":\"Ada\"}", NULL,              false,
         NULL                                                                                                                                                           },
        {"echo '[1, 2]' >$TASKER_RESULT.tmp; mv $TASKER_RESULT.tmp $TASKER_RESULT",              OUTCOME_OK,
         "[1,2]",                                                                                                                    NULL,              false, NULL     },
        {"touch \"$(dirname \"$TASKER_RESULT\")/left\"",                                         OUTCOME_OK,    "{}",                NULL,              false, NULL     },
        {"grep -c '\"dependencies\":{\"before\":{\"result\":7}}' $TASKER_FRAME >$TASKER_RESULT",
         OUTCOME_OK,                                                                                            "1",                 NULL,              false, NULL     },
        {"echo to stdout; echo to stderr >&2",                                                   OUTCOME_OK,    "{}",                NULL,              false,
         "to stdout\nto stderr\n"                                                                                                                                       },
        {"echo '{\"a\":1,\"a\":2}' >$TASKER_RESULT",                                             OUTCOME_ERROR, NULL,                "INVALID_RESULT",  false,
         NULL                                                                                                                                                           },
        {"echo hello >$TASKER_RESULT",                                                           OUTCOME_ERROR, NULL,                "INVALID_RESULT",  false, NULL     },
        {"ln -s /etc/passwd $TASKER_RESULT",                                                     OUTCOME_ERROR, NULL,                "INVALID_RESULT",  false, NULL     },
        {"mkfifo $TASKER_RESULT",                                                                OUTCOME_ERROR, NULL,                "INVALID_RESULT",  false, NULL     },
        {"head -c 40000 /dev/zero | tr '\\0' 1 >$TASKER_RESULT",                                 OUTCOME_ERROR, NULL,
         "RESULT_TOO_LARGE",                                                                                                                            false, NULL     },
        {"echo 1 >$TASKER_RESULT; exit 75",                                                      OUTCOME_ERROR, NULL,                "handler_error",   true,  NULL     },
        {"exit 65",                                                                              OUTCOME_ERROR, NULL,                "handler_error",   false, NULL     },
        {"exit 78",                                                                              OUTCOME_ERROR, NULL,                "handler_error",   false, NULL     },
        {"echo sorry; exit 3",                                                                   OUTCOME_ERROR, NULL,                "handler_error",   true,  "sorry\n"},
        {"kill -9 $$",                                                                           OUTCOME_ERROR, NULL,                "handler_crashed", true,  NULL     },
        {"kill -TERM $$",                                                                        OUTCOME_ERROR, NULL,                "handler_crashed", true,  NULL     },
        {"nosuchprogram",                                                                        OUTCOME_ERROR, NULL,                "handler_error",   true,  NULL     },
};

static struct rig *
with_script(const char *script, struct handler_settings *handler, struct runner_settings *s)
{
	static const char *command[4];

	command[0] = "/bin/sh";
	command[1] = "-c";
	command[2] = script;
	*handler = rig_shell_handler(command);
	*s = rig_settings(handler, 1);
	return rig_new(s);
}

START_TEST(each_end_has_its_report)
{
	struct handler_settings handler;
	struct runner_settings s;
	struct rig *rig = with_script(scripts[_i].script, &handler, &s);
	struct step_report *r;

	rig_give(rig, 1, 2, "shell.run");
	r = rig_wait(rig);
	ck_assert_msg(r->outcome == scripts[_i].outcome, "%s: %s %s: %s", outcome_name(r->outcome),
	        r->code, r->message, rig_text(&r->log));
	if (scripts[_i].result != NULL)
		ck_assert_str_eq(rig_text(&r->result), scripts[_i].result);
	if (scripts[_i].code != NULL) {
		ck_assert_str_eq(r->code, scripts[_i].code);
		ck_assert_int_eq(r->retryable, scripts[_i].retryable);
	}
	if (scripts[_i].log != NULL)
		ck_assert_str_eq(rig_text(&r->log), scripts[_i].log);
	step_report_free(r);
	rig_free(rig); /* looks that its folder is gone */
}
END_TEST

static const struct {
	const char *name, *value; /* a prefix of it */
} described[] = {
        {"TASKER_TASK_ID",         "11111111-0000-7000-8000-000000000000\n"},
        {"TASKER_STEP_ID",         "00000000-0000-7000-8000-000000000001\n"},
        {"TASKER_NAMESPACE",       "demo\n"                                },
        {"TASKER_TEMPLATE",        "greet@1.0.0\n"                         },
        {"TASKER_STEP",            "hello\n"                               },
        {"TASKER_HANDLER",         "shell.run\n"                           },
        {"TASKER_IDEMPOTENCY_KEY", "k/hello\n"                             },
        {"TASKER_ATTEMPT",         "2\n"                                   },
        {"TASKER_MAX_ATTEMPTS",    "3\n"                                   },
        {"TASKER_DEADLINE",        "20"                                    },
};

START_TEST(the_environment_describes_the_attempt)
{
	char script[128];
	struct handler_settings handler;
	struct runner_settings s;
	struct step_report *r;
	struct rig *rig;

	(void)snprintf(script, sizeof(script), "echo \"$%s\"", described[_i].name);
	rig = with_script(script, &handler, &s);
	rig_give(rig, 1, 2, "shell.run");
	r = rig_wait(rig);
	ck_assert_msg(
	        strncmp(rig_text(&r->log), described[_i].value, strlen(described[_i].value)) == 0,
	        "%s", rig_text(&r->log));
	step_report_free(r);
	rig_free(rig);
}
END_TEST

/* What the shim has set up when the program begins. */
static const struct {
	const char *script, *log;
} surroundings[] = {
        {"umask",                                                                  "0077\n"},
        {"ulimit -c",                                                              "0\n"   },
        {"ulimit -Sn",                                                             "1024\n"},
        {"cat /proc/self/oom_score_adj",                                           "500\n" },
        {"for i in {3..63}; do [ -e /proc/$$/fd/$i ] && echo $i; done; echo none", "none\n"},
        {"set -- $(</proc/$$/stat); test $6 = $$ && echo own",                     "own\n" },
        {"stat -c %a \"$(dirname \"$TASKER_RESULT\")\"",                           "700\n" },
        {"pwd",                                                                    "/usr\n"},
};

START_TEST(the_shim_prepares_the_process)
{
	const char *command[] = {"/bin/bash", "-c", surroundings[_i].script, NULL};
	struct handler_settings handler = rig_shell_handler(command);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;

	handler.cwd = "/usr";
	rig = rig_new(&s);
	rig_give(rig, 1, 1, "shell.run");
	r = rig_wait(rig);
	ck_assert_str_eq(rig_text(&r->log), surroundings[_i].log);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

static const struct {
	const char *script;
	enum stop why;
	enum outcome outcome;
	const char *log;
	bool killed; /* only its grace ended it */
} stops[] = {
        {"trap 'echo bye; exit 0' TERM; echo up; sleep 9 & wait", STOP_CANCELLED, OUTCOME_CANCELLED,
         "up\nbye\n",                                                                                      false},
        {"trap '' TERM; echo up; sleep 9 & wait; sleep 9",        STOP_CANCELLED, OUTCOME_CANCELLED,
         "up\n",                                                                                           true },
        {"echo up; sleep 9",                                      STOP_LOST,      OUTCOME_DROPPED,   NULL, false},
        {"echo up; sleep 9",                                      STOP_RELEASED,  OUTCOME_RELEASED,  NULL, false},
};

START_TEST(a_stopped_script_gets_its_signal_then_its_grace)
{
	struct handler_settings handler;
	struct runner_settings s;
	struct rig *rig = with_script(stops[_i].script, &handler, &s);
	struct step_report *r;
	int64_t began;

	rig_give(rig, 1, 1, "shell.run");
	(void)usleep(200000); /* for its trap to be set */
	began = clock_mono_us();
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(1), 1, stops[_i].why));
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, stops[_i].outcome);
	ck_assert_int_eq(clock_mono_us() - began >= handler.grace_us, stops[_i].killed);
	if (stops[_i].log != NULL)
		ck_assert_str_eq(rig_text(&r->log), stops[_i].log);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(a_script_over_its_time_is_stopped_and_may_be_tried_again)
{
	struct handler_settings handler;
	struct runner_settings s;
	struct rig *rig = with_script("sleep 9", &handler, &s);
	struct step_report *r;

	rig_give_input(rig, 1, "shell.run", "{}", 1);
	r = rig_wait(rig);
	ck_assert_str_eq(r->code, "handler_timeout");
	ck_assert(r->retryable);
	ck_assert_str_eq(r->message, "Handler timed out after 1000ms");
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(no_more_run_at_once_than_processes_times_slots)
{
	static const char *const command[] = {"/bin/sh", "-c", "sleep 0.1", NULL};
	struct handler_settings handler = rig_shell_handler(command);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	const struct handler_pool_numbers *n;
	unsigned most = 0;

	handler.processes = 1;
	handler.slots = 2;
	rig = rig_new(&s);
	n = runner_numbers(rig_runner(rig), 0);
	for (unsigned i = 1; i <= 6; i++)
		rig_give(rig, i, 1, "shell.run");
	while (rig_waiting(rig) < 6) {
		const unsigned now = atomic_load(&n->running);

		most = now > most ? now : most;
		(void)usleep(1000);
	}
	ck_assert_uint_eq(most, 2);
	rig_free(rig);
}
END_TEST

START_TEST(a_shim_that_is_not_there_releases_its_steps_and_is_unhealthy_soon)
{
	static const char *const command[] = {"/bin/true", NULL};
	const struct handler_settings handler = rig_shell_handler(command);
	struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;

	s.shim = "/nonexistent/tasker-exec";
	rig = rig_new(&s);
	for (unsigned i = 1; i <= RESTART_FAILURES; i++) {
		rig_give(rig, i, 1, "shell.run");
		r = rig_wait(rig);
		ck_assert_int_eq(r->outcome, OUTCOME_RELEASED);
		step_report_free(r);
	}
	ck_assert(!runner_healthy(rig_runner(rig)));
	rig_free(rig);
}
END_TEST

/* The shim itself: what it refuses. {arguments, exit status} */
static const struct {
	const char *arguments;
	int status;
} refusals[] = {
        {"",                               125},
        {"-- ",                            125},
        {"-z -- true",                     125},
        {"-p 1 -- true",                   125}, /* its parent is somebody else: too late */
        {"-p x -- true",                   125},
        {"-k many -- true",                125},
        {"-d /nonexistent -- true",        125},
        {"-l memory=1 -- true",            125},
        {"-l core -- true",                125},
        {"-s nofile=-1 -- true",           125},
        {"-- /nonexistent/program",        127},
        {"-- /etc/passwd",                 126},
        {"-l core=0 -s nofile=64 -- true", 0  },
};

START_TEST(the_shim_refuses_what_it_does_not_understand)
{
	char line[4352];
	int status;

	(void)snprintf(
	        line, sizeof(line), "'%s' %s 2>/dev/null", rig_shim(), refusals[_i].arguments);
	status = system(line);
	ck_assert_int_eq(WEXITSTATUS(status), refusals[_i].status);
}
END_TEST

Suite *
exec_run_suite(void)
{
	Suite *suite = suite_create("exec_run");
	TCase *tc = tcase_create("exec");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_end_has_its_report, 0, COUNT(scripts));
	tcase_add_loop_test(tc, the_environment_describes_the_attempt, 0, COUNT(described));
	tcase_add_loop_test(tc, the_shim_prepares_the_process, 0, COUNT(surroundings));
	tcase_add_loop_test(tc, a_stopped_script_gets_its_signal_then_its_grace, 0, COUNT(stops));
	tcase_add_test(tc, a_script_over_its_time_is_stopped_and_may_be_tried_again);
	tcase_add_test(tc, no_more_run_at_once_than_processes_times_slots);
	tcase_add_test(tc, a_shim_that_is_not_there_releases_its_steps_and_is_unhealthy_soon);
	tcase_add_loop_test(tc, the_shim_refuses_what_it_does_not_understand, 0, COUNT(refusals));
	suite_add_tcase(suite, tc);
	return suite;
}

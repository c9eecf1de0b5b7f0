#include "ctl/task_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

#define TASK "0190a0b0-0000-7000-8000-000000000001"

/* One look at a task with two steps. */
#define LOOK(status, left, right)                                                                  \
	"{\"task_uuid\":\"" TASK "\",\"name\":\"pair\",\"status\":\"" status "\","                 \
	"\"total_steps\":2,\"completed_steps\":1,\"steps\":[{\"name\":\"left\","                   \
	"\"current_state\":\"" left "\"},{\"name\":\"right\",\"current_state\":\"" right "\"}]}"

#define SEES(status, left, right)                                                                  \
	{                                                                                          \
		.answer = rig_answer(200, LOOK(status, left, right)), .end = PEER_KEEP             \
	}

static struct rig r;
static struct peer peer;

static void
begin(const struct peer_line *script, size_t lines)
{
	peer_start(&peer, NULL, script, lines);
	r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &peer);
}

static void
end(void)
{
	rig_end(&r);
}

static size_t
times(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static const struct {
	const char *status;
	enum exit_status exit;
} endings[] = {
        {"complete",            EXIT_STATUS_OK},
        {"resolved_manually",   EXIT_STATUS_OK},
        {"error",               EXIT_STATUS_NO},
        {"cancelled",           EXIT_STATUS_NO},
        {"blocked_by_failures", EXIT_STATUS_NO},
};

START_TEST(the_exit_code_says_how_the_task_ended)
{
	char body[256];
	struct peer_line script[] = {
	        {NULL, PEER_CLOSE, false, NULL}
        };

	(void)snprintf(
	        body, sizeof(body), "{\"name\":\"x\",\"status\":\"%s\"}", endings[_i].status);
	script[0].answer = rig_answer(200, body);
	begin(script, 1);
	rig_run(&r, "task", "watch", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, endings[_i].exit);
	rig_has(r.out, endings[_i].status);
	if (endings[_i].exit == EXIT_STATUS_OK)
		rig_lacks(r.err, "hint");
	else
		rig_has(r.err, "task steps " TASK);
}
END_TEST

START_TEST(a_pipe_gets_one_line_a_change)
{
	const struct peer_line script[] = {SEES("steps_in_process", "in_progress", "pending"),
	        SEES("steps_in_process", "in_progress", "pending"),
	        SEES("steps_in_process", "complete", "in_progress"),
	        SEES("complete", "complete", "complete")};

	begin(script, COUNT(script));
	rig_run(&r, "task", "watch", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_uint_eq(times(r.out, "\n"), 7); /* 3 + 0 + 2 + 2 */
	ck_assert_uint_eq(times(r.out, "step left  in_progress"), 1);
	ck_assert_uint_eq(times(r.out, "step left  complete"), 1);
	ck_assert_uint_eq(times(r.out, "task pair  complete"), 1);
	ck_assert_ptr_null(strchr(r.out, '\033'));
}
END_TEST

START_TEST(a_terminal_gets_one_tree_that_changes)
{
	const struct peer_line script[] = {SEES("steps_in_process", "in_progress", "pending"),
	        SEES("complete", "complete", "complete")};

	begin(script, COUNT(script));
	r.tty = true;
	r.env[1] = "TERM=xterm";
	rig_run(&r, "task", "watch", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_uint_eq(times(r.out, "\033[4A\033[J"), 1); /* headings, task, two steps */
	ck_assert_uint_eq(times(r.out, "|-left"), 2);
}
END_TEST

START_TEST(a_tree_taller_than_the_terminal_becomes_lines)
{
	const struct peer_line script[] = {SEES("steps_in_process", "in_progress", "pending"),
	        SEES("complete", "complete", "complete")};

	begin(script, COUNT(script));
	r.tty = true;
	r.rows = 4;
	r.env[1] = "TERM=xterm";
	rig_run(&r, "task", "watch", TASK, NULL);
	peer_end(&peer);
	ck_assert_uint_eq(times(r.out, "\033[J"), 0);
	rig_has(r.out, "task pair  complete");
}
END_TEST

START_TEST(json_is_printed_once_at_the_end)
{
	const struct peer_line script[] = {
	        SEES("pending", "pending", "pending"), SEES("error", "error", "pending")};

	begin(script, COUNT(script));
	rig_run(&r, "--output", "json", "task", "watch", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	ck_assert_str_eq(r.out, LOOK("error", "error", "pending") "\n");
}
END_TEST

START_TEST(the_wait_ends_with_7)
{
	struct peer_line script[6];

	for (size_t i = 0; i < COUNT(script); i++)
		script[i] = (struct peer_line)SEES("pending", "pending", "pending");
	begin(script, COUNT(script));
	rig_run(&r, "--timeout", "1", "task", "watch", TASK, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_TIMEOUT);
	rig_has(r.err, "within 1 s");
	/* 100, 150, 225, 337, 500 */
	ck_assert_int_eq(rig_paused_ms(), 100 + 150 + 225 + 337 + 500);
	peer_end(&peer);
	ck_assert_uint_eq(peer.requests, 6);
}
END_TEST

START_TEST(a_daemon_that_is_away_for_a_moment_is_waited_for)
{
	const struct peer_line script[] = {
	        SEES("pending", "pending", "pending"),
	        {.answer = rig_answer(503, "{}"), .end = PEER_KEEP},
	        SEES("complete", "complete", "complete")
        };

	begin(script, COUNT(script));
	rig_run(&r, "task", "watch", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	ck_assert_str_eq(r.err, "");
}
END_TEST

static void
daemon_ends(void)
{
	peer_end(&peer);
}

START_TEST(a_daemon_that_stays_away_is_given_up)
{
	const struct peer_line script[] = {SEES("pending", "pending", "pending")};

	begin(script, COUNT(script));
	rig_at_pause(daemon_ends);
	rig_run(&r, "task", "watch", TASK, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_UNREACHABLE);
	rig_has(r.err, "start tasker-orchestration");
	ck_assert_int_ge(rig_paused_ms(), (WATCH_LOST_MAX - 4) * WATCH_LATER_MS);
}
END_TEST

/* A refusal or a task that is not there will not get better. */
static const struct {
	int status;
	enum exit_status exit;
} refusals[] = {
        {401, EXIT_STATUS_AUTH       },
        {404, EXIT_STATUS_MISSING    },
        {503, EXIT_STATUS_UNREACHABLE}, /* never seen well */
};

START_TEST(the_first_look_must_succeed)
{
	const struct peer_line script[] = {
	        {rig_answer(refusals[_i].status, "{}"), PEER_CLOSE, false, NULL}
        };

	begin(script, COUNT(script));
	rig_run(&r, "task", "watch", TASK, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, refusals[_i].exit);
	ck_assert_int_eq(rig_paused_ms(), 0);
}
END_TEST

START_TEST(create_waits_when_asked)
{
	const struct peer_line script[] = {
	        {.answer = rig_answer(201, LOOK("pending", "pending", "pending")),
                 .end = PEER_KEEP},
	        SEES("pending", "pending", "pending"), SEES("complete", "complete", "complete")
        };

	begin(script, COUNT(script));
	rig_run(&r, "task", "create", "--name", "pair", "--wait", NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(r.err, "Created " TASK);
	rig_has(r.out, "Status      complete");
	rig_has(peer.request[2], "GET /v1/tasks/" TASK " HTTP/1.1");
}
END_TEST

Suite *
task_watch_suite(void)
{
	Suite *s = suite_create("task_watch");
	TCase *tc = tcase_create("watch");

	tcase_add_checked_fixture(tc, NULL, end);
	tcase_add_loop_test(tc, the_exit_code_says_how_the_task_ended, 0, COUNT(endings));
	tcase_add_test(tc, a_pipe_gets_one_line_a_change);
	tcase_add_test(tc, a_terminal_gets_one_tree_that_changes);
	tcase_add_test(tc, a_tree_taller_than_the_terminal_becomes_lines);
	tcase_add_test(tc, json_is_printed_once_at_the_end);
	tcase_add_test(tc, the_wait_ends_with_7);
	tcase_add_test(tc, a_daemon_that_is_away_for_a_moment_is_waited_for);
	tcase_add_test(tc, a_daemon_that_stays_away_is_given_up);
	tcase_add_loop_test(tc, the_first_look_must_succeed, 0, COUNT(refusals));
	tcase_add_test(tc, create_waits_when_asked);
	suite_add_tcase(s, tc);
	return s;
}

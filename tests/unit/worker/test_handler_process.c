/* The persistent kind, with a handler that misbehaves on request (ecosystem 4.2). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/unit/worker/rig.h"

/* What one step comes to. NULL: not looked at. */
static const struct {
	const char *callable;
	enum outcome outcome;
	const char *result, *code;
	bool retryable;
	const char *log;
} steps[] = {
        {"chaos.echo",             OUTCOME_OK,    "{\"who\":\"Ada\"}", NULL,                false, "echoing\n"  },
        {"chaos.crash",            OUTCOME_ERROR, NULL,                "handler_crashed",   true,  NULL         },
        {"chaos.exit",             OUTCOME_ERROR, NULL,                "handler_crashed",   true,  "giving up\n"},
        {"chaos.garbage",          OUTCOME_ERROR, NULL,                "INVALID_RESULT",    false, NULL         },
        {"chaos.nan",              OUTCOME_ERROR, NULL,                "INVALID_RESULT",    false, NULL         },
        {"chaos.half_line",        OUTCOME_ERROR, NULL,                "handler_crashed",   true,  NULL         },
        {"chaos.result_then_exit", OUTCOME_OK,    "{\"last\":true}",   NULL,                false, NULL         },
        {"chaos.huge_line",        OUTCOME_ERROR, NULL,                "RESULT_TOO_LARGE",  false, NULL         },
        {"chaos.large_result",     OUTCOME_ERROR, NULL,                "RESULT_TOO_LARGE",  false, NULL         },
        {"chaos.twice",            OUTCOME_OK,    "{\"answer\":1}",    NULL,                false, NULL         },
        {"chaos.wrong_id",         OUTCOME_OK,    "{\"right\":true}",  NULL,                false, NULL         },
        {"chaos.notes",            OUTCOME_OK,    "{}",                NULL,                false,
         "warn slow source {\"ms\":2100}\nprogress 40 % 40 of 100\n"                                            },
        {"chaos.error",            OUTCOME_ERROR, NULL,                "UPSTREAM_503",      true,  NULL         },
        {"chaos.permanent",        OUTCOME_ERROR, NULL,                "BAD_INPUT",         false, NULL         },
        {"chaos.checkpoint",       OUTCOME_ERROR, NULL,                "NOT_SUPPORTED",     false, NULL         },
        {"chaos.wait",             OUTCOME_ERROR, NULL,                "NOT_SUPPORTED",     false, NULL         },
        {"other.thing",            OUTCOME_ERROR, NULL,                "handler_not_found", false, NULL         },
        {"chaos.unheard_of",       OUTCOME_ERROR, NULL,                "handler_not_found", false, NULL         },
};

START_TEST(each_behaviour_has_its_report)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 2, steps[_i].callable);
	r = rig_wait(rig);
	ck_assert_str_eq(r->step, rig_uuid(1));
	ck_assert_int_eq(r->attempt, 2);
	ck_assert_msg(r->outcome == steps[_i].outcome, "%s: %s %s", outcome_name(r->outcome),
	        r->code, r->message);
	if (steps[_i].result != NULL)
		ck_assert_str_eq(rig_text(&r->result), steps[_i].result);
	if (steps[_i].code != NULL) {
		ck_assert_str_eq(r->code, steps[_i].code);
		ck_assert_int_eq(r->retryable, steps[_i].retryable);
	}
	if (steps[_i].log != NULL)
		ck_assert_str_eq(rig_text(&r->log), steps[_i].log);
	step_report_free(r);

	/* Whatever it did, the next step is served, and there is only one report a step. One that
	 * was given to a process on its way out goes back unburnt. */
	for (unsigned tries = 1, outcome = OUTCOME_RELEASED; outcome == OUTCOME_RELEASED; tries++) {
		ck_assert_uint_lt(tries, 10);
		rig_give(rig, 2, tries, "chaos.echo");
		r = rig_wait(rig);
		ck_assert_str_eq(r->step, rig_uuid(2));
		outcome = r->outcome;
		ck_assert_int_ne(outcome, OUTCOME_ERROR);
		step_report_free(r);
	}
	ck_assert_uint_eq(rig_waiting(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(retry_after_is_passed_on)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_give(rig, 1, 1, "chaos.error"); /* before it is ready: it waits in the queue */
	r = rig_wait(rig);
	ck_assert_int_eq(r->retry_after_ms, 30000);
	ck_assert_str_eq(r->message, "not now");
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(integers_of_64_bits_and_hostile_text_survive_both_ways)
{
	static const char input[] =
	        "{\"n\":9007199254740993,\"t\":\"\\n{\\\"type\\\":\\\"cancel\\\"}\\u2028\"}";
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_give_input(rig, 1, "chaos.echo", input, 0);
	r = rig_wait(rig);
	ck_assert_str_eq(rig_text(&r->result), input);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(a_flood_keeps_head_and_tail_and_says_how_much_is_missing)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;
	const char *log;

	rig_give(rig, 1, 1, "chaos.flood");
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_OK);
	log = rig_text(&r->log);
	ck_assert(strncmp(log, "first\n", 6) == 0);
	ck_assert_ptr_nonnull(strstr(log, " bytes dropped "));
	ck_assert_str_eq(log + strlen(log) - 9, "last \xEF\xBF\xBD\n");
	ck_assert_uint_lt(r->log.len, s.log_bytes + 128);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(a_cancelled_step_ends_cancelled_with_its_late_result)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.hold");
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(1), 1, STOP_CANCELLED));
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_CANCELLED);
	ck_assert_str_eq(rig_text(&r->result), "{\"after\":\"cancel\"}");
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(a_queued_step_is_cancelled_without_running)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.hold");
	rig_give(rig, 2, 1, "chaos.echo");
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(2), 1, STOP_CANCELLED));
	r = rig_wait(rig);
	ck_assert_str_eq(r->step, rig_uuid(2));
	ck_assert_int_eq(r->outcome, OUTCOME_CANCELLED);
	ck_assert_int_eq(r->ran_us, 0);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(stopping_a_step_of_another_attempt_stops_nothing)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;

	rig_give(rig, 1, 2, "chaos.hold");
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(1), 1, STOP_CANCELLED));
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(9), 2, STOP_CANCELLED));
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(1), 2, STOP_LOST));
	r = rig_wait(rig);
	ck_assert_int_eq(r->attempt, 2);
	ck_assert_int_eq(r->outcome, OUTCOME_DROPPED);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(a_step_that_ignores_its_cancel_is_killed_after_its_grace)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig = rig_new(&s);
	struct step_report *r;
	int64_t began;

	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.ignore");
	began = clock_mono_us();
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(1), 1, STOP_CANCELLED));
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_CANCELLED);
	ck_assert_uint_eq(r->result.len, 0);
	ck_assert_int_ge(clock_mono_us() - began, handler.grace_us);
	step_report_free(r);
	rig_give(rig, 2, 1, "chaos.echo");
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_OK);
	ck_assert(runner_healthy(rig_runner(rig))); /* it was killed, it did not fail */
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(the_timeout_of_the_step_wins_over_the_handlers)
{
	struct handler_settings handler = rig_chaos_handler(NULL);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;

	handler.timeout_us = _i == 0 ? 150000 : 60000000;
	rig = rig_new(&s);
	rig_give_input(rig, 1, "chaos.hold", "{}", _i == 0 ? 0 : 1);
	r = rig_wait(rig);
	ck_assert_int_eq(r->outcome, OUTCOME_ERROR);
	ck_assert_str_eq(r->code, "handler_timeout");
	ck_assert(r->retryable);
	ck_assert_str_eq(r->message,
	        _i == 0 ? "Handler timed out after 150ms" : "Handler timed out after 1000ms");
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(the_neighbours_of_a_killed_step_are_released_unburnt)
{
	const char *command[] = {rig_chaos(), "-s", "4", NULL};
	struct handler_settings handler = rig_chaos_handler(command);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;
	unsigned released = 0, timed_out = 0;

	handler.slots = 4;
	rig = rig_new(&s);
	rig_until(rig_ready, rig, NULL);
	rig_give_input(rig, 2, "chaos.hold", "{}", 0);
	rig_give_input(rig, 1, "chaos.ignore", "{}", 1); /* takes the process down in 1.2 s */
	for (unsigned i = 0; i < 2; i++) {
		r = rig_wait(rig);
		if (r->outcome == OUTCOME_RELEASED)
			released++;
		else if (strcmp(r->code, "handler_timeout") == 0)
			timed_out++;
		step_report_free(r);
	}
	ck_assert_uint_eq(released, 1);
	ck_assert_uint_eq(timed_out, 1);
	rig_free(rig);
}
END_TEST

START_TEST(with_several_slots_output_is_tagged_and_garbage_ends_all)
{
	const char *command[] = {rig_chaos(), "-s", "4", NULL};
	struct handler_settings handler = rig_chaos_handler(command);
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;

	handler.slots = 4;
	rig = rig_new(&s);
	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.hold");
	rig_give(rig, 2, 1, "chaos.echo");
	r = rig_wait(rig);
	ck_assert_str_eq(rig_text(&r->log), "[chaos#1] echoing\n");
	step_report_free(r);
	rig_give(rig, 3, 1, "chaos.garbage");
	for (unsigned i = 0; i < 2; i++) {
		r = rig_wait(rig);
		ck_assert_str_eq(r->code, "handler_protocol");
		ck_assert(r->retryable);
		step_report_free(r);
	}
	rig_free(rig);
}
END_TEST

START_TEST(a_process_that_announces_fewer_slots_gets_no_more)
{
	struct handler_settings handler = rig_chaos_handler(NULL); /* announces 1 */
	const struct runner_settings s = rig_settings(&handler, 1);
	struct rig *rig;
	struct step_report *r;

	handler.slots = 4;
	rig = rig_new(&s);
	rig_until(rig_ready, rig, NULL);
	rig_give(rig, 1, 1, "chaos.hold");
	rig_give(rig, 2, 1, "chaos.hold");
	ck_assert(runner_stop(rig_runner(rig), rig_uuid(2), 1, STOP_CANCELLED));
	r = rig_wait(rig);
	ck_assert_int_eq(r->ran_us, 0);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

START_TEST(a_frame_that_is_too_large_for_the_handler_fails_for_good)
{
	const struct handler_settings handler = rig_chaos_handler(NULL);
	struct runner_settings s = rig_settings(&handler, 1);
	AUTO(buf) struct buf input = BUF(MIB(1));
	struct rig *rig;
	struct step_report *r;

	s.frame_bytes = KIB(8);
	rig = rig_new(&s);
	buf_char(&input, '"');
	for (size_t i = 0; i < KIB(8); i++)
		buf_char(&input, 'a');
	buf_text(&input, "\"");
	buf_char(&input, '\0');
	rig_give_input(rig, 1, "chaos.echo", input.data, 0);
	r = rig_wait(rig);
	ck_assert_str_eq(r->code, "FRAME_TOO_LARGE");
	ck_assert(!r->retryable);
	step_report_free(r);
	rig_free(rig);
}
END_TEST

Suite *
handler_process_suite(void)
{
	Suite *suite = suite_create("handler_process");
	TCase *tc = tcase_create("process");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_behaviour_has_its_report, 0, COUNT(steps));
	tcase_add_test(tc, retry_after_is_passed_on);
	tcase_add_test(tc, integers_of_64_bits_and_hostile_text_survive_both_ways);
	tcase_add_test(tc, a_flood_keeps_head_and_tail_and_says_how_much_is_missing);
	tcase_add_test(tc, a_cancelled_step_ends_cancelled_with_its_late_result);
	tcase_add_test(tc, a_queued_step_is_cancelled_without_running);
	tcase_add_test(tc, stopping_a_step_of_another_attempt_stops_nothing);
	tcase_add_test(tc, a_step_that_ignores_its_cancel_is_killed_after_its_grace);
	tcase_add_loop_test(tc, the_timeout_of_the_step_wins_over_the_handlers, 0, 2);
	tcase_add_test(tc, the_neighbours_of_a_killed_step_are_released_unburnt);
	tcase_add_test(tc, with_several_slots_output_is_tagged_and_garbage_ends_all);
	tcase_add_test(tc, a_process_that_announces_fewer_slots_gets_no_more);
	tcase_add_test(tc, a_frame_that_is_too_large_for_the_handler_fails_for_good);
	suite_add_tcase(suite, tc);
	return suite;
}

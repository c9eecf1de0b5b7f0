/* The link in fair weather, against an orchestration played by the test (design §7, §15). */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/unit/worker/link_rig.h"

START_TEST(registers_with_all_it_has_and_then_polls)
{
	struct fake_request r;

	link_rig_start();
	r = fake_next(rig.fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert_str_eq(
	        r.authorization, ""); /* no link.rig.token_path: no credential is made up */
	ck_assert_str_eq(r.body,
	        "{\"proto\":1,\"worker\":\"w1\",\"boot\":\"00000000-0000-4000-8000-00000000b007\","
	        "\"slots\":4,\"namespaces\":[\"demo\"],\"handlers\":[\"demo.greet\"],"
	        "\"templates\":[{\"yaml\":\"name: x\"}]}");
	fake_answer(rig.fake, r.connection, 200,
	        "{\"session\":\"s1\",\"lease_ms\":30000,\"beat_ms\":5000,"
	        "\"templates\":[{\"name\":\"x\",\"ok\":false,\"error\":\"line 1\"}]}");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"free\":4,\"held\":[],\"wait_ms\":112"));
	link_rig_stop();
}
END_TEST

START_TEST(a_step_is_offered_held_reported_and_done_with)
{
	char held[128], status[128];
	struct fake_request r, parked;

	link_rig_start();
	parked = link_rig_with_step(30000, 5000);
	link_rig_ref(held, 1, 1);
	ck_assert(link_rig_has(&parked, "\"free\":3"));
	ck_assert(link_rig_has(&parked, held));
	ck_assert(link_rig_has(&parked, "\"wait_ms\":5000")); /* the beat renews the lease */
	link_rig_finish(1, 1, "{\"ok\":1}");
	r = fake_poll(rig.fake, "s1"); /* at once, though the other is parked */
	ck_assert_str_ne(fake_member(&r, "id"), "");
	ck_assert(link_rig_has(&r, "\"free\":4,\"held\":[]"));
	ck_assert(link_rig_has(&r, "\"outcome\":\"ok\",\"result\":{\"ok\":1}"));
	ck_assert(fake_is_gone(rig.fake, parked.connection));
	link_rig_status(status, 1, 1, "accepted");
	fake_answer_poll(rig.fake, &r, status, "", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"free\":4,\"held\":[]"));
	ck_assert(link_rig_has(&r, "\"results\":[]"));
	ck_assert_uint_eq(link_status(rig.link).accepted, 1);
	link_rig_stop();
}
END_TEST

START_TEST(cancel_and_lost_reach_the_runner)
{
	char cancel[128], lost[128];
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	link_rig_ref(cancel, 1, 1);
	link_rig_ref(lost, 7, 3);
	fake_answer_poll(rig.fake, &r, "", "", cancel, lost);
	ck_assert_str_eq(link_rig_event(), "cancel 00000000-0000-7000-8000-000000000001 1");
	ck_assert_str_eq(link_rig_event(), "lost 00000000-0000-7000-8000-000000000007 3");
	link_rig_finish(1, 1, NULL); /* dropped: nothing to say, its slot is free again */
	r = fake_poll(rig.fake, "s1");
	if (link_rig_has(&r, "\"free\":3")) { /* one that was already on its way */
		fake_answer_poll(rig.fake, &r, "", "", "", "");
		r = fake_poll(rig.fake, "s1");
	}
	ck_assert(link_rig_has(&r, "\"free\":4,\"held\":[]"));
	ck_assert(link_rig_has(&r, "\"results\":[]"));
	link_rig_stop();
}
END_TEST

START_TEST(a_stale_result_is_counted_and_not_said_again)
{
	char status[128];
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	link_rig_finish(1, 1, "1");
	r = fake_poll(rig.fake, "s1");
	link_rig_status(status, 1, 1, "stale");
	fake_answer_poll(rig.fake, &r, status, "", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"results\":[]"));
	ck_assert_uint_eq(link_status(rig.link).stale, 1);
	ck_assert_uint_eq(link_status(rig.link).accepted, 0);
	link_rig_stop();
}
END_TEST

START_TEST(other_handlers_are_registered_anew_while_steps_go_on)
{
	char held[128];
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	rig.callables = "[]";
	link_changed(rig.link);
	r = fake_next(rig.fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert(link_rig_has(&r, "\"handlers\":[]"));
	/* It is refused: the old session is used on. */
	fake_answer(rig.fake, r.connection, 503, "{}");
	r = fake_poll(rig.fake, "s1");
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	do {
		r = fake_next(rig.fake);
		if (strcmp(r.path, "/v1/internal/poll") == 0)
			fake_answer_poll(rig.fake, &r, "", "", "", "");
	} while (strcmp(r.path, "/v1/internal/poll") == 0);
	fake_answer(rig.fake, r.connection, 200,
	        "{\"session\":\"s2\",\"lease_ms\":30000,\"beat_ms\":5000}");
	r = fake_poll(rig.fake, "s2");
	link_rig_ref(held, 1, 1);
	ck_assert(link_rig_has(&r, held));
	link_rig_stop();
}
END_TEST

START_TEST(no_more_steps_are_held_than_there_are_slots)
{
	char steps[16384];
	size_t len = 0;
	struct fake_request r;

	link_rig_start();
	fake_register(rig.fake, "s1", 30000, 5000);
	r = fake_poll(rig.fake, "s1");
	for (unsigned n = 1; n <= 6; n++) /* two more than were asked for */
		len += (size_t)snprintf(steps + len, sizeof(steps) - len, "%s%s", n > 1 ? "," : "",
		        link_rig_frame(n, 1));
	fake_answer_poll(rig.fake, &r, "", steps, "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"free\":0"));
	ck_assert(!link_rig_has(&r, "000000000005")); /* unlisted: it goes back */
	ck_assert_uint_eq(rig.count, 4);
	link_rig_stop();
}
END_TEST

START_TEST(a_step_the_runner_does_not_take_is_not_held)
{
	struct fake_request r;

	rig.refuses = true;
	link_rig_start();
	fake_register(rig.fake, "s1", 30000, 5000);
	r = fake_poll(rig.fake, "s1");
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(1, 1), "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"free\":4,\"held\":[]"));
	link_rig_stop();
}
END_TEST

START_TEST(a_step_that_makes_no_sense_is_answered_so_that_it_does_not_come_back)
{
	struct fake_request r;

	link_rig_start();
	fake_register(rig.fake, "s1", 30000, 5000);
	r = fake_poll(rig.fake, "s1");
	fake_answer_poll(rig.fake, &r, "",
	        "{\"step_uuid\":\"00000000-0000-7000-8000-000000000001\",\"attempt\":2}", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"code\":\"INVALID_STEP\""));
	ck_assert(link_rig_has(&r, "\"retryable\":false"));
	ck_assert(link_rig_has(&r, "\"attempt\":2"));
	link_rig_stop();
}
END_TEST

static void
on_drained(void *arg)
{
	(void)arg;
	link_rig_record("drained", "-", 0);
}

START_TEST(draining_asks_for_nothing_and_ends_with_the_last_result)
{
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	link_drain(rig.link, on_drained, NULL);
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"free\":0"));
	ck_assert_uint_eq(rig.count, 1);
	link_rig_finish(1, 1, "1");
	r = fake_poll(rig.fake, "s1");
	if (!link_rig_has(&r, "\"outcome\"")) /* one that was already on its way */
		r = fake_poll(rig.fake, "s1");
	ck_assert_uint_eq(rig.count, 1); /* not before it was heard */
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	ck_assert_str_eq(link_rig_event(), "drained - 0");
	link_rig_stop();
	ck_assert_uint_eq(rig.count, 2);
}
END_TEST

START_TEST(an_idle_link_is_drained_at_once_though_nobody_answers)
{
	rig.settings.url = "http://127.0.0.1:9";
	link_rig_start();
	link_drain(rig.link, on_drained, NULL);
	ck_assert_uint_eq(rig.count, 1);
	link_rig_stop();
}
END_TEST

START_TEST(results_that_do_not_fit_stay_held_and_follow)
{
	static char large[8192];
	struct fake_request r;

	rig.settings.poll_bytes = 8192;
	memset(large, 'a', 6000);
	large[0] = large[5999] = '"';
	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 1), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(rig.fake, "s1");
	link_rig_finish(1, 1, large);
	r = fake_poll(rig.fake, "s1"); /* under way with the first */
	link_rig_finish(2, 1, large);
	fake_drop(rig.fake, r.connection);
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"held\":[{\"step\":\"00000000-0000-7000-8000-000000000002\""));
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"held\":[]"));
	ck_assert(link_rig_has(&r, "000000000002\",\"attempt\":1,\"outcome\":\"ok\""));
	link_rig_stop();
}
END_TEST

START_TEST(every_allocation_of_a_new_link_may_fail)
{
	const struct link_runner runner = {.offer = NULL};
	bool built = false;

	for (unsigned nth = 1; !built && nth < 50; nth++) {
		AUTO(link) struct link *fresh = NULL;
		struct err e = {0};

		fault_allocation(nth);
		built = link_new(&rig.settings, &runner, &fresh, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert(built);
	fake_free(rig.fake);
}
END_TEST

Suite *
link_suite(void)
{
	Suite *suite = suite_create("link");
	TCase *tc = tcase_create("link");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, link_rig_begin, NULL);
	tcase_add_test(tc, registers_with_all_it_has_and_then_polls);
	tcase_add_test(tc, a_step_is_offered_held_reported_and_done_with);
	tcase_add_test(tc, cancel_and_lost_reach_the_runner);
	tcase_add_test(tc, a_stale_result_is_counted_and_not_said_again);
	tcase_add_test(tc, other_handlers_are_registered_anew_while_steps_go_on);
	tcase_add_test(tc, no_more_steps_are_held_than_there_are_slots);
	tcase_add_test(tc, a_step_the_runner_does_not_take_is_not_held);
	tcase_add_test(tc, a_step_that_makes_no_sense_is_answered_so_that_it_does_not_come_back);
	tcase_add_test(tc, draining_asks_for_nothing_and_ends_with_the_last_result);
	tcase_add_test(tc, an_idle_link_is_drained_at_once_though_nobody_answers);
	tcase_add_test(tc, results_that_do_not_fit_stay_held_and_follow);
	tcase_add_test(tc, every_allocation_of_a_new_link_may_fail);
	suite_add_tcase(suite, tc);
	return suite;
}

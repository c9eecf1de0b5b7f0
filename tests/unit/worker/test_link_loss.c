/*
 * The link when answers, sessions, credentials and leases are lost. What it proves beyond the
 * names: WI5 a finish is said again under the same id until it was answered; WI7, LA-08 credentials
 * are renewed without a restart, and nothing held is lost by it.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/unit/worker/link_rig.h"

static void *
end_link(void *arg)
{
	link_free(arg);
	return NULL;
}

START_TEST(a_poll_that_was_crossed_keeps_its_id_so_that_its_steps_come_again)
{
	char id[64];
	struct fake_request r, parked;

	link_rig_start();
	parked = link_rig_with_step(30000, 5000);
	(void)snprintf(id, sizeof(id), "%s", fake_member(&parked, "id"));
	link_rig_finish(1, 1, "1");
	r = fake_poll(rig.fake, "s1");
	ck_assert_str_eq(fake_member(&r, "id"), id);
	/* What was on its way to the one that was ended is heard by nobody ... */
	fake_answer_poll(rig.fake, &parked, "", link_rig_frame(2, 1), "", "");
	ck_assert_uint_eq(rig.count, 1);
	/* ... and comes again with the answer to the other. */
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 1), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(rig.fake, "s1");
	ck_assert_str_ne(fake_member(&r, "id"), id);
	/* Should it have been overtaken by the other, the next is not parked for long. */
	ck_assert(link_rig_has(&r, "\"wait_ms\":2500,"));
	link_rig_stop();
}
END_TEST

START_TEST(what_arrives_with_the_last_words_is_given_back)
{
	struct fake_request r;
	pthread_t thread;

	rig.settings.goodbye_us = 3000000;
	link_rig_start();
	fake_register(rig.fake, "s1", 30000, 5000);
	r = fake_poll(rig.fake, "s1");
	ck_assert_int_eq(pthread_create(&thread, NULL, end_link, rig.link), 0);
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"free\":0,\"held\":[],\"wait_ms\":0"));
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 1), "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "000000000002\",\"attempt\":1,\"outcome\":\"released\""));
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	rig.link = NULL;
	ck_assert_uint_eq(rig.count, 0);
	link_rig_stop();
}
END_TEST

/* How an answer may fail to come; the poll comes again, letter for letter. */
enum loss { LOSS_DROPPED, LOSS_500, LOSS_503, LOSS_NO_JSON, LOSS_OTHER_ID, LOSS_NUMBER };

START_TEST(a_poll_without_an_answer_comes_again_under_its_id)
{
	char first[1024], status[128];
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	link_rig_finish(1, 1, "\"precious\"");
	r = fake_poll(rig.fake, "s1");
	for (unsigned i = 0; i < 3; i++) {
		(void)snprintf(first, sizeof(first), "%s", r.body);
		if (_i == LOSS_DROPPED)
			fake_drop(rig.fake, r.connection);
		else if (_i == LOSS_NO_JSON)
			fake_answer(rig.fake, r.connection, 200, "{\"id\":");
		else if (_i == LOSS_OTHER_ID)
			fake_answer(rig.fake, r.connection, 200, "{\"id\":\"another\"}");
		else
			fake_answer(rig.fake, r.connection, _i == LOSS_500 ? 500 : 503, "{}");
		r = fake_poll(rig.fake, "s1");
		ck_assert_str_eq(r.body, first);
	}
	link_rig_status(status, 1, 1, "duplicate");
	fake_answer_poll(rig.fake, &r, status, "", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(!link_rig_has(&r, "precious"));
	link_rig_stop();
}
END_TEST

START_TEST(a_step_given_again_by_a_replayed_answer_is_offered_once)
{
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(1, 1), "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"free\":3"));
	ck_assert_uint_eq(rig.count, 1);
	link_rig_stop();
}
END_TEST

START_TEST(a_session_that_ended_is_replaced_and_nothing_held_is_lost)
{
	char held[128];
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 1), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(rig.fake, "s1");
	link_rig_finish(1, 1, "\"kept\"");
	r = fake_poll(rig.fake, "s1");
	fake_answer(rig.fake, r.connection, 401, "{}");
	r = fake_next(rig.fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert(link_rig_has(&r, "00000000-0000-4000-8000-00000000b007")); /* the same boot */
	fake_answer(rig.fake, r.connection, 200,
	        "{\"session\":\"s2\",\"lease_ms\":30000,\"beat_ms\":5000}");
	r = fake_poll(rig.fake, "s2");
	link_rig_ref(held, 2, 1);
	ck_assert(link_rig_has(&r, held));
	ck_assert(link_rig_has(&r, "\"kept\""));
	link_rig_stop();
}
END_TEST

static void
write_token(const char *text)
{
	FILE *file = fopen(rig.token_path, "we");

	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

START_TEST(the_credential_is_read_again_on_401_and_when_its_file_changes)
{
	struct fake_request r;

	(void)snprintf(rig.token_path, sizeof(rig.token_path), "/tmp/tasker-token-XXXXXX");
	(void)close(mkstemp(rig.token_path));
	write_token("old\n");
	rig.settings.token_path = rig.token_path;
	link_rig_start();
	r = fake_next(rig.fake);
	ck_assert_str_eq(r.authorization, "Bearer old");
	write_token("new");
	fake_answer(rig.fake, r.connection, 401, "{}");
	do { /* tries that were already on their way */
		r = fake_next(rig.fake);
		if (strcmp(r.authorization, "Bearer old") == 0)
			fake_answer(rig.fake, r.connection, 401, "{}");
	} while (strcmp(r.authorization, "Bearer old") == 0);
	ck_assert_str_eq(r.authorization, "Bearer new");
	fake_answer(rig.fake, r.connection, 200,
	        "{\"session\":\"s1\",\"lease_ms\":30000,\"beat_ms\":5000}");
	r = fake_poll(rig.fake, "s1");
	(void)usleep(20000); /* so that the file's time is another one */
	write_token("newest");
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	r = fake_next(rig.fake);
	ck_assert_str_eq(r.path, "/v1/internal/workers");
	ck_assert_str_eq(r.authorization, "Bearer newest");
	link_rig_stop();
}
END_TEST

static const char *const bad_tokens[] = {"", "two words", " \n"};

START_TEST(a_file_without_one_token_registers_nobody)
{
	struct fake_request r;

	(void)snprintf(rig.token_path, sizeof(rig.token_path), "/tmp/tasker-token-XXXXXX");
	(void)close(mkstemp(rig.token_path));
	write_token(bad_tokens[_i]);
	rig.settings.token_path = rig.token_path;
	link_rig_start();
	ck_assert(!fake_try(rig.fake, 100, &r));
	write_token("good");
	r = fake_next(rig.fake);
	ck_assert_str_eq(r.authorization, "Bearer good");
	link_rig_stop();
}
END_TEST

START_TEST(without_answers_the_steps_are_stopped_before_the_lease_ends)
{
	struct fake_request r;
	int64_t sent, told;

	link_rig_start();
	rig.settings.slack_us = 50000;
	r = link_rig_with_step(800, 100);
	sent = clock_mono_us(); /* the lease counts from before this */
	(void)r;
	ck_assert_str_eq(link_rig_event(), "release all 100000");
	told = clock_mono_us();
	/* Three quarters of 800 ms, and one eighth of grace: 100 ms are left. */
	ck_assert_int_lt(told - sent, 700000);
	ck_assert_int_gt(told - sent, 300000);
	ck_assert(!link_status(rig.link).connected);
	/* It goes on trying, and what was released is said when somebody listens again. */
	link_rig_finish(1, 1, "\"late\"");
	do {
		r = fake_next(rig.fake);
	} while (!link_rig_has(&r, "late"));
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"held\":[]"));
	ck_assert(link_status(rig.link).connected);
	link_rig_stop();
}
END_TEST

/* A reply cut inside its head is a 200 without a body to an HTTP client (F8). */
START_TEST(an_answer_that_cannot_be_read_renews_no_lease)
{
	struct fake_request r;
	int64_t from;

	link_rig_start();
	r = link_rig_with_step(800, 100);
	from = clock_mono_us();
	fake_answer(rig.fake, r.connection, 200, "");
	while (clock_mono_us() - from < 700000)
		if (fake_try(rig.fake, 20, &r))
			fake_answer(rig.fake, r.connection, 200, "");
	ck_assert_str_eq(link_rig_event(), "release all 100000");
	/* It was there already: a lease counted from the last of them would end later. */
	ck_assert_int_lt(clock_mono_us() - from, 1000000);
	ck_assert(!link_status(rig.link).connected);
	link_rig_finish(1, 1, "\"late\"");
	do {
		r = fake_next(rig.fake);
	} while (!link_rig_has(&r, "late"));
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_status(rig.link).connected);
	link_rig_stop();
}
END_TEST

/* The orchestration slept, say: steps begun now would have to be stopped at once. */
START_TEST(what_comes_with_an_answer_older_than_its_lease_is_given_back_unbegun)
{
	struct fake_request r;

	link_rig_start();
	(void)link_rig_with_step(400, 100);
	ck_assert_str_eq(link_rig_event(), "release all 50000");
	link_rig_finish(1, 1, "\"late\"");
	do {
		r = fake_next(rig.fake);
	} while (!link_rig_has(&r, "late"));
	(void)poll(NULL, 0, 350); /* more than three quarters of the lease */
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 1), "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "000000000002\",\"attempt\":1,\"outcome\":\"released\""));
	ck_assert_uint_eq(rig.count, 2); /* the first step's offer, and its release */
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 2), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000002 2");
	link_rig_stop();
}
END_TEST

START_TEST(a_result_the_orchestration_refuses_becomes_an_error_and_spares_the_others)
{
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 1), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(rig.fake, "s1");
	link_rig_finish(1, 1, "\"poison\"");
	r = fake_poll(rig.fake, "s1");
	link_rig_finish(2, 1, "\"healthy\"");
	fake_answer(rig.fake, r.connection, 400, "{}");
	for (unsigned i = 0; i < 8; i++) { /* whoever holds the poison is refused */
		r = fake_poll(rig.fake, "s1");
		if (link_rig_has(&r, "\"poison\""))
			fake_answer(rig.fake, r.connection, 400, "{\"error\":1}");
		else if (link_rig_has(&r, "RESULT_REFUSED"))
			break;
		else
			fake_answer_poll(rig.fake, &r, "", "", "", "");
	}
	ck_assert(link_rig_has(&r, "RESULT_REFUSED"));
	fake_answer(rig.fake, r.connection, 400, "{}"); /* not even that: it is dropped */
	r = fake_poll(rig.fake, "s1");
	while (link_rig_has(&r, "\"healthy\"")) {
		fake_answer_poll(rig.fake, &r, "", "", "", "");
		r = fake_poll(rig.fake, "s1");
	}
	ck_assert(link_rig_has(&r, "\"held\":[]"));
	ck_assert(link_rig_has(&r, "\"results\":[]"));
	link_rig_stop();
}
END_TEST

/* Else one result that is refused costs every later one a poll of its own. */
START_TEST(after_a_refusal_results_go_together_again)
{
	struct fake_request r;

	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(2, 1), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000002 1");
	r = fake_poll(rig.fake, "s1");
	fake_answer_poll(rig.fake, &r, "", link_rig_frame(3, 1), "", "");
	ck_assert_str_eq(link_rig_event(), "offer 00000000-0000-7000-8000-000000000003 1");
	r = fake_poll(rig.fake, "s1");
	link_rig_finish(1, 1, "\"poison\"");
	r = fake_poll(rig.fake, "s1");
	fake_answer(rig.fake, r.connection, 400, "{}");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "RESULT_REFUSED"));
	link_rig_finish(2, 1, "\"two\"");
	link_rig_finish(3, 1, "\"three\"");
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	r = fake_poll(rig.fake, "s1");
	ck_assert(link_rig_has(&r, "\"two\""));
	ck_assert(link_rig_has(&r, "\"three\""));
	link_rig_stop();
}
END_TEST

START_TEST(the_last_results_are_said_before_the_end)
{
	struct fake_request r;
	pthread_t thread;

	rig.settings.goodbye_us = 3000000;
	link_rig_start();
	r = link_rig_with_step(30000, 5000);
	link_rig_finish(1, 1, "\"last words\"");
	r = fake_poll(rig.fake, "s1");
	fake_drop(rig.fake, r.connection);
	ck_assert_int_eq(pthread_create(&thread, NULL, end_link, rig.link), 0);
	do {
		r = fake_poll(rig.fake, "s1");
	} while (!link_rig_has(&r, "last words"));
	fake_answer_poll(rig.fake, &r, "", "", "", "");
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	rig.link = NULL;
	link_rig_stop();
}
END_TEST

START_TEST(the_end_comes_soon_though_the_orchestration_hangs)
{
	int64_t began;

	link_rig_start();
	if (_i == 0)
		(void)fake_next(rig.fake); /* a registration that is never answered */
	else
		(void)link_rig_with_step(30000, 5000);
	if (_i == 2) {
		link_rig_finish(1, 1, "1");
		(void)fake_poll(rig.fake, "s1");
	}
	began = clock_mono_us();
	link_free(rig.link);
	rig.link = NULL;
	ck_assert_int_lt(clock_mono_us() - began, 1500000);
	link_rig_stop();
}
END_TEST

static const char *const bad_sessions[] = {"", "[]", "{}", "{\"session\":\"s\"}",
        "{\"session\":\"\",\"lease_ms\":30000,\"beat_ms\":1000}",
        "{\"session\":\"a b\",\"lease_ms\":30000,\"beat_ms\":1000}",
        "{\"session\":\"s\",\"lease_ms\":0,\"beat_ms\":1000}",
        "{\"session\":\"s\",\"lease_ms\":30000,\"beat_ms\":\"x\"}"};

START_TEST(a_registration_without_a_usable_answer_is_tried_again_slower_each_time)
{
	struct fake_request r;
	int64_t began = clock_mono_us();

	link_rig_start();
	for (unsigned i = 0; i < 6; i++) {
		r = fake_next(rig.fake);
		ck_assert_str_eq(r.path, "/v1/internal/workers");
		fake_answer(rig.fake, r.connection, 200, bad_sessions[_i]);
	}
	/* 5, 10, 20, 40 and 40 ms, each less a quarter at most */
	ck_assert_int_gt(clock_mono_us() - began, 115000 / 4 * 3);
	link_rig_stop();
}
END_TEST

Suite *
link_loss_suite(void)
{
	Suite *suite = suite_create("link_loss");
	TCase *tc = tcase_create("link");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, link_rig_begin, NULL);
	tcase_add_test(tc, a_poll_that_was_crossed_keeps_its_id_so_that_its_steps_come_again);
	tcase_add_test(tc, what_arrives_with_the_last_words_is_given_back);
	tcase_add_loop_test(tc, a_poll_without_an_answer_comes_again_under_its_id, 0, LOSS_NUMBER);
	tcase_add_test(tc, a_step_given_again_by_a_replayed_answer_is_offered_once);
	tcase_add_test(tc, a_session_that_ended_is_replaced_and_nothing_held_is_lost);
	tcase_add_test(tc, the_credential_is_read_again_on_401_and_when_its_file_changes);
	tcase_add_loop_test(tc, a_file_without_one_token_registers_nobody, 0, COUNT(bad_tokens));
	tcase_add_test(tc, without_answers_the_steps_are_stopped_before_the_lease_ends);
	tcase_add_test(tc, an_answer_that_cannot_be_read_renews_no_lease);
	tcase_add_test(tc, what_comes_with_an_answer_older_than_its_lease_is_given_back_unbegun);
	tcase_add_test(
	        tc, a_result_the_orchestration_refuses_becomes_an_error_and_spares_the_others);
	tcase_add_test(tc, after_a_refusal_results_go_together_again);
	tcase_add_test(tc, the_last_results_are_said_before_the_end);
	tcase_add_loop_test(tc, the_end_comes_soon_though_the_orchestration_hangs, 0, 3);
	tcase_add_loop_test(tc,
	        a_registration_without_a_usable_answer_is_tried_again_slower_each_time, 0,
	        COUNT(bad_sessions));
	suite_add_tcase(suite, tc);
	return suite;
}

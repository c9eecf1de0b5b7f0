/* Polls: who gets a step, what parks, what is answered when, and what a lost answer costs (WI3,
 * WI5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/orchestration/lab.h"

static struct lab lab;

static void
set_up(void)
{
	static const char *const names[] = {"linear", "diamond", "single", "pair"};

	lab_open(&lab);
	for (size_t i = 0; i < COUNT(names); i++)
		lab_template(&lab, lab_yaml(names[i]));
}

static void
tear_down(void)
{
	lab_check(&lab);
	lab_close(&lab);
}

static int64_t
worker_for(const char *name, const char *const *namespaces, const char *const *handlers)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_WORKER_REGISTER);

	op->in.worker = (struct worker_register_in){.worker = name,
	        .boot = "b",
	        .slots = 4,
	        .namespaces = namespaces,
	        .handlers = handlers};
	ck_assert_int_eq(lab_run(&lab, op), STORE_OK);
	ck_assert_uint_eq(strlen(op->out.worker.secret), SECRET_TOKEN_LEN);
	ck_assert_int_eq(op->out.worker.lease_ms, 30000);
	ck_assert_int_eq(op->out.worker.beat_ms, 5000);
	return op->out.worker.session;
}

static struct waiting
park(int64_t session, int free, int64_t wait_ms)
{
	struct store_op *op = lab_poll_op(session, free);
	struct waiting w;

	op->in.poll.wait_ms = wait_ms;
	w = lab_begin(&lab, op);
	lab_settle(&lab);
	return w;
}

START_TEST(a_poll_of_no_session_is_stale)
{
	AUTO(store_op) struct store_op *op = lab_poll_op(12345, 4);

	ck_assert_int_eq(lab_run(&lab, op), STORE_STALE);
}
END_TEST

START_TEST(a_poll_beyond_its_limits_is_refused)
{
	AUTO(store_op) struct store_op *results = lab_poll_op(lab_worker(&lab, "w", "b"), 4);
	AUTO(store_op) struct store_op *held = lab_poll_op(results->in.poll.session, 4);
	AUTO(store_op) struct store_op *negative = lab_poll_op(results->in.poll.session, -1);
	struct poll_result *many =
	        store_op_alloc(results, STORE_POLL_RESULTS_MAX + 1, sizeof(*many));
	struct attempt_ref *refs = store_op_alloc(held, STORE_POLL_HELD_MAX + 1, sizeof(*refs));

	results->in.poll.results = many;
	results->in.poll.result_count = STORE_POLL_RESULTS_MAX + 1;
	held->in.poll.held = refs;
	held->in.poll.held_count = STORE_POLL_HELD_MAX + 1;
	ck_assert_int_eq(lab_run(&lab, results), STORE_INVALID);
	ck_assert_int_eq(lab_run(&lab, held), STORE_INVALID);
	ck_assert_int_eq(lab_run(&lab, negative), STORE_INVALID);
}
END_TEST

/* A worker gets a step only if both its namespace and a handler match (WI9). */
static const struct {
	const char *what;
	const char *namespaces[3], *handlers[3];
	size_t steps;
} offers[] = {
        {"both match",                 {"demo"},          {"demo.a"},  1},
        {"a pattern",                  {"other", "demo"}, {"demo.*"},  1},
        {"another namespace",          {"other"},         {"demo.a"},  0},
        {"another handler",            {"demo"},          {"demo.b"},  0},
        {"a pattern that stops short", {"demo"},          {"dem.*"},   0},
        {"a pattern is no prefix",     {"demo"},          {"demo.*a"}, 0},
        {"a star alone is no pattern", {"demo"},          {"*"},       0},
        {"none",                       {"demo"},          {NULL},      0},
};

START_TEST(a_step_goes_only_where_namespace_and_handler_match)
{
	AUTO(store_op) struct store_op *poll = NULL;

	(void)lab_create(&lab, "single");
	poll = lab_poll(&lab, worker_for("w", offers[_i].namespaces, offers[_i].handlers), 4);
	ck_assert_msg(poll->out.poll.step_count == offers[_i].steps, "%s", offers[_i].what);
}
END_TEST

START_TEST(a_poll_gets_as_many_steps_as_it_has_free_slots)
{
	for (int i = 0; i < 10; i++)
		(void)lab_create(&lab, "single");
	for (int slots = 0; slots < 4; slots++) {
		char name[16];
		AUTO(store_op) struct store_op *poll = NULL;

		(void)snprintf(name, sizeof(name), "w%d", slots);
		poll = lab_poll(&lab, lab_worker(&lab, name, "b"), slots);
		ck_assert_uint_eq(poll->out.poll.step_count, (size_t)slots);
	}
}
END_TEST

/* What the worker did not yet know of counts against the slots it reports. */
START_TEST(steps_on_their_way_count_against_free)
{
	int64_t session = lab_worker(&lab, "w", "b");
	AUTO(store_op) struct store_op *first = NULL;
	AUTO(store_op) struct store_op *second = NULL;

	for (int i = 0; i < 10; i++)
		(void)lab_create(&lab, "single");
	first = lab_poll(&lab, session, 3);
	ck_assert_uint_eq(first->out.poll.step_count, 3);
	second = lab_poll(&lab, session, 4); /* sent before the answer to the first was read */
	ck_assert_uint_eq(second->out.poll.step_count, 1);
}
END_TEST

START_TEST(an_idle_poll_parks_until_its_time_is_up)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct waiting w = park(session, 4, 10000);
	struct store_health health;

	store_probe(lab.store, &health);
	ck_assert_int_eq(health.parked, 1);
	ck_assert(!lab_is_answered(&w));
	lab_advance(&lab, 9999999);
	ck_assert(!lab_is_answered(&w));
	lab_advance(&lab, 1);
	lab_await(&w);
	ck_assert_int_eq(w.op->outcome, STORE_OK);
	ck_assert_uint_eq(w.op->out.poll.step_count, 0);
	store_op_free(w.op);
}
END_TEST

START_TEST(wait_ms_has_a_ceiling)
{
	struct waiting w = park(lab_worker(&lab, "w", "b"), 4, INT64_MAX);

	lab_advance(&lab, 25LL * LAB_SECOND);
	lab_await(&w);
	ck_assert_int_eq(w.op->outcome, STORE_OK);
	store_op_free(w.op);
}
END_TEST

START_TEST(a_parked_poll_gets_a_step_in_the_transaction_that_makes_it_ready)
{
	struct waiting w = park(lab_worker(&lab, "w", "b"), 4, 20000);
	struct uuid task = lab_create(&lab, "single");

	lab_await(&w);
	ck_assert_uint_eq(w.op->out.poll.step_count, 1);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	/* It was never queued: its row says in progress from the first. */
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM steps WHERE queue IS NOT NULL"), 0);
	store_op_free(w.op);
}
END_TEST

START_TEST(parked_polls_are_served_in_turn)
{
	struct waiting one = park(lab_worker(&lab, "w1", "b"), 4, 20000);
	struct waiting two = park(lab_worker(&lab, "w2", "b"), 4, 20000);

	(void)lab_create(&lab, "pair");
	lab_await(&one);
	lab_await(&two);
	ck_assert_uint_eq(one.op->out.poll.step_count, 1);
	ck_assert_uint_eq(two.op->out.poll.step_count, 1);
	store_op_free(one.op);
	store_op_free(two.op);
}
END_TEST

START_TEST(a_second_poll_answers_the_parked_one_empty)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct waiting first = park(session, 4, 20000), second = park(session, 4, 20000);

	lab_await(&first);
	ck_assert_int_eq(first.op->outcome, STORE_OK);
	ck_assert_uint_eq(first.op->out.poll.step_count, 0);
	ck_assert(!lab_is_answered(&second));
	(void)lab_create(&lab, "single");
	lab_await(&second);
	ck_assert_uint_eq(second.op->out.poll.step_count, 1);
	store_op_free(first.op);
	store_op_free(second.op);
}
END_TEST

START_TEST(a_vanished_client_gets_its_poll_back_without_steps)
{
	struct waiting w = park(lab_worker(&lab, "w", "b"), 4, 20000);

	store_unpark(lab.store, w.op);
	lab_await(&w);
	ck_assert_int_eq(w.op->outcome, STORE_OK);
	(void)lab_create(&lab, "single");
	ck_assert_uint_eq(w.op->out.poll.step_count, 0);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM steps WHERE state = 3"), 0);
	store_op_free(w.op);
}
END_TEST

START_TEST(a_drain_answers_the_parked_and_hands_out_nothing)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct waiting w = park(session, 4, 20000);
	AUTO(store_op) struct store_op *poll = NULL;

	store_drain(lab.store);
	lab_await(&w);
	(void)lab_create(&lab, "single");
	poll = lab_poll_op(session, 4);
	poll->in.poll.wait_ms = 20000;
	ck_assert_int_eq(lab_run(&lab, poll), STORE_OK);
	ck_assert_uint_eq(poll->out.poll.step_count, 0);
	store_op_free(w.op);
}
END_TEST

START_TEST(closing_answers_everybody)
{
	struct waiting w = park(lab_worker(&lab, "w", "b"), 4, 20000);

	store_close(lab.store);
	lab.store = NULL;
	lab_await(&w);
	ck_assert_int_eq(w.op->outcome, STORE_OK);
	store_op_free(w.op);
	lab_reopen(&lab);
}
END_TEST

START_TEST(results_are_answered_after_their_commit_with_what_is_ready)
{
	struct uuid task = lab_create(&lab, "linear");
	int64_t session = lab_worker(&lab, "w", "b");
	AUTO(store_op) struct store_op *first = lab_poll(&lab, session, 1);
	AUTO(store_op) struct store_op *second = lab_poll_op(session, 1);

	second->in.poll.wait_ms = 20000;
	lab_report(second, first->out.poll.steps[0].ref, OUTCOME_OK);
	ck_assert_int_eq(lab_run(&lab, second), STORE_OK);
	ck_assert_uint_eq(second->out.poll.step_count, 1);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_COMPLETE);
	ck_assert_ptr_nonnull(strstr(second->out.poll.steps[0].frame.text, "\"step\":\"b\""));
}
END_TEST

/* The answer was lost: the same id again gives the same steps, and nothing is taken twice. */
START_TEST(a_repeated_poll_gives_the_same_steps)
{
	int64_t session = lab_worker(&lab, "w", "b");
	AUTO(store_op) struct store_op *first = NULL;
	AUTO(store_op) struct store_op *again = NULL;

	(void)lab_create(&lab, "pair");
	(void)lab_create(&lab, "pair");
	first = lab_poll(&lab, session, 2);
	ck_assert_uint_eq(first->out.poll.step_count, 2);
	again = lab_poll_op(session, 2);
	again->in.poll.id = first->in.poll.id;
	ck_assert_int_eq(lab_run(&lab, again), STORE_OK);
	ck_assert_uint_eq(again->out.poll.step_count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_mem_eq(&again->out.poll.steps[i].ref, &first->out.poll.steps[i].ref,
		        sizeof(struct attempt_ref));
		ck_assert_str_eq(
		        again->out.poll.steps[i].frame.text, first->out.poll.steps[i].frame.text);
	}
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM steps WHERE state = 3"), 2);
}
END_TEST

START_TEST(a_repeated_report_is_a_duplicate_and_changes_nothing)
{
	int64_t session = lab_worker(&lab, "w", "b");
	AUTO(store_op) struct store_op *poll = NULL;
	char *before, *after;

	(void)lab_create(&lab, "single");
	poll = lab_poll(&lab, session, 1);
	ck_assert_int_eq(lab_finish(&lab, session, poll->out.poll.steps[0].ref, OUTCOME_OK),
	        REPORT_ACCEPTED);
	before = lab_dump(&lab);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		        lab_finish(&lab, session, poll->out.poll.steps[0].ref, OUTCOME_ERROR),
		        REPORT_DUPLICATE);
	after = lab_dump(&lab);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

/* One poll with several reports: each is judged for itself. */
START_TEST(reports_of_one_poll_are_judged_apart)
{
	int64_t session = lab_worker(&lab, "w", "b");
	AUTO(store_op) struct store_op *poll = NULL;
	AUTO(store_op) struct store_op *report = lab_poll_op(session, 0);
	struct attempt_ref unknown = {uuid_v4(), 1}, future;

	(void)lab_create(&lab, "pair");
	poll = lab_poll(&lab, session, 2);
	future = poll->out.poll.steps[1].ref;
	future.attempt = 2;
	lab_report(report, unknown, OUTCOME_OK);
	lab_report(report, poll->out.poll.steps[0].ref, OUTCOME_OK);
	lab_report(report, poll->out.poll.steps[0].ref, OUTCOME_OK);
	lab_report(report, future, OUTCOME_OK);
	lab_report(report, poll->out.poll.steps[1].ref, OUTCOME_OK);
	ck_assert_int_eq(lab_run(&lab, report), STORE_OK);
	ck_assert_int_eq(report->out.poll.results[0].verdict, REPORT_STALE);
	ck_assert_int_eq(report->out.poll.results[1].verdict, REPORT_ACCEPTED);
	ck_assert_int_eq(report->out.poll.results[2].verdict, REPORT_DUPLICATE);
	ck_assert_int_eq(report->out.poll.results[3].verdict, REPORT_STALE);
	ck_assert_int_eq(report->out.poll.results[4].verdict, REPORT_ACCEPTED);
	ck_assert_str_eq(store_report_name(REPORT_ACCEPTED_LATE), "accepted");
}
END_TEST

START_TEST(a_worker_may_report_only_what_it_holds)
{
	int64_t owner = lab_worker(&lab, "w1", "b"), thief = lab_worker(&lab, "w2", "b");
	AUTO(store_op) struct store_op *poll = NULL;
	char *before, *after;

	(void)lab_create(&lab, "single");
	poll = lab_poll(&lab, owner, 1);
	before = lab_dump(&lab);
	ck_assert_int_eq(
	        lab_finish(&lab, thief, poll->out.poll.steps[0].ref, OUTCOME_OK), REPORT_STALE);
	after = lab_dump(&lab);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_cancel_reaches_the_parked_poll_at_once)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct uuid task = lab_create(&lab, "single");
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);
	AUTO(store_op) struct store_op *cancel = store_op_new(STORE_TASK_CANCEL);
	struct store_op *idle = lab_poll_op(session, 3);
	struct attempt_ref ref = poll->out.poll.steps[0].ref;
	struct waiting w;

	idle->in.poll.wait_ms = 20000;
	lab_hold(idle, ref);
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	ck_assert(!lab_is_answered(&w));
	cancel->caller = lab_caller(SCOPE_TENANT, "", "x");
	cancel->in.id.task = task;
	ck_assert_int_eq(lab_run(&lab, cancel), STORE_OK);
	ck_assert_int_eq(cancel->out.task.counts.cancelled, 1);
	lab_await(&w);
	ck_assert_uint_eq(idle->out.poll.cancel_count, 1);
	ck_assert_mem_eq(&idle->out.poll.cancel[0], &ref, sizeof(ref));
	ck_assert_uint_eq(idle->out.poll.lost_count, 0);
	store_op_free(idle);
	/* Its end is accepted and changes nothing. */
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_CANCELLED), REPORT_NOTED);
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_OK), REPORT_NOTED);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_CANCELLED);
}
END_TEST

START_TEST(a_told_cancel_does_not_keep_polls_from_parking)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct uuid task = lab_create(&lab, "single");
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);
	AUTO(store_op) struct store_op *cancel = store_op_new(STORE_TASK_CANCEL);
	AUTO(store_op) struct store_op *told = lab_poll_op(session, 0);
	struct store_op *idle = lab_poll_op(session, 0);
	struct waiting w;

	cancel->caller = lab_caller(SCOPE_TENANT, "", "x");
	cancel->in.id.task = task;
	ck_assert_int_eq(lab_run(&lab, cancel), STORE_OK);
	lab_hold(told, poll->out.poll.steps[0].ref);
	told->in.poll.wait_ms = 20000;
	ck_assert_int_eq(lab_run(&lab, told), STORE_OK);
	ck_assert_uint_eq(told->out.poll.cancel_count, 1);
	lab_hold(idle, poll->out.poll.steps[0].ref);
	idle->in.poll.wait_ms = 1000;
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	ck_assert(!lab_is_answered(&w));
	lab_advance(&lab, LAB_SECOND);
	lab_await(&w);
	ck_assert_uint_eq(idle->out.poll.cancel_count, 1); /* repeated until it lets go */
	store_op_free(idle);
}
END_TEST

START_TEST(many_polls_and_creates_at_once_lose_nothing)
{
	enum { TASKS = 300, WORKERS = 5 };
	int64_t sessions[WORKERS];
	struct waiting creates[TASKS], polls[WORKERS];
	size_t given = 0;

	for (int i = 0; i < WORKERS; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "w%d", i);
		sessions[i] = lab_worker(&lab, name, "b");
		polls[i] = park(sessions[i], 200, 20000);
	}
	for (int i = 0; i < TASKS; i++) {
		char context[32];

		(void)snprintf(context, sizeof(context), "{\"i\":%d}", i);
		creates[i] = lab_begin(&lab, lab_create_op("single", context));
	}
	for (int i = 0; i < TASKS; i++) {
		lab_await(&creates[i]);
		ck_assert_int_eq(creates[i].op->outcome, STORE_OK);
		store_op_free(creates[i].op);
	}
	for (int i = 0; i < WORKERS; i++) {
		lab_await(&polls[i]);
		given += polls[i].op->out.poll.step_count;
		store_op_free(polls[i].op);
	}
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM tasks"), TASKS);
	ck_assert_int_eq(
	        lab_number(&lab, "SELECT count(*) FROM steps WHERE state = 3"), (int64_t)given);
}
END_TEST

Suite *
store_poll_suite(void)
{
	Suite *s = suite_create("store poll");
	TCase *tc = tcase_create("polls");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_poll_of_no_session_is_stale);
	tcase_add_test(tc, a_poll_beyond_its_limits_is_refused);
	tcase_add_loop_test(
	        tc, a_step_goes_only_where_namespace_and_handler_match, 0, COUNT(offers));
	tcase_add_test(tc, a_poll_gets_as_many_steps_as_it_has_free_slots);
	tcase_add_test(tc, steps_on_their_way_count_against_free);
	tcase_add_test(tc, an_idle_poll_parks_until_its_time_is_up);
	tcase_add_test(tc, wait_ms_has_a_ceiling);
	tcase_add_test(tc, a_parked_poll_gets_a_step_in_the_transaction_that_makes_it_ready);
	tcase_add_test(tc, parked_polls_are_served_in_turn);
	tcase_add_test(tc, a_second_poll_answers_the_parked_one_empty);
	tcase_add_test(tc, a_vanished_client_gets_its_poll_back_without_steps);
	tcase_add_test(tc, a_drain_answers_the_parked_and_hands_out_nothing);
	tcase_add_test(tc, closing_answers_everybody);
	tcase_add_test(tc, results_are_answered_after_their_commit_with_what_is_ready);
	tcase_add_test(tc, a_repeated_poll_gives_the_same_steps);
	tcase_add_test(tc, a_repeated_report_is_a_duplicate_and_changes_nothing);
	tcase_add_test(tc, reports_of_one_poll_are_judged_apart);
	tcase_add_test(tc, a_worker_may_report_only_what_it_holds);
	tcase_add_test(tc, a_cancel_reaches_the_parked_poll_at_once);
	tcase_add_test(tc, a_told_cancel_does_not_keep_polls_from_parking);
	tcase_add_test(tc, many_polls_and_creates_at_once_lose_nothing);
	suite_add_tcase(s, tc);
	return s;
}

/*
 * Leases: a worker that is gone loses its steps after a full term and no sooner, one that comes
 * back late is believed only while nobody took them (I2, I4, WI4, F2).
 */
#include <stdlib.h>
#include <string.h>

#include "orchestration/store/work.h"
#include "tests/unit/orchestration/lab.h"

enum { LEASE = 30 };

static struct lab lab;

static void
set_up(void)
{
	lab_open(&lab);
	lab_template(&lab, lab_yaml("single"));
	lab_template(&lab, lab_yaml("pair"));
	lab_template(&lab, lab_yaml("fragile"));
}

static void
tear_down(void)
{
	lab_check(&lab);
	lab_close(&lab);
}

/* A step in the hands of a session. */
static struct attempt_ref
taken_by(int64_t session)
{
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);

	ck_assert_uint_eq(poll->out.poll.step_count, 1);
	return poll->out.poll.steps[0].ref;
}

/* Polls as holding exactly ref; returns how many were called lost. */
static size_t
beat(int64_t session, struct attempt_ref ref)
{
	AUTO(store_op) struct store_op *poll = lab_poll_op(session, 0);

	lab_hold(poll, ref);
	ck_assert_int_eq(lab_run(&lab, poll), STORE_OK);
	return poll->out.poll.lost_count;
}

START_TEST(a_lease_ends_after_its_term_and_not_before)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "b");
	struct step_view step;

	(void)taken_by(session);
	lab_advance(&lab, LEASE * LAB_SECOND - 1);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	lab_advance(&lab, 1);
	step = lab_step(&lab, task, "a");
	ck_assert_int_eq(step.state, STEP_PENDING);
	ck_assert(step.ready_for_execution);
	ck_assert_int_eq(step.lease_losses, 1);
	ck_assert_int_eq(step.failures, 0);
}
END_TEST

START_TEST(a_poll_renews_the_lease_of_all_it_holds)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref ref = taken_by(session);

	for (int i = 0; i < 5; i++) {
		lab_advance(&lab, (LEASE - 1) * LAB_SECOND);
		ck_assert_uint_eq(beat(session, ref), 0);
	}
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	ck_assert_int_eq(lab_step(&lab, task, "a").lease_losses, 0);
}
END_TEST

/* However much a worker took with it, others get their turn between the transactions. */
START_TEST(many_lost_steps_go_back_some_at_a_time)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct store_health before, after;
	size_t held = 0;

	for (int i = 0; i <= TIMERS_MAX; i++)
		(void)lab_create(&lab, "single");
	while (held <= TIMERS_MAX) {
		AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 2 * TIMERS_MAX);

		ck_assert_uint_gt(poll->out.poll.step_count, 0);
		held += poll->out.poll.step_count;
	}
	store_probe(lab.store, &before);
	lab_advance(&lab, LEASE * LAB_SECOND);
	store_probe(lab.store, &after);
	ck_assert_int_eq(after.commits - before.commits, 2);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM steps WHERE queue IS NOT NULL"),
	        TIMERS_MAX + 1);
}
END_TEST

START_TEST(a_lost_step_goes_to_a_waiting_worker_at_once)
{
	int64_t dead = lab_worker(&lab, "dead", "b"), other = lab_worker(&lab, "other", "b");
	struct store_op *idle = lab_poll_op(other, 1);
	struct waiting w;

	(void)lab_create(&lab, "single");
	(void)taken_by(dead);
	lab_advance(&lab, 20 * LAB_SECOND);
	idle->in.poll.wait_ms = 20000;
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	ck_assert(!lab_is_answered(&w));
	lab_advance(&lab, 10 * LAB_SECOND);
	lab_await(&w);
	ck_assert_uint_eq(idle->out.poll.step_count, 1);
	ck_assert_int_eq(idle->out.poll.steps[0].ref.attempt, 2);
	store_op_free(idle);
}
END_TEST

START_TEST(a_late_result_counts_while_nobody_took_the_step)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref ref = taken_by(session);

	lab_advance(&lab, LEASE * LAB_SECOND);
	ck_assert_uint_eq(beat(session, ref), 1);
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_OK), REPORT_ACCEPTED_LATE);
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_OK), REPORT_DUPLICATE);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_COMPLETE);
}
END_TEST

START_TEST(a_zombies_result_is_stale_once_another_took_the_step)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t zombie = lab_worker(&lab, "zombie", "b"), other = lab_worker(&lab, "other", "b");
	struct attempt_ref old = taken_by(zombie), taken;
	char *before, *after;

	lab_advance(&lab, LEASE * LAB_SECOND);
	taken = taken_by(other);
	ck_assert_int_eq(taken.attempt, 2);
	before = lab_dump(&lab);
	ck_assert_int_eq(lab_finish(&lab, zombie, old, OUTCOME_OK), REPORT_STALE);
	ck_assert_int_eq(lab_finish(&lab, zombie, taken, OUTCOME_OK), REPORT_STALE);
	after = lab_dump(&lab);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(lab_finish(&lab, other, taken, OUTCOME_OK), REPORT_ACCEPTED);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_COMPLETE);
	free(before);
	free(after);
}
END_TEST

/* The same worker took it again: its first attempt's result is stale all the same. */
START_TEST(an_older_attempt_of_the_same_session_is_stale)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref first, second;

	(void)lab_create(&lab, "single");
	first = taken_by(session);
	lab_advance(&lab, LEASE * LAB_SECOND);
	second = taken_by(session);
	ck_assert_int_eq(second.attempt, 2);
	ck_assert_int_eq(lab_finish(&lab, session, first, OUTCOME_OK), REPORT_STALE);
	ck_assert_int_eq(lab_finish(&lab, session, second, OUTCOME_OK), REPORT_ACCEPTED);
}
END_TEST

START_TEST(ten_lost_workers_end_a_step)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "b");

	for (int i = 1; i <= 10; i++) {
		ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_PENDING);
		ck_assert_int_eq(taken_by(session).attempt, i);
		lab_advance(&lab, LEASE * LAB_SECOND);
		ck_assert_int_eq(lab_step(&lab, task, "a").lease_losses, i);
	}
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_ERROR);
	ck_assert_int_eq(lab_step(&lab, task, "a").failures, 0);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_BLOCKED_BY_FAILURES);
}
END_TEST

START_TEST(another_boot_releases_the_old_ones_steps_at_once)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t old = lab_worker(&lab, "w", "boot-1"), fresh;
	struct attempt_ref ref = taken_by(old);
	AUTO(store_op) struct store_op *op = lab_poll_op(old, 1);

	fresh = lab_worker(&lab, "w", "boot-2");
	ck_assert_int_ne(old, fresh);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_PENDING);
	ck_assert_int_eq(lab_step(&lab, task, "a").lease_losses, 1);
	ck_assert_int_eq(lab_run(&lab, op), STORE_STALE);
	ck_assert_int_eq(taken_by(fresh).attempt, ref.attempt + 1);
}
END_TEST

START_TEST(the_same_boot_keeps_what_it_holds_under_a_new_secret)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "boot-1");
	struct attempt_ref ref = taken_by(session);
	AUTO(store_op) struct store_op *list = store_op_new(STORE_SESSION_LIST);
	AUTO(store_op) struct store_op *again = store_op_new(STORE_SESSION_LIST);

	ck_assert_int_eq(lab_run(&lab, list), STORE_OK);
	ck_assert_int_eq(lab_worker(&lab, "w", "boot-1"), session);
	ck_assert_int_eq(lab_run(&lab, again), STORE_OK);
	ck_assert_uint_eq(again->out.page.count, 1);
	ck_assert_mem_ne(list->out.page.sessions[0].digest, again->out.page.sessions[0].digest, 32);
	ck_assert_str_eq(again->out.page.sessions[0].worker, "w");
	ck_assert_str_eq(again->out.page.sessions[0].namespaces[0], "demo");
	ck_assert_uint_eq(beat(session, ref), 0);
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_OK), REPORT_ACCEPTED);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_COMPLETE);
}
END_TEST

/* A session that was given a new secret counts its polls anew; what it holds is not fresh for it.
 */
START_TEST(under_a_new_secret_what_is_not_listed_still_goes_back)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "boot-1");

	for (int i = 0; i < 10; i++)
		store_op_free(lab_poll(&lab, session, 0));
	(void)taken_by(session);
	(void)lab_worker(&lab, "w", "boot-1");
	lab_advance(&lab, 3 * LAB_SECOND);
	store_op_free(lab_poll(&lab, session, 0));
	store_op_free(lab_poll(&lab, session, 0));
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_PENDING);
}
END_TEST

/* However long a poll asks to wait: it is answered while the lease still runs. */
START_TEST(a_poll_is_never_parked_longer_than_its_lease_allows)
{
	struct store_op *idle;
	struct waiting w;

	lab.settings.lease_ms = 10000;
	lab.settings.beat_ms = 4000;
	lab_reopen(&lab);
	idle = lab_poll_op(lab_worker(&lab, "w", "b"), 1);
	idle->in.poll.wait_ms = 25000;
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	lab_advance(&lab, 6 * LAB_SECOND - 1);
	ck_assert(!lab_is_answered(&w));
	lab_advance(&lab, 1);
	lab_await(&w);
	store_op_free(idle);
}
END_TEST

/* Parked under the old boot: answered, and never given a step. */
START_TEST(another_boot_answers_the_old_ones_parked_poll)
{
	struct store_op *idle = lab_poll_op(lab_worker(&lab, "w", "boot-1"), 4);
	struct waiting w;

	idle->in.poll.wait_ms = 20000;
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	(void)lab_worker(&lab, "w", "boot-2");
	lab_await(&w);
	ck_assert_int_eq(idle->outcome, STORE_STALE);
	ck_assert_uint_eq(idle->out.poll.step_count, 0);
	store_op_free(idle);
}
END_TEST

START_TEST(a_step_not_listed_goes_back_unburnt)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref ref = taken_by(session);
	struct step_view step;

	ck_assert_int_eq(ref.attempt, 1);
	store_op_free(lab_poll(&lab, session, 0)); /* sent before the answer was read */
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	store_op_free(lab_poll(&lab, session, 0)); /* still a moment ago */
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	lab_advance(&lab, 2 * LAB_SECOND);
	store_op_free(lab_poll(&lab, session, 0));
	step = lab_step(&lab, task, "a");
	ck_assert_int_eq(step.state, STEP_PENDING);
	ck_assert_int_eq(step.lease_losses, 0);
	ck_assert_int_eq(step.failures, 0);
}
END_TEST

START_TEST(a_released_step_goes_back_unburnt)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref ref = taken_by(session);

	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_RELEASED), REPORT_ACCEPTED);
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_OK), REPORT_DUPLICATE);
	ck_assert_int_eq(lab_step(&lab, task, "a").failures, 0);
	ck_assert_int_eq(lab_step(&lab, task, "a").lease_losses, 0);
	ck_assert_int_eq(taken_by(session).attempt, 2);
}
END_TEST

START_TEST(what_is_held_but_not_ours_is_called_lost)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref ref = {uuid_v4(), 1};

	ck_assert_uint_eq(beat(session, ref), 1);
}
END_TEST

START_TEST(at_start_every_lease_gets_a_full_term)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref ref = taken_by(session);

	lab_advance(&lab, (LEASE - 1) * LAB_SECOND);
	lab_reopen(&lab);
	lab_advance(&lab, (LEASE - 1) * LAB_SECOND);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	ck_assert_uint_eq(beat(session, ref), 0);
	lab_advance(&lab, LEASE * LAB_SECOND);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_PENDING);
	ck_assert_int_eq(lab_step(&lab, task, "a").lease_losses, 1);
}
END_TEST

START_TEST(a_restart_keeps_timers_queues_and_reports)
{
	struct uuid waits = lab_create(&lab, "single"), queued;
	int64_t session = lab_worker(&lab, "w", "b");
	struct attempt_ref ref = taken_by(session);

	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_ERROR), REPORT_ACCEPTED);
	queued = lab_create(&lab, "single");
	lab_reopen(&lab);
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_ERROR), REPORT_DUPLICATE);
	ck_assert_int_eq(lab_step(&lab, waits, "a").state, STEP_WAITING_FOR_RETRY);
	lab_advance(&lab, LAB_SECOND);
	ck_assert_int_eq(lab_step(&lab, waits, "a").state, STEP_PENDING);
	(void)taken_by(session);
	(void)taken_by(lab_worker(&lab, "other", "b"));
	ck_assert_int_eq(lab_step(&lab, waits, "a").attempts, 2);
	ck_assert_int_eq(lab_step(&lab, queued, "a").attempts, 1);
}
END_TEST

START_TEST(the_wall_clock_moves_no_lease)
{
	struct uuid task = lab_create(&lab, "single");

	(void)taken_by(lab_worker(&lab, "w", "b"));
	(void)atomic_fetch_add(&lab.wall, 3600LL * LAB_SECOND); /* F9 */
	store_wake(lab.store);
	lab_settle(&lab);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
}
END_TEST

START_TEST(a_session_nobody_uses_is_closed)
{
	int64_t session = lab_worker(&lab, "w", "b");
	AUTO(store_op) struct store_op *poll = lab_poll_op(session, 1);
	AUTO(store_op) struct store_op *list = store_op_new(STORE_WORKER_LIST);

	lab_advance(&lab, 25LL * 3600 * LAB_SECOND);
	ck_assert_int_eq(lab_run(&lab, list), STORE_OK);
	ck_assert_uint_eq(list->out.page.count, 0);
	ck_assert_int_eq(lab_run(&lab, poll), STORE_STALE);
	ck_assert_int_eq(
	        lab_number(&lab, "SELECT count(*) FROM sessions WHERE ended_at IS NULL"), 0);
}
END_TEST

/* All of a day passes at once, as for a process that was stopped (found by the simulation). */
START_TEST(a_session_whose_poll_waits_is_not_closed_over_what_it_was_just_given)
{
	int64_t dead = lab_worker(&lab, "dead", "b"), other = lab_worker(&lab, "other", "b");
	struct store_op *idle = lab_poll_op(other, 1);
	struct waiting w;

	(void)lab_create(&lab, "single");
	(void)taken_by(dead);
	idle->in.poll.wait_ms = 20000;
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	lab_advance(&lab, 25LL * 3600 * LAB_SECOND);
	lab_await(&w);
	ck_assert_int_eq(idle->outcome, STORE_OK);
	ck_assert_uint_eq(idle->out.poll.step_count, 1);
	lab_reopen(&lab); /* refused where a step is held by a session that is over */
	store_op_free(idle);
}
END_TEST

START_TEST(sessions_have_a_limit)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_WORKER_REGISTER);
	static const char *const none[] = {NULL};

	lab.settings.sessions_max = 2;
	lab_reopen(&lab);
	(void)lab_worker(&lab, "w1", "b");
	(void)lab_worker(&lab, "w2", "b");
	op->in.worker = (struct worker_register_in){
	        .worker = "w3", .boot = "b", .namespaces = none, .handlers = none};
	ck_assert_int_eq(lab_run(&lab, op), STORE_BUSY);
	(void)lab_worker(&lab, "w2", "b2"); /* in place of an old one */
}
END_TEST

Suite *
store_lease_suite(void)
{
	Suite *s = suite_create("store lease");
	TCase *tc = tcase_create("leases");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_lease_ends_after_its_term_and_not_before);
	tcase_add_test(tc, a_poll_renews_the_lease_of_all_it_holds);
	tcase_add_test(tc, many_lost_steps_go_back_some_at_a_time);
	tcase_add_test(tc, a_lost_step_goes_to_a_waiting_worker_at_once);
	tcase_add_test(tc, a_late_result_counts_while_nobody_took_the_step);
	tcase_add_test(tc, a_zombies_result_is_stale_once_another_took_the_step);
	tcase_add_test(tc, an_older_attempt_of_the_same_session_is_stale);
	tcase_add_test(tc, ten_lost_workers_end_a_step);
	tcase_add_test(tc, another_boot_releases_the_old_ones_steps_at_once);
	tcase_add_test(tc, the_same_boot_keeps_what_it_holds_under_a_new_secret);
	tcase_add_test(tc, under_a_new_secret_what_is_not_listed_still_goes_back);
	tcase_add_test(tc, a_poll_is_never_parked_longer_than_its_lease_allows);
	tcase_add_test(tc, another_boot_answers_the_old_ones_parked_poll);
	tcase_add_test(tc, a_step_not_listed_goes_back_unburnt);
	tcase_add_test(tc, a_released_step_goes_back_unburnt);
	tcase_add_test(tc, what_is_held_but_not_ours_is_called_lost);
	tcase_add_test(tc, at_start_every_lease_gets_a_full_term);
	tcase_add_test(tc, a_restart_keeps_timers_queues_and_reports);
	tcase_add_test(tc, the_wall_clock_moves_no_lease);
	tcase_add_test(tc, a_session_nobody_uses_is_closed);
	tcase_add_test(tc, a_session_whose_poll_waits_is_not_closed_over_what_it_was_just_given);
	tcase_add_test(tc, sessions_have_a_limit);
	suite_add_tcase(s, tc);
	return s;
}

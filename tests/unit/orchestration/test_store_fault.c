/*
 * When the storage or memory fails: a batch is undone whole, its good operations happen alone, the
 * bad one is refused, nothing is half done and nothing acknowledged is lost (ST1, ST3, ST4, F1,
 * F3). Disks that fail are in tests/storage.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "orchestration/store/rounds.h"
#include "tests/unit/orchestration/lab.h"

static struct lab lab;

static void
set_up(void)
{
	lab_open(&lab);
	lab_template(&lab, lab_yaml("single"));
	lab_template(&lab, lab_yaml("diamond"));
}

static void
tear_down(void)
{
	lab_check(&lab);
	lab_close(&lab);
}

/* Every write statement of a create fails once: with its replay the create still succeeds. */
START_TEST(one_failed_statement_is_replayed)
{
	struct store_health health;

	for (int nth = 1; nth <= 12; nth++) {
		char context[32];
		AUTO(store_op) struct store_op *op = NULL;

		(void)snprintf(context, sizeof(context), "{\"nth\":%d}", nth);
		op = lab_create_op("diamond", context);
		atomic_store(&lab.fault_after, nth);
		ck_assert_msg(lab_run(&lab, op) == STORE_OK, "%d: %s", nth, op->text);
		atomic_store(&lab.fault_after, 0);
		ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM tasks"), nth);
		ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM steps"), nth * 4);
	}
	store_probe(lab.store, &health);
	ck_assert_int_ge(health.rollbacks, 5);
	ck_assert(!health.degraded && !health.fatal);
	ck_assert_ptr_nonnull(strstr(health.last_error, "full"));
}
END_TEST

static const char *const statements[] = {
        "TASK_INSERT", "DETAILS_INSERT", "EVENT_FIRST", "STEP_INSERT", "TOTALS_SAVE", "COMMIT"};

/* A full disk: refused, nothing changed, reads go on; with space again all works (ST4). */
START_TEST(a_full_disk_refuses_and_changes_nothing)
{
	AUTO(store_op) struct store_op *op = lab_create_op("diamond", "{\"x\":1}");
	AUTO(store_op) struct store_op *again = lab_create_op("diamond", "{\"x\":1}");
	struct uuid task = lab_create(&lab, "single");
	char *before = lab_dump(&lab), *after;
	struct store_health health;

	lab.fault_in = statements[_i];
	ck_assert_int_eq(lab_run(&lab, op), STORE_FAULT);
	ck_assert_ptr_nonnull(strstr(op->text, "full"));
	store_probe(lab.store, &health);
	ck_assert(health.degraded && !health.fatal);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_STEPS_IN_PROCESS);
	after = lab_dump(&lab);
	ck_assert_str_eq(before, after);
	lab.fault_in = NULL;
	ck_assert_int_eq(lab_run(&lab, again), STORE_OK);
	store_probe(lab.store, &health);
	ck_assert(!health.degraded);
	free(before);
	free(after);
}
END_TEST

/* In a batch one create is bad: the others are stored, the bad one is refused. */
START_TEST(a_bad_operation_takes_no_others_with_it)
{
	enum { COUNT_OF = 40 };
	struct waiting w[COUNT_OF];
	int ok = 0;

	for (int i = 0; i < COUNT_OF; i++) {
		char context[32];
		struct store_op *op;

		(void)snprintf(context, sizeof(context), "{\"i\":%d}", i);
		op = lab_create_op(i == 17 ? "nothing" : "single", context);
		atomic_store(&lab.fault_after, i % 5 == 0 ? 3 : 0);
		w[i] = lab_begin(&lab, op);
	}
	for (int i = 0; i < COUNT_OF; i++) {
		lab_await(&w[i]);
		ok += w[i].op->outcome == STORE_OK;
		ck_assert_int_eq(w[i].op->outcome == STORE_NOT_FOUND, i == 17);
		store_op_free(w[i].op);
	}
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM tasks"), ok);
	ck_assert_int_ge(ok, COUNT_OF - 10);
}
END_TEST

/* A poll that waited is given a step by a transaction that fails: it waits on and gets it later. */
START_TEST(a_parked_poll_survives_a_failed_batch)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct store_op *idle = lab_poll_op(session, 2);
	AUTO(store_op) struct store_op *op = lab_create_op("single", "{\"x\":1}");
	struct waiting w;

	idle->in.poll.wait_ms = 20000;
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	lab.fault_in = "COMMIT";
	ck_assert_int_eq(lab_run(&lab, op), STORE_FAULT);
	lab_settle(&lab);
	ck_assert(!lab_is_answered(&w));
	lab.fault_in = NULL;
	(void)lab_create(&lab, "single");
	lab_await(&w);
	ck_assert_uint_eq(idle->out.poll.step_count, 1);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM steps WHERE state = 3"), 1);
	store_op_free(idle);
	store_op_free(lab_poll(&lab, session, 2));
}
END_TEST

/* What it was given in vain stays in its memory until it is answered, so that has an end (LM6). */
START_TEST(a_parked_poll_that_was_given_much_in_vain_is_answered)
{
	enum { PAD = 512 * 1024, CREATES = 64 };
	int64_t session = lab_worker(&lab, "w", "b");
	struct store_op *idle = lab_poll_op(session, 2);
	char *context = malloc(PAD + 64);
	struct waiting w;
	int tries = 0;

	ck_assert_ptr_nonnull(context);
	idle->in.poll.wait_ms = 20000;
	w = lab_begin(&lab, idle);
	lab_settle(&lab);
	lab.fault_in = "COMMIT";
	for (; tries < CREATES && !lab_is_answered(&w); tries++) {
		AUTO(store_op) struct store_op *op = NULL;
		int len = snprintf(context, 64, "{\"n\":%d,\"pad\":\"", tries);

		memset(context + len, 'x', PAD);
		memcpy(context + len + PAD, "\"}", 3);
		op = lab_create_op("single", context);
		ck_assert_int_eq(lab_run(&lab, op), STORE_FAULT);
		lab_settle(&lab);
	}
	lab.fault_in = NULL;
	free(context);
	ck_assert_int_gt(tries, 2);
	ck_assert_int_lt(tries, CREATES);
	lab_await(&w);
	ck_assert_int_eq(idle->outcome, STORE_OK);
	ck_assert_uint_eq(idle->out.poll.step_count, 0);
	store_op_free(idle);
}
END_TEST

/* Timers that cannot ring any more are due for ever, and must not keep the writer awake (ST5). */
START_TEST(nothing_is_due_after_a_fatal_fault)
{
	AUTO(rounds) struct rounds *r = NULL;
	struct op_list none = {0};
	struct backend_ops ops;
	struct pulse pulse = {.error = ""};
	struct err e = {0};

	(void)lab_worker(&lab, "w", "b");
	store_close(TAKE(lab.store));
	pulse_init(&pulse);
	ck_assert(backend_for(lab.url, &ops));
	ck_assert_msg(rounds_new(&lab.settings, &ops, &pulse, &r, &e), "%s", e.text);
	rounds_begin(r, &none);
	ck_assert_int_gt(rounds_idle_us(r), 0);
	atomic_store(&pulse.fatal, true);
	atomic_fetch_add(&lab.mono, 3600LL * LAB_SECOND);
	rounds_begin(r, &none);
	ck_assert_int_lt(rounds_idle_us(r), 0);
	(void)pthread_mutex_destroy(&pulse.lock);
}
END_TEST

static const char *const finishing[] = {"STEP_FINISH", "EVENT_INSERT", "TASK_CLOSE", "COMMIT"};

/* A report that could not be stored is not accepted, and is accepted when it comes again. */
START_TEST(a_report_that_was_not_stored_can_be_repeated)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct uuid task = lab_create(&lab, "single");
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);
	AUTO(store_op) struct store_op *failed = lab_poll_op(session, 0);
	struct attempt_ref ref = poll->out.poll.steps[0].ref;

	lab.fault_in = finishing[_i];
	lab_report(failed, ref, OUTCOME_OK);
	ck_assert_int_eq(lab_run(&lab, failed), STORE_FAULT);
	lab.fault_in = NULL;
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	ck_assert_int_eq(lab_finish(&lab, session, ref, OUTCOME_OK), REPORT_ACCEPTED);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_COMPLETE);
}
END_TEST

START_TEST(timers_that_failed_ring_again)
{
	int64_t session = lab_worker(&lab, "w", "b");
	struct uuid task = lab_create(&lab, "single");

	store_op_free(lab_poll(&lab, session, 1));
	lab.fault_in = "COMMIT";
	lab_advance(&lab, 30LL * LAB_SECOND);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_IN_PROGRESS);
	lab.fault_in = NULL;
	lab_advance(&lab, 2LL * LAB_SECOND);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_PENDING);
}
END_TEST

/* Bounds of the queue: what is beyond is BUSY at once, what waits too long is TIMEOUT (I1). */
START_TEST(a_full_lane_is_busy_and_a_late_operation_times_out)
{
	AUTO(store_op) struct store_op *late = lab_create_op("single", "{\"x\":1}");
	AUTO(store_op) struct store_op *large = NULL;
	struct buf context = BUF(MIB(1));

	late->deadline_us = lab.mono - 1;
	ck_assert_int_eq(lab_run(&lab, late), STORE_TIMEOUT);
	lab.settings.lane_bytes_max = 20000;
	lab_reopen(&lab);
	buf_text(&context, "{\"x\":\"");
	while (context.len < 40000)
		buf_text(&context, "0123456789");
	buf_text(&context, "\"}");
	buf_char(&context, '\0');
	large = lab_create_op("single", context.data);
	ck_assert_int_eq(lab_run(&lab, large), STORE_BUSY);
	lab.settings.lane_max[LANE_CREATE] = 0;
	lab_reopen(&lab);
	large->outcome = STORE_UNDECIDED;
	ck_assert_int_eq(lab_run(&lab, large), STORE_BUSY);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM tasks"), 0);
	buf_free(&context);
}
END_TEST

/* Every allocation of ours fails once while a create, its claim and its report run. */
START_TEST(every_allocation_may_fail)
{
	int64_t session = lab_worker(&lab, "w", "b");

	for (unsigned nth = 1; nth < 60; nth++) {
		char context[32];
		AUTO(store_op) struct store_op *op = NULL;
		AUTO(store_op) struct store_op *poll = lab_poll_op(session, 4);

		(void)snprintf(context, sizeof(context), "{\"nth\":%u}", nth);
		op = lab_create_op("diamond", context);
		(void)lab_run_short_of_memory(&lab, op, nth);
		ck_assert(op->outcome == STORE_OK || op->outcome == STORE_FAULT);
		(void)lab_run_short_of_memory(&lab, poll, nth);
		ck_assert(poll->outcome == STORE_OK || poll->outcome == STORE_FAULT);
	}
}
END_TEST

START_TEST(opening_survives_every_failed_allocation)
{
	bool opened = false;

	(void)lab_worker(&lab, "w", "b");
	store_close(lab.store);
	lab.store = NULL;
	for (unsigned nth = 1; !opened && nth < 500; nth++) {
		struct err e = {0};

		fault_allocation(nth);
		opened = store_open(&lab.settings, &lab.store, &e);
		fault_allocation(0);
		if (!opened) /* SHA-256 does not say why it failed */
			ck_assert(e.code == ERR_NOMEM || e.code == ERR_CRYPTO);
	}
	ck_assert(opened);
}
END_TEST

/* What a child does until it is killed: creates tasks, and tells of each that was acknowledged. */
static void
work_until_killed(struct lab *child, int out)
{
	struct err e = {0};

	child->store = NULL;
	if (!store_open(&child->settings, &child->store, &e))
		_exit(3);
	for (int i = 0; i < 100000; i++) {
		char context[64];
		struct store_op *op;

		(void)snprintf(context, sizeof(context), "{\"pid\":%d,\"i\":%d}", (int)getpid(), i);
		op = lab_create_op("diamond", context);
		if (lab_run(child, op) != STORE_OK ||
		        write(out, &op->out.task.id, sizeof(struct uuid)) != sizeof(struct uuid))
			_exit(4);
		store_op_free(op);
	}
	_exit(0);
}

static int
check_acknowledged(int in)
{
	struct uuid id;
	int seen = 0;

	while (read(in, &id, sizeof(id)) == (ssize_t)sizeof(id)) {
		AUTO(store_op) struct store_op *get = store_op_new(STORE_TASK_GET);

		get->caller = lab_caller(SCOPE_ANY, "", "");
		get->in.id.task = id;
		ck_assert_int_eq(lab_run(&lab, get), STORE_OK);
		ck_assert_uint_eq(get->out.task.step_count, 4);
		seen++;
	}
	return seen;
}

/* kill -9 at any moment: every acknowledged task is there, and the file is sound (I1, I3, ST3). */
START_TEST(a_killed_daemon_loses_nothing_it_acknowledged)
{
	int seen = 0;
	struct pollfd first = {.events = POLLIN};

	lab.settings.wall_us = store_settings_default().wall_us;
	lab.settings.mono_us = store_settings_default().mono_us;
	for (int round = 0; round < 20; round++) {
		int ends[2], status = 0;
		pid_t child;

		store_close(lab.store);
		lab.store = NULL;
		ck_assert_int_eq(pipe(ends), 0);
		child = fork();
		ck_assert_int_ge(child, 0);
		if (child == 0) {
			(void)close(ends[0]);
			work_until_killed(&lab, ends[1]);
		}
		(void)close(ends[1]);
		/* In every other round it has acknowledged something before it is killed. */
		first.fd = ends[0];
		if (round % 2 == 0)
			ck_assert_int_eq(poll(&first, 1, 10000), 1);
		else
			(void)usleep((useconds_t)(30000 + round * 3700));
		ck_assert_int_eq(kill(child, SIGKILL), 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert_msg(WIFSIGNALED(status), "the child ended by itself: %d", status);
		lab_reopen(&lab);
		seen += check_acknowledged(ends[0]);
		(void)close(ends[0]);
		lab_check(&lab);
	}
	ck_assert_int_ge(seen, 10);
}
END_TEST

Suite *
store_fault_suite(void)
{
	Suite *s = suite_create("store fault");
	TCase *tc = tcase_create("faults");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, one_failed_statement_is_replayed);
	tcase_add_loop_test(tc, a_full_disk_refuses_and_changes_nothing, 0, COUNT(statements));
	tcase_add_test(tc, a_bad_operation_takes_no_others_with_it);
	tcase_add_test(tc, a_parked_poll_survives_a_failed_batch);
	tcase_add_test(tc, a_parked_poll_that_was_given_much_in_vain_is_answered);
	tcase_add_test(tc, nothing_is_due_after_a_fatal_fault);
	tcase_add_loop_test(tc, a_report_that_was_not_stored_can_be_repeated, 0, COUNT(finishing));
	tcase_add_test(tc, timers_that_failed_ring_again);
	tcase_add_test(tc, a_full_lane_is_busy_and_a_late_operation_times_out);
	tcase_add_test(tc, every_allocation_may_fail);
	tcase_add_test(tc, opening_survives_every_failed_allocation);
	tcase_add_test(tc, a_killed_daemon_loses_nothing_it_acknowledged);
	suite_add_tcase(s, tc);
	return s;
}

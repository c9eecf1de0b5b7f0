/* Workers that crash, sleep, leave and are told to stop while a step is at work. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/fault/checker.h"
#include "tests/fault/rig.h"
#include "tests/lib/patience.h"
#include "tests/unit/unit.h"

enum {
	BEGIN_MS = 15000,
	COMPLETE_MS = 30000,
	CRASHES = 3,
	LONG_WAITS = 2,
	CANCELS = 20, /* FAULT_CANCELS; at most CANCELS_MAX */
	CANCELS_MAX = 200,
	CANCEL_MS = 50,       /* the middle one of all */
	CANCEL_MAX_MS = 2000, /* on a machine that does other things beside it */
	SLEEPERS = 4,
	SLEEP_MS = 2 * RIG_LEASE_MS,
	SLEEPERS_STEP_MS = 1200,
	TIMEOUT_S = 240,
};

static struct rig rig;

static int
number_from(const char *name, int otherwise)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? (int)strtol(text, NULL, 10) : otherwise;
}

static void
start(void)
{
	ck_assert(rig_start(&rig, false));
}

/* Ends the daemons and judges what they leave; every task of ids must be complete. */
static void
stop_and_judge(const char *const *ids, size_t count, struct findings *f)
{
	AUTO(book) struct book book = {.items = NULL};

	ck_assert(rig_stop(&rig));
	ck_assert_int_eq(rig_check(&rig), 0);
	ck_assert(book_read(rig.pair.dir, RIG_BOOK, &book));
	ck_assert(checker_judge(&(struct evidence){.dir = rig.pair.dir,
	                                .file = "tasker.db",
	                                .book = &book,
	                                .ids = ids,
	                                .id_count = count},
	        f));
	ck_assert_msg(checker_broken(f) == 0, "folder %s:\n%s", rig.pair.dir, f->text);
	rig_remove(&rig);
}

/* The checker finds any failure counted: no handler here ever fails. */
START_TEST(step_that_survives_three_crashes_of_its_worker_completes)
{
	struct findings f;
	char *id;

	start();
	id = rig_linear(&rig, 400);
	ck_assert_ptr_nonnull(id);
	for (int i = 1; i <= CRASHES; i++) {
		ck_assert(rig_begins(&rig, id, "one", i, BEGIN_MS));
		ck_assert_uint_eq(rig_kill_worker(&rig), 0);
		ck_assert(rig_start_worker(&rig));
	}
	ck_assert(pair_task_is(&rig.pair, id, "complete", COMPLETE_MS));
	stop_and_judge((const char *const[]){id}, 1, &f);
	ck_assert_uint_eq(f.lost, CRASHES);
	ck_assert_uint_eq(f.executions, 4 + CRASHES);
	free(id);
}
END_TEST

/* F2: a worker that slept beyond its lease comes back with a result that nobody wants.
 * FAULT_ZOMBIE_S says for how long; without it, until its step is done elsewhere. */
START_TEST(result_of_a_worker_that_slept_too_long_changes_nothing)
{
	struct findings f;
	char *id, *seen;
	int64_t from, until;
	bool stale = false;

	start();
	id = rig_linear(&rig, 200);
	ck_assert(rig_begins(&rig, id, "one", 1, BEGIN_MS));
	ck_assert_int_eq(kill(rig.pair.worker.pid, SIGSTOP), 0);
	from = clock_mono_us();
	ck_assert(rig_second_worker(&rig));
	ck_assert(rig_begins(&rig, id, "one", 2, BEGIN_MS));
	(void)printf("zombie: its step runs elsewhere after %d ms; the lease is %d ms\n",
	        (int)((clock_mono_us() - from) / 1000), RIG_LEASE_MS);
	ck_assert_int_ge(clock_mono_us() - from, (RIG_LEASE_MS - RIG_BEAT_MS - 100) * 1000);
	ck_assert_int_le(clock_mono_us() - from, (RIG_LEASE_MS + patience_ms(1000)) * 1000);
	ck_assert(pair_task_is(&rig.pair, id, "complete", COMPLETE_MS));
	while (clock_mono_us() - from < number_from("FAULT_ZOMBIE_S", 0) * INT64_C(1000000))
		(void)poll(NULL, 0, 100);
	(void)printf("zombie: wakes after %d ms\n", (int)((clock_mono_us() - from) / 1000));
	ck_assert_int_eq(kill(rig.pair.worker.pid, SIGCONT), 0);
	until = clock_mono_us() + (int64_t)BEGIN_MS * 1000;
	while (!stale && clock_mono_us() < until) {
		struct wire_reply r =
		        wire_call(rig.pair.worker.port, "GET", "/metrics", RIG_KEY, NULL);

		seen = r.body != NULL ? strstr(r.body, "\ntasker_worker_results_stale_total")
		                      : NULL;
		stale = seen != NULL && strtol(strchr(seen, ' '), NULL, 10) == 1;
		wire_reply_free(&r);
		(void)poll(NULL, 0, 20);
	}
	ck_assert_msg(stale, "the result was not answered stale");
	stop_and_judge((const char *const[]){id}, 1, &f);
	ck_assert_uint_eq(f.lost, 1);
	ck_assert_uint_eq(f.executions, 5);
	free(id);
}
END_TEST

/* An orchestration that sleeps longer than its leases takes each attempt back once. What it then
 * answers to polls nobody waits for any more comes back unburnt and was not executed. */
START_TEST(orchestration_that_slept_too_long_loses_each_attempt_once)
{
	char *ids[SLEEPERS];
	struct findings f;

	start();
	for (size_t i = 0; i < SLEEPERS; i++) {
		ids[i] = rig_linear(&rig, SLEEPERS_STEP_MS);
		ck_assert_ptr_nonnull(ids[i]);
	}
	for (size_t i = 0; i < SLEEPERS; i++)
		ck_assert(rig_begins(&rig, ids[i], "one", 1, BEGIN_MS));
	ck_assert_int_eq(kill(rig.pair.orchestration.pid, SIGSTOP), 0);
	(void)poll(NULL, 0, SLEEP_MS);
	ck_assert_int_eq(kill(rig.pair.orchestration.pid, SIGCONT), 0);
	for (size_t i = 0; i < SLEEPERS; i++)
		ck_assert(pair_task_is(&rig.pair, ids[i], "complete", COMPLETE_MS));
	stop_and_judge((const char *const *)ids, SLEEPERS, &f);
	(void)printf("sleep: %d steps at work; %zu lost, %zu given back, %zu executions of %zu\n",
	        SLEEPERS, f.lost, f.released, f.executions, f.steps);
	ck_assert_uint_le(f.executions, f.steps + SLEEPERS);
	for (size_t i = 0; i < SLEEPERS; i++)
		free(ids[i]);
}
END_TEST

/* A worker that is asked to leave gives back what cannot be finished: no failure is counted. */
START_TEST(step_of_a_worker_that_leaves_goes_back_unburnt)
{
	struct findings f;
	char *id;

	start();
	id = rig_linear(&rig, RIG_SHUTDOWN_MS + 160);
	ck_assert(rig_begins(&rig, id, "one", 1, BEGIN_MS));
	ck_assert_int_eq(daemon_stop(&rig.pair.worker, COMPLETE_MS), 0);
	ck_assert(rig_start_worker(&rig));
	ck_assert(pair_task_is(&rig.pair, id, "complete", COMPLETE_MS));
	stop_and_judge((const char *const[]){id}, 1, &f);
	ck_assert_uint_eq(f.lost, 0);
	ck_assert_uint_eq(f.released, 1);
	ck_assert_uint_eq(f.executions, 5);
	free(id);
}
END_TEST

static void
cancel(const char *id)
{
	char path[80];
	struct wire_reply r;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s", id);
	r = rig_call(&rig, "DELETE", path, NULL);
	ck_assert_int_eq(r.status, 200);
	wire_reply_free(&r);
}

/*
 * What came at the end of a long park still has its whole lease: neither the next poll nor the step
 * is given up for it. And a worker that has nothing to do is connected all the time.
 */
START_TEST(step_that_comes_after_a_long_wait_is_kept)
{
	struct findings f;
	char *id, *log;

	start();
	(void)poll(NULL, 0, 3 * RIG_LEASE_MS / 2);
	log = daemon_read(rig.pair.dir, "worker.log");
	ck_assert_ptr_nonnull(log);
	ck_assert_ptr_null(strstr(log, "link.down"));
	free(log);
	for (int i = 0; i < LONG_WAITS; i++) {
		id = rig_linear(&rig, RIG_LEASE_MS / 3);
		ck_assert(rig_begins(&rig, id, "two", 1, BEGIN_MS));
		cancel(id);
		free(id);
		/* An idle poll is parked for two thirds of the lease at most. */
		(void)poll(NULL, 0, RIG_LEASE_MS / 100 * 60);
	}
	stop_and_judge(NULL, 0, &f);
	ck_assert_uint_eq(f.executions, LONG_WAITS); /* of the first steps, the complete ones */
	ck_assert_uint_eq(f.lost + f.released, 0);
}
END_TEST

static int
by_number(const void *left, const void *right)
{
	const int *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* From before the DELETE is sent until the handler has read the cancel frame; microseconds. */
static int
cancel_takes(void)
{
	char *id = rig_linear(&rig, 60000);
	int64_t from, until;
	int took = -1;

	ck_assert_ptr_nonnull(id);
	ck_assert(rig_begins(&rig, id, "one", 0, BEGIN_MS));
	from = clock_mono_us();
	cancel(id);
	until = clock_mono_us() + (int64_t)BEGIN_MS * 1000;
	while (took < 0 && clock_mono_us() < until) {
		AUTO(book) struct book book = {.items = NULL};
		const struct execution *x;
		size_t count;

		ck_assert(book_read(rig.pair.dir, RIG_BOOK, &book));
		x = book_find(&book, id, 0, &count); /* the last attempt is the one at work */
		if (count > 0 && x[count - 1].cancels == 1)
			took = (int)(x[count - 1].cancel_us - from);
		(void)poll(NULL, 0, 5);
	}
	ck_assert_int_ge(took, 0);
	ck_assert(pair_task_is(&rig.pair, id, "cancelled", 1000));
	free(id);
	return took;
}

START_TEST(cancel_reaches_a_running_handler_at_once)
{
	const int wanted = number_from("FAULT_CANCELS", CANCELS);
	const int cancels = wanted < CANCELS_MAX ? wanted : CANCELS_MAX;
	int took[CANCELS_MAX];
	struct findings f;

	start();
	for (int i = 0; i < cancels; i++)
		took[i] = cancel_takes();
	qsort(took, (size_t)cancels, sizeof(took[0]), by_number);
	(void)printf("cancel: %d times, to the handler in %.1f ms at best, %.1f ms half of them, "
	             "%.1f ms at worst\n",
	        cancels, took[0] / 1e3, took[cancels / 2] / 1e3, took[cancels - 1] / 1e3);
	ck_assert_int_le(took[cancels / 2], patience_ms(CANCEL_MS) * 1000);
	ck_assert_int_le(took[cancels - 1], patience_ms(CANCEL_MAX_MS) * 1000);
	stop_and_judge(NULL, 0, &f);
	ck_assert_uint_eq(f.tasks, (size_t)cancels);
}
END_TEST

Suite *
crash_suite(void)
{
	Suite *s = suite_create("crash");
	TCase *tc = tcase_create("worker");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, step_that_survives_three_crashes_of_its_worker_completes);
	tcase_add_test(tc, result_of_a_worker_that_slept_too_long_changes_nothing);
	tcase_add_test(tc, orchestration_that_slept_too_long_loses_each_attempt_once);
	tcase_add_test(tc, step_of_a_worker_that_leaves_goes_back_unburnt);
	tcase_add_test(tc, step_that_comes_after_a_long_wait_is_kept);
	tcase_add_test(tc, cancel_reaches_a_running_handler_at_once);
	suite_add_tcase(s, tc);
	return s;
}

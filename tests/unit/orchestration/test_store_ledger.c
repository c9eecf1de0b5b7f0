/* LM6: answered reads that nobody has taken yet are bounded, and the bound stops nobody for good.
 */
#include "orchestration/store/ledger.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/unit/orchestration/lab.h"

enum {
	SOON_US = 100000,    /* a wait that ends by itself */
	LATE_US = 20000000,  /* one that should not */
	EARLY_US = 10000000, /* so it has ended otherwise */
	READS = 40,
};

static struct ledger *
make(size_t max)
{
	struct ledger *l = NULL;
	struct err e = {0};

	ck_assert_msg(ledger_new(max, &l, &e), "%s", e.text);
	return l;
}

START_TEST(ledger_is_full_at_its_bound_and_no_sooner)
{
	AUTO(ledger) struct ledger *l = make(100);

	ck_assert(!ledger_is_full(l));
	ledger_hold(l, 99);
	ck_assert(!ledger_is_full(l));
	ledger_hold(l, 1);
	ck_assert(ledger_is_full(l));
	ledger_release(l, 99);
	ck_assert(!ledger_is_full(l));
	ledger_release(l, 1);
}
END_TEST

START_TEST(wait_ends_in_time_when_nothing_is_released)
{
	AUTO(ledger) struct ledger *l = make(1);
	const int64_t from = clock_mono_us();

	ledger_wait(l, from + LATE_US); /* there is room */
	ck_assert_int_lt(clock_mono_us() - from, EARLY_US);
	ledger_hold(l, 1);
	ledger_wait(l, from + SOON_US);
	ck_assert_int_ge(clock_mono_us() - from, SOON_US);
	ledger_release(l, 1);
}
END_TEST

static void *
release_one(void *arg)
{
	ledger_release(arg, 1);
	return NULL;
}

static void *
close_it(void *arg)
{
	ledger_close(arg);
	return NULL;
}

START_TEST(wait_ends_at_a_release_and_at_the_close)
{
	void *(*const ends[])(void *) = {release_one, close_it};
	struct ledger *l = make(2);
	pthread_t thread;
	const int64_t from = clock_mono_us();

	ledger_hold(l, 1);
	for (size_t i = 0; i < COUNT(ends); i++) {
		ledger_hold(l, 1);
		ck_assert_int_eq(pthread_create(&thread, NULL, ends[i], l), 0);
		ledger_wait(l, from + LATE_US);
		(void)pthread_join(thread, NULL);
	}
	ck_assert_int_lt(clock_mono_us() - from, EARLY_US);
	ledger_free(l);
	ledger_release(l, 1); /* it outlives its reader for those who hold */
	ledger_release(l, 1);
}
END_TEST

START_TEST(ledger_without_memory_is_refused)
{
	struct ledger *l = NULL;
	struct err e = {0};

	fault_allocation(1);
	ck_assert(!ledger_new(1, &l, &e));
	fault_allocation(0);
	ck_assert_int_eq(e.code, ERR_NOMEM);
	ck_assert_ptr_null(l);
}
END_TEST

static struct lab lab;
static struct uuid task;

static void
set_up(void)
{
	lab_open(&lab);
	lab_template(&lab, lab_yaml("single"));
	task = lab_create(&lab, "single");
	lab.settings.answer_bytes_max = 1; /* one answer */
	lab_reopen(&lab);
}

static void
tear_down(void)
{
	lab_check(&lab);
	lab_close(&lab);
}

static struct waiting
begin_read(int64_t within_us)
{
	struct store_op *op = store_op_new(STORE_TASK_GET);

	op->caller.scope = SCOPE_ANY;
	op->in.id.task = task;
	op->deadline_us = atomic_load(&lab.mono) + within_us;
	return lab_begin(&lab, op);
}

/* The lab's clock stands still, so that the second is read when it has waited. */
START_TEST(read_beyond_the_bound_waits_for_as_long_as_it_can_LM6)
{
	struct waiting first = begin_read(LATE_US), second;
	int64_t from;

	lab_await(&first);
	from = clock_mono_us();
	second = begin_read(SOON_US);
	lab_await(&second);
	ck_assert_int_ge(clock_mono_us() - from, SOON_US);
	ck_assert_int_eq(first.op->outcome, STORE_OK);
	ck_assert_int_eq(second.op->outcome, STORE_OK);
	store_op_free(first.op);
	store_op_free(second.op);
}
END_TEST

START_TEST(read_that_waited_too_long_is_refused_LM6)
{
	struct waiting first = begin_read(LATE_US), second;

	lab_await(&first);
	second = begin_read(SOON_US);
	lab_advance(&lab, 2 * SOON_US);
	lab_await(&second);
	ck_assert_int_eq(second.op->outcome, STORE_TIMEOUT);
	store_op_free(first.op);
	store_op_free(second.op);
}
END_TEST

START_TEST(reads_go_on_as_answers_are_freed_LM6)
{
	struct waiting all[READS];
	const int64_t from = clock_mono_us();

	for (size_t i = 0; i < READS; i++)
		all[i] = begin_read(LATE_US);
	for (size_t i = 0; i < READS; i++) {
		lab_await(&all[i]);
		ck_assert_int_eq(all[i].op->outcome, STORE_OK);
		store_op_free(all[i].op);
	}
	ck_assert_int_lt(clock_mono_us() - from, EARLY_US);
}
END_TEST

START_TEST(store_closes_over_answers_that_are_held_and_they_outlive_it_LM6)
{
	struct waiting first = begin_read(LATE_US), second;
	const int64_t from = clock_mono_us();

	lab_await(&first);
	second = begin_read(LATE_US);
	lab_reopen(&lab);
	lab_await(&second);
	ck_assert_int_eq(second.op->outcome, STORE_BUSY);
	ck_assert_int_lt(clock_mono_us() - from, EARLY_US);
	store_op_free(second.op);
	store_op_free(first.op);
}
END_TEST

Suite *
store_ledger_suite(void)
{
	Suite *s = suite_create("store ledger");
	TCase *alone = tcase_create("alone"), *reads = tcase_create("reads");

	tcase_set_timeout(alone, 30);
	tcase_add_test(alone, ledger_is_full_at_its_bound_and_no_sooner);
	tcase_add_test(alone, wait_ends_in_time_when_nothing_is_released);
	tcase_add_test(alone, wait_ends_at_a_release_and_at_the_close);
	tcase_add_test(alone, ledger_without_memory_is_refused);
	suite_add_tcase(s, alone);
	tcase_add_checked_fixture(reads, set_up, tear_down);
	tcase_set_timeout(reads, 60);
	tcase_add_test(reads, read_beyond_the_bound_waits_for_as_long_as_it_can_LM6);
	tcase_add_test(reads, read_that_waited_too_long_is_refused_LM6);
	tcase_add_test(reads, reads_go_on_as_answers_are_freed_LM6);
	tcase_add_test(reads, store_closes_over_answers_that_are_held_and_they_outlive_it_LM6);
	suite_add_tcase(s, reads);
	return s;
}

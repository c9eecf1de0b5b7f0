/* Buckets over simulated time: LM4's rates, LM4's memory, and what may never be laxer. */
#include "shared/gate/rate_limit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

static const int64_t start = 5 * (int64_t)SECOND;

static struct rate_limits *
limits(uint32_t per_second, uint32_t burst)
{
	struct rate_limits *l = NULL;
	struct err e = {0};

	ck_assert_msg(rate_limits_new(&l, &e), "%s", e.text);
	rate_limit_set(&l->of[RATE_PRINCIPAL], (struct rate){per_second, burst});
	return l;
}

START_TEST(no_limit_refuses_nobody_and_counts_nothing)
{
	AUTO(rate_limits) struct rate_limits *l = limits(0, 7);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	int64_t wait_us = 0;

	ck_assert(!rate_limit_is_on(one));
	for (int i = 0; i < 1000; i++)
		ck_assert(rate_limit_take(one, 1, start, &wait_us));
	rate_limit_set(one, (struct rate){1, 1});
	ck_assert(rate_limit_is_on(one));
	ck_assert(rate_limit_take(one, 1, start, &wait_us));
	ck_assert(!rate_limit_take(one, 1, start, &wait_us));
}
END_TEST

static const struct rate rates[] = {
        {1,              1             },
        {1,              5             },
        {3,              2             },
        {7,              100           },
        {100,            200           },
        {999,            1             },
        {12345,          678           },
        {RATE_LIMIT_MAX, 1             },
        {RATE_LIMIT_MAX, 1000          },
        {1,              RATE_LIMIT_MAX},
};

/* One that asks the moment it may gets a burst and then the rate; a microsecond earlier, nothing.
 */
START_TEST(a_burst_and_then_the_rate_exactly_LM4)
{
	const struct rate rate = rates[_i];
	AUTO(rate_limits) struct rate_limits *l = limits(rate.per_second, rate.burst);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	const uint64_t after = 10000;
	int64_t now = start, wait_us = 0, least, most;

	for (uint64_t i = 0; i < rate.burst; i++)
		ck_assert(rate_limit_take(one, 1, now, &wait_us));
	for (uint64_t i = 0; i < after; i++) {
		ck_assert(!rate_limit_take(one, 1, now, &wait_us));
		ck_assert_int_ge(wait_us, 1);
		ck_assert(
		        wait_us == 1 || !rate_limit_take(one, 1, now + wait_us - 1, &(int64_t){0}));
		now += wait_us;
		ck_assert(rate_limit_take(one, 1, now, &wait_us));
	}
	least = (int64_t)(after * SECOND / rate.per_second);
	/* Intervals are rounded up to nanoseconds, and each wait to microseconds. */
	most = least + least / 10000 + (int64_t)after;
	ck_assert_int_ge(now - start, least);
	ck_assert_int_le(now - start, most);
}
END_TEST

START_TEST(a_refusal_takes_nothing_LM4)
{
	AUTO(rate_limits) struct rate_limits *l = limits(10, 3);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	int64_t first = 0, again = 0;

	for (int i = 0; i < 3; i++)
		ck_assert(rate_limit_take(one, 1, start, &first));
	ck_assert(!rate_limit_take(one, 1, start, &first));
	ck_assert_int_eq(first, SECOND / 10);
	for (int i = 0; i < 1000; i++)
		ck_assert(!rate_limit_take(one, 1, start, &again));
	ck_assert_int_eq(again, first);
	ck_assert(rate_limit_take(one, 1, start + first, &again));
}
END_TEST

START_TEST(who_asks_rarely_never_saves_more_than_a_burst)
{
	AUTO(rate_limits) struct rate_limits *l = limits(10, 3);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	int64_t wait_us = 0;

	ck_assert(rate_limit_take(one, 1, start, &wait_us));
	for (int i = 0; i < 3; i++)
		ck_assert(rate_limit_take(one, 1, start + 3600 * (int64_t)SECOND, &wait_us));
	ck_assert(!rate_limit_take(one, 1, start + 3600 * (int64_t)SECOND, &wait_us));
}
END_TEST

/* Cells are chosen by bits 0 to 12 and 32 to 44. */
START_TEST(a_collision_in_one_row_costs_nothing_and_in_both_makes_it_stricter_LM4)
{
	AUTO(rate_limits) struct rate_limits *l = limits(1, 4);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	const uint64_t a = UINT64_C(5) << 32 | 9, half = UINT64_C(6) << 32 | 9,
	               both = a | UINT64_C(1) << 60;
	int64_t wait_us = 0;

	for (int i = 0; i < 4; i++)
		ck_assert(rate_limit_take(one, a, start, &wait_us));
	ck_assert(!rate_limit_take(one, a, start, &wait_us));
	ck_assert(!rate_limit_take(one, both, start, &wait_us));
	for (int i = 0; i < 4; i++)
		ck_assert(rate_limit_take(one, half, start, &wait_us));
	ck_assert(!rate_limit_take(one, half, start, &wait_us));
}
END_TEST

/* The memory is the same for one and for 10^5; none of them gets more than its burst. */
START_TEST(a_crowd_of_principals_takes_no_memory_and_gives_nobody_more_LM4)
{
	enum { CROWD = 100000, BURST = 5 };
	AUTO(rate_limits) struct rate_limits *l = limits(1, BURST);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	unsigned *granted = calloc(CROWD, sizeof(*granted));
	int64_t wait_us = 0;
	char name[32];

	ck_assert_ptr_nonnull(granted);
	ck_assert_uint_le(sizeof(struct rate_limits), 512U * 1024);
	for (int turn = 0; turn < BURST + 2; turn++)
		for (int who = 0; who < CROWD; who++) {
			(void)snprintf(name, sizeof(name), "jwt:issuer:user-%d", who);
			granted[who] +=
			        rate_limit_take(one, rate_limits_text(l, name), start, &wait_us);
		}
	for (int who = 0; who < CROWD; who++)
		ck_assert_uint_le(granted[who], BURST);
	free(granted);
}
END_TEST

/* Half as many as there are cells hardly ever meet in both. */
START_TEST(strangers_seldom_pay_for_each_other)
{
	enum { SOME = RATE_LIMIT_CELLS / 16, BURST = 5 };
	AUTO(rate_limits) struct rate_limits *l = limits(1, BURST);
	size_t refused = 0;

	for (uint64_t who = 0; who < SOME; who++)
		for (int i = 0; i < BURST; i++)
			refused += !rate_limit_take(&l->of[RATE_PRINCIPAL],
			        rate_limits_number(l, who), start, &(int64_t){0});
	ck_assert_uint_le(refused, SOME * BURST / 50);
}
END_TEST

START_TEST(a_clock_that_goes_back_gives_nothing_and_takes_little)
{
	AUTO(rate_limits) struct rate_limits *l = limits(10, 10);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	int64_t wait_us = 0;

	for (int i = 0; i < 10; i++)
		ck_assert(rate_limit_take(one, 1, start, &wait_us));
	ck_assert(!rate_limit_take(one, 1, start - SECOND, &wait_us));
	ck_assert_int_eq(wait_us, SECOND + SECOND / 10);
	/* Before all that has been: not for longer than a burst, all debts and the skew. */
	ck_assert(!rate_limit_take(one, 1, INT64_MIN, &wait_us));
	ck_assert_int_le(wait_us, SECOND + 65 * SECOND / 10 + 10 * SECOND);
	ck_assert(rate_limit_take(one, 1, start + SECOND, &wait_us));
}
END_TEST

/* UBSan watches. */
START_TEST(times_and_rates_at_their_ends_overflow_nothing)
{
	static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX / 1000, INT64_MAX};
	static const struct rate ends[] = {
	        {1,          1         },
                {1,          UINT32_MAX},
                {UINT32_MAX, UINT32_MAX},
                {UINT32_MAX, 0         }
        };

	for (size_t r = 0; r < COUNT(ends); r++) {
		AUTO(rate_limits) struct rate_limits *l = limits(ends[r].per_second, ends[r].burst);
		struct rate_limit *one = &l->of[RATE_PRINCIPAL];

		for (size_t t = 0; t < 2 * COUNT(times); t++) {
			int64_t wait_us = 1;

			for (int i = 0; i < 100; i++)
				rate_limit_spend(one, 1, times[t % COUNT(times)]);
			ck_assert(rate_limit_asks(one, 1, times[t % COUNT(times)], &wait_us) ||
			          wait_us >= 1);
		}
	}
}
END_TEST

START_TEST(a_burst_of_zero_is_a_seconds_worth)
{
	AUTO(rate_limits) struct rate_limits *l = limits(40, 0);
	int64_t wait_us = 0;

	for (int i = 0; i < 40; i++)
		ck_assert(rate_limit_take(&l->of[RATE_PRINCIPAL], 1, start, &wait_us));
	ck_assert(!rate_limit_take(&l->of[RATE_PRINCIPAL], 1, start, &wait_us));
}
END_TEST

/* A million requests lent at one a second are no million seconds under a smaller burst. */
START_TEST(a_reload_holds_nobody_to_what_the_old_burst_lent)
{
	AUTO(rate_limits) struct rate_limits *l = limits(1, RATE_LIMIT_MAX);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	int64_t wait_us = 0;

	for (int i = 0; i < RATE_LIMIT_MAX; i++)
		rate_limit_spend(one, 1, start);
	rate_limit_set(one, (struct rate){100, 10});
	ck_assert(!rate_limit_take(one, 1, start, &wait_us));
	ck_assert_int_le(wait_us, 11 * SECOND);
	ck_assert(rate_limit_take(one, 1, start + wait_us, &wait_us));
}
END_TEST

/* What was done though nobody might is owed, and no more than a minute of it at one a second. */
START_TEST(a_debt_is_paid_and_bounded)
{
	AUTO(rate_limits) struct rate_limits *l = limits(100, 10);
	struct rate_limit *one = &l->of[RATE_PRINCIPAL];
	int64_t wait_us = 0;

	for (int i = 0; i < 15; i++)
		rate_limit_spend(one, 1, start);
	ck_assert(!rate_limit_asks(one, 1, start, &wait_us));
	ck_assert_int_eq(wait_us, 6 * SECOND / 100);
	for (int i = 0; i < 100000; i++)
		rate_limit_spend(one, 1, start);
	ck_assert(!rate_limit_asks(one, 1, start, &wait_us));
	ck_assert_int_le(wait_us, 11 * SECOND);
}
END_TEST

/* ---- loops at once ---- */

enum { LOOPS = 4, TURNS = 50000, PER_SECOND = 20000, BURST = 50 };

struct crowd {
	struct rate_limit *limit;
	_Atomic int64_t now_us;
	_Atomic uint64_t granted;
};

static void *
ask_much(void *arg)
{
	struct crowd *c = arg;
	int64_t wait_us = 0;

	for (int i = 0; i < TURNS; i++)
		if (rate_limit_take(c->limit, 1, start + atomic_fetch_add(&c->now_us, 1), &wait_us))
			atomic_fetch_add(&c->granted, 1);
	return NULL;
}

START_TEST(loops_at_once_exceed_a_rate_by_one_request_each_at_most_LM4)
{
	AUTO(rate_limits) struct rate_limits *l = limits(PER_SECOND, BURST);
	struct crowd c = {.limit = &l->of[RATE_PRINCIPAL]};
	const uint64_t fair = BURST + (uint64_t)LOOPS * TURNS * PER_SECOND / SECOND;
	pthread_t threads[LOOPS];

	for (size_t i = 0; i < LOOPS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_much, &c), 0);
	for (size_t i = 0; i < LOOPS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_le(c.granted, fair + LOOPS);
	ck_assert_uint_ge(c.granted, fair * 9 / 10);
}
END_TEST

START_TEST(limits_are_made_whole_or_not_at_all)
{
	struct rate_limits *l = NULL;
	struct err e = {0};
	bool made;

	fault_allocation(1);
	made = rate_limits_new(&l, &e);
	fault_allocation(0);
	ck_assert(!made);
	ck_assert_ptr_null(l);
	ck_assert_int_eq(e.code, ERR_NOMEM);
}
END_TEST

Suite *
rate_limit_suite(void)
{
	Suite *s = suite_create("rate_limit");
	TCase *tc = tcase_create("buckets");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, no_limit_refuses_nobody_and_counts_nothing);
	tcase_add_loop_test(tc, a_burst_and_then_the_rate_exactly_LM4, 0, (int)COUNT(rates));
	tcase_add_test(tc, a_refusal_takes_nothing_LM4);
	tcase_add_test(tc, who_asks_rarely_never_saves_more_than_a_burst);
	tcase_add_test(tc, a_collision_in_one_row_costs_nothing_and_in_both_makes_it_stricter_LM4);
	tcase_add_test(tc, a_crowd_of_principals_takes_no_memory_and_gives_nobody_more_LM4);
	tcase_add_test(tc, strangers_seldom_pay_for_each_other);
	tcase_add_test(tc, a_clock_that_goes_back_gives_nothing_and_takes_little);
	tcase_add_test(tc, times_and_rates_at_their_ends_overflow_nothing);
	tcase_add_test(tc, a_burst_of_zero_is_a_seconds_worth);
	tcase_add_test(tc, a_reload_holds_nobody_to_what_the_old_burst_lent);
	tcase_add_test(tc, a_debt_is_paid_and_bounded);
	tcase_add_test(tc, loops_at_once_exceed_a_rate_by_one_request_each_at_most_LM4);
	tcase_add_test(tc, limits_are_made_whole_or_not_at_all);
	suite_add_tcase(s, tc);
	return s;
}

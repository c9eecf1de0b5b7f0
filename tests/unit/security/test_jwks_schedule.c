/* When key sets are fetched and how long they count: a pure question, asked with times of our own.
 */
#include "shared/security/jwks_schedule.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define S(n) ((n)*INT64_C(1000000))
#define T0 S(1000000)

static struct jwks_schedule schedule;

static struct jwks_schedule *
fetched(int max_age_s)
{
	jwks_schedule_start(&schedule, S(3600), S(300), 42, T0);
	ck_assert(jwks_schedule_begin(&schedule, T0));
	jwks_schedule_succeeded(&schedule, max_age_s, T0);
	return &schedule;
}

START_TEST(the_first_fetch_is_due_at_once_and_one_at_a_time)
{
	struct jwks_schedule *s = &schedule;

	jwks_schedule_start(s, S(3600), S(300), 42, T0);
	ck_assert_int_eq(jwks_schedule_wake(s), T0);
	ck_assert(!jwks_schedule_begin(s, T0 - 1));
	ck_assert(jwks_schedule_begin(s, T0));
	ck_assert(!jwks_schedule_begin(s, T0 + S(1000))); /* JK7 */
}
END_TEST

/* JK16: max-age within [60 s, refresh]. */
static const struct {
	int max_age_s;
	int64_t next_s;
} ages[] = {
        {-1,    3600},
        {0,     60  },
        {59,    60  },
        {61,    61  },
        {3599,  3599},
        {86400, 3600},
};

START_TEST(jk16_max_age_is_clamped)
{
	struct jwks_schedule *s = fetched(ages[_i].max_age_s);

	ck_assert_int_eq(jwks_schedule_wake(s), T0 + S(ages[_i].next_s));
	ck_assert(!jwks_schedule_begin(s, T0 + S(ages[_i].next_s) - 1));
	ck_assert(jwks_schedule_begin(s, T0 + S(ages[_i].next_s)));
}
END_TEST

START_TEST(jk6_an_unknown_name_fetches_after_the_cooldown_only)
{
	struct jwks_schedule *s = fetched(-1);

	ck_assert(jwks_schedule_unknown(s, "new", T0 + S(5)));
	ck_assert(!jwks_schedule_begin(s, T0 + S(JWKS_COOLDOWN_S) - 1));
	ck_assert(jwks_schedule_begin(s, T0 + S(JWKS_COOLDOWN_S)));
	jwks_schedule_succeeded(s, -1, T0 + S(31));
	ck_assert(jwks_schedule_unknown(s, "newer", T0 + S(100))); /* the cool-down is over */
	ck_assert(jwks_schedule_begin(s, T0 + S(100)));
}
END_TEST

START_TEST(jk6_a_name_asked_for_in_vain_waits_five_minutes)
{
	struct jwks_schedule *s = fetched(-1);

	ck_assert(jwks_schedule_unknown(s, "gone", T0 + S(100)));
	ck_assert(jwks_schedule_begin(s, T0 + S(100)));
	jwks_schedule_succeeded(s, -1, T0 + S(100));
	ck_assert(!jwks_schedule_unknown(s, "gone", T0 + S(200)));
	ck_assert(!jwks_schedule_unknown(s, "gone", T0 + S(399)));
	ck_assert(jwks_schedule_unknown(s, "gone", T0 + S(1000)));
}
END_TEST

/* Strangers send what they like, and the issuer fails as it likes: with keys there are never more
 * than two fetches in any minute. */
START_TEST(jk6_at_most_two_fetches_a_minute_under_a_flood)
{
	struct jwks_schedule *s = fetched(-1);
	int64_t begun[256] = {0};
	unsigned n = 0;
	char kid[32];

	for (int64_t t = T0; t < T0 + S(1800); t += 20000) {
		(void)snprintf(kid, sizeof(kid), "kid-%lld", (long long)t);
		(void)jwks_schedule_unknown(s, kid, t);
		if (!jwks_schedule_begin(s, t))
			continue;
		ck_assert_uint_lt(n, COUNT(begun));
		if (n >= 2)
			ck_assert_int_gt(t - begun[n - 2], S(59));
		begun[n++] = t;
		if (_i == 0)
			jwks_schedule_succeeded(s, -1, t + S(1));
		else
			jwks_schedule_failed(s, (uint64_t)t, t + S(1));
	}
	ck_assert_uint_gt(n, 20);
	ck_assert_uint_le(n, 60);
}
END_TEST

/* JK16: without keys 1, 2, 4 ... 60 s, and up to a quarter more. */
START_TEST(jk16_failures_back_off)
{
	static const int64_t pauses[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct jwks_schedule *s = &schedule;
	int64_t t = T0;

	jwks_schedule_start(s, S(3600), S(300), 42, T0);
	for (size_t i = 0; i < COUNT(pauses); i++) {
		ck_assert(jwks_schedule_begin(s, t));
		jwks_schedule_failed(s, i * UINT64_C(7919977), t);
		ck_assert_int_ge(jwks_schedule_wake(s), t + S(pauses[i]));
		ck_assert_int_le(jwks_schedule_wake(s), t + S(pauses[i]) * 5 / 4);
		ck_assert(!jwks_schedule_unknown(s, "x", t)); /* nobody hurries it */
		t = jwks_schedule_wake(s);
	}
}
END_TEST

START_TEST(jk8_keys_expire_after_refresh_and_stale_window)
{
	struct jwks_schedule *s = fetched(-1);

	ck_assert(jwks_schedule_begin(s, T0 + S(3600)));
	jwks_schedule_failed(s, 0, T0 + S(3605));
	ck_assert(!jwks_schedule_expired(s, T0 + S(3900) - 1));
	ck_assert(jwks_schedule_expired(s, T0 + S(3900)));
	ck_assert(!jwks_schedule_expired(s, T0 + S(3901))); /* said once */
	ck_assert(!s->has_keys);
}
END_TEST

START_TEST(the_schedule_wakes_for_the_end_of_the_window)
{
	struct jwks_schedule *s = fetched(-1);

	for (int64_t t = T0 + S(3600); jwks_schedule_wake(s) < T0 + S(3900);) {
		t = jwks_schedule_wake(s);
		ck_assert(jwks_schedule_begin(s, t));
		jwks_schedule_failed(s, 0, t);
	}
	ck_assert_int_eq(jwks_schedule_wake(s), T0 + S(3900));
}
END_TEST

START_TEST(a_reload_fetches_at_once)
{
	struct jwks_schedule *s = fetched(-1);

	jwks_schedule_now(s, T0 + S(1));
	ck_assert(jwks_schedule_begin(s, T0 + S(1)));
}
END_TEST

/* What is under way was asked for under the old rules, whatever comes of it. */
START_TEST(a_reload_during_a_fetch_fetches_once_more)
{
	struct jwks_schedule *s = fetched(-1);

	ck_assert(jwks_schedule_begin(s, T0 + S(3600)));
	jwks_schedule_now(s, T0 + S(3601));
	ck_assert(!jwks_schedule_begin(s, T0 + S(3602)));
	if (_i == 0)
		jwks_schedule_succeeded(s, -1, T0 + S(3603));
	else
		jwks_schedule_failed(s, 0, T0 + S(3603));
	ck_assert(jwks_schedule_begin(s, T0 + S(3603)));
	jwks_schedule_succeeded(s, -1, T0 + S(3604));
	ck_assert(!jwks_schedule_begin(s, T0 + S(3700))); /* once */
}
END_TEST

Suite *
jwks_schedule_suite(void)
{
	Suite *s = suite_create("jwks_schedule");
	TCase *tc = tcase_create("times");

	tcase_add_test(tc, the_first_fetch_is_due_at_once_and_one_at_a_time);
	tcase_add_loop_test(tc, jk16_max_age_is_clamped, 0, (int)COUNT(ages));
	tcase_add_test(tc, jk6_an_unknown_name_fetches_after_the_cooldown_only);
	tcase_add_test(tc, jk6_a_name_asked_for_in_vain_waits_five_minutes);
	tcase_add_loop_test(tc, jk6_at_most_two_fetches_a_minute_under_a_flood, 0, 2);
	tcase_add_test(tc, jk16_failures_back_off);
	tcase_add_test(tc, jk8_keys_expire_after_refresh_and_stale_window);
	tcase_add_test(tc, the_schedule_wakes_for_the_end_of_the_window);
	tcase_add_test(tc, a_reload_fetches_at_once);
	tcase_add_loop_test(tc, a_reload_during_a_fetch_fetches_once_more, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

#include "shared/base/clock.h"

#include <string.h>
#include <time.h>

#include "tests/unit/unit.h"

static const char *const refused[] = {"", "Z", "2026-11-22", "2026-11-22T02:24Z",
        "2026-11-22T02:24:15.Z", "2026-11-22T02:24:15.1234567890Z", "2026-11-22T02:24:15ZZ",
        "2026-11-22T02:24:15+01:00", "2026-11-22 02:24:15Z", "2026-11-22t02:24:15z",
        "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z", "-026-11-22T02:24:15Z", "2026-11-22T02:24:15,5Z",
        "2026-11-22T02:24:1 Z", " 2026-11-22T02:24:15", "2026-11-22T02:24:15.1a"};

START_TEST(what_is_no_such_time_is_refused)
{
	int64_t us = 42;

	ck_assert_msg(!clock_parse(refused[_i], strlen(refused[_i]), &us), "%s", refused[_i]);
	ck_assert_int_eq(us, 42);
}
END_TEST

static const struct {
	const char *text;
	int64_t us;
	const char *shown; /* if not the text itself */
} times[] = {
        {"1970-01-01T00:00:00.000000Z",    0,                  NULL                         },
        {"1969-12-31T23:59:59.999999Z",    -1,                 NULL                         },
        {"2000-02-29T12:00:00.000001Z",    951825600000001,    NULL                         },
        {"2026-11-22T02:24:15.123456Z",    1795314255123456,   NULL                         },
        {"2038-01-19T03:14:08.000000Z",    2147483648000000,   NULL                         },
        {"0001-01-01T00:00:00.000000Z",    -62135596800000000, NULL                         },
        {"9999-12-31T23:59:59.999999Z",    253402300799999999, NULL                         },
        {"2026-11-22T02:24:15",            1795314255000000,   "2026-11-22T02:24:15.000000Z"},
        {"2026-11-22T02:24:15.5",          1795314255500000,   "2026-11-22T02:24:15.500000Z"},
        {"2026-11-22T02:24:15.123456789Z", 1795314255123456,   "2026-11-22T02:24:15.123456Z"},
};

START_TEST(text_and_time_are_each_others_reverse)
{
	const char *shown = times[_i].shown != NULL ? times[_i].shown : times[_i].text;
	char text[CLOCK_TEXT];
	int64_t us;

	ck_assert(clock_parse(times[_i].text, strlen(times[_i].text), &us));
	ck_assert_int_eq(us, times[_i].us);
	clock_text(us, text);
	ck_assert_str_eq(text, shown);
}
END_TEST

START_TEST(every_day_of_a_cycle_of_leap_years_agrees_with_libc)
{
	char ours[CLOCK_TEXT], theirs[CLOCK_TEXT];

	for (int64_t day = -146097; day < 2 * 146097; day += 13) {
		time_t second = day * 86400 + 3723;
		int64_t back;
		struct tm tm;

		ck_assert_ptr_nonnull(gmtime_r(&second, &tm));
		(void)strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		clock_text(second * 1000000, ours);
		ck_assert_str_eq(ours, theirs);
		ck_assert(clock_parse(ours, strlen(ours), &back));
		ck_assert_int_eq(back, second * 1000000);
	}
}
END_TEST

START_TEST(times_out_of_range_become_the_nearest)
{
	char text[CLOCK_TEXT];

	clock_text(INT64_MAX, text);
	ck_assert_mem_eq(text, "9999-12-31T23:59:59.", 20);
	clock_text(INT64_MIN, text);
	ck_assert_mem_eq(text, "0001-01-01T00:00:00.", 20);
}
END_TEST

START_TEST(the_clocks_run)
{
	int64_t mono = clock_mono_us();

	ck_assert_int_gt(clock_wall_us(), 1767225600000000); /* 2026 */
	ck_assert_int_ge(clock_mono_us(), mono);
}
END_TEST

Suite *
clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clock");

	tcase_add_loop_test(tc, what_is_no_such_time_is_refused, 0, COUNT(refused));
	tcase_add_loop_test(tc, text_and_time_are_each_others_reverse, 0, COUNT(times));
	tcase_add_test(tc, every_day_of_a_cycle_of_leap_years_agrees_with_libc);
	tcase_add_test(tc, times_out_of_range_become_the_nearest);
	tcase_add_test(tc, the_clocks_run);
	suite_add_tcase(s, tc);
	return s;
}

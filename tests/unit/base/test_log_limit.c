#include "shared/base/log_limit.h"

#include <stdio.h>

#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

START_TEST(LM9_ten_lines_a_second_of_each_name)
{
	struct log_limit limit = {0};
	uint64_t suppressed = 42;

	for (int i = 0; i < LOG_PER_SECOND; i++) {
		ck_assert(log_limit_pass(&limit, "a.b", 7 * SECOND + i, &suppressed));
		ck_assert_uint_eq(suppressed, 0);
	}
	for (int i = 0; i < 1000; i++)
		ck_assert(!log_limit_pass(&limit, "a.b", 7 * SECOND + 500000, &suppressed));
	ck_assert(log_limit_pass(&limit, "a.c", 7 * SECOND + 999999, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(the_next_line_tells_how_many_were_left_out)
{
	struct log_limit limit = {0};
	uint64_t suppressed = 42;

	for (int i = 0; i < LOG_PER_SECOND + 33; i++)
		(void)log_limit_pass(&limit, "a", 0, &suppressed);
	ck_assert(log_limit_pass(&limit, "a", SECOND, &suppressed));
	ck_assert_uint_eq(suppressed, 33);
	ck_assert(log_limit_pass(&limit, "a", SECOND, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(a_late_thread_does_not_reopen_a_second)
{
	struct log_limit limit = {0};
	uint64_t suppressed;
	int passed = 0;

	for (int i = 0; i < 1000; i++)
		passed += log_limit_pass(&limit, "a", (5 - i % 2) * (int64_t)SECOND, &suppressed);
	ck_assert_int_eq(passed, LOG_PER_SECOND);
}
END_TEST

START_TEST(names_beyond_the_table_share_one_allowance)
{
	struct log_limit limit = {0};
	uint64_t suppressed;
	char name[32];
	int passed = 0;

	for (int i = 0; i < LOG_KINDS; i++) {
		(void)snprintf(name, sizeof(name), "event.%d", i);
		ck_assert(log_limit_pass(&limit, name, SECOND, &suppressed));
	}
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "more.%d", i);
		passed += log_limit_pass(&limit, name, SECOND, &suppressed);
	}
	ck_assert_int_eq(passed, LOG_PER_SECOND);
	ck_assert(log_limit_pass(&limit, "event.0", SECOND, &suppressed));
}
END_TEST

Suite *
log_limit_suite(void)
{
	Suite *s = suite_create("log_limit");
	TCase *tc = tcase_create("log_limit");

	tcase_add_test(tc, LM9_ten_lines_a_second_of_each_name);
	tcase_add_test(tc, the_next_line_tells_how_many_were_left_out);
	tcase_add_test(tc, a_late_thread_does_not_reopen_a_second);
	tcase_add_test(tc, names_beyond_the_table_share_one_allowance);
	suite_add_tcase(s, tc);
	return s;
}

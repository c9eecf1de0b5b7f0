#include "shared/base/err.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(a_fault_is_told_once_and_wrapped)
{
	struct err e = {0};

	ck_assert(!err_set(&e, ERR_IO, "cannot open %s", "x.toml"));
	ck_assert(!err_while(&e, "loading %d files", 2));
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_str_eq(e.text, "loading 2 files: cannot open x.toml");
	ck_assert_ptr_nonnull(strstr(e.file, "test_err.c"));
	ck_assert_int_gt(e.line, 0);
}
END_TEST

START_TEST(a_long_story_is_cut_and_terminated)
{
	char long_text[400];
	struct err e = {0};

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ck_assert(!err_set(&e, ERR_LIMIT, "%s", long_text));
	ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
	for (int i = 0; i < 50; i++)
		ck_assert(!err_while(&e, "%.*s", i * 8, long_text));
	ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

Suite *
err_suite(void)
{
	Suite *s = suite_create("err");
	TCase *tc = tcase_create("err");

	tcase_add_test(tc, a_fault_is_told_once_and_wrapped);
	tcase_add_test(tc, a_long_story_is_cut_and_terminated);
	suite_add_tcase(s, tc);
	return s;
}

#include "shared/base/suggest.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/unit.h"

static const char *
nearest(const char *asked)
{
	static const char *const names[] = {"dependencies", "depends_on", "retry", "name", "a"};
	struct suggest s = suggest_for(asked);

	for (size_t i = 0; i < COUNT(names); i++)
		suggest_offer(&s, names[i]);
	return s.best;
}

START_TEST(a_slip_finds_its_name)
{
	ck_assert_str_eq(nearest("dependancies"), "dependencies");
	ck_assert_str_eq(nearest("depend_on"), "depends_on");
	ck_assert_str_eq(nearest("retyr"), "retry");
	ck_assert_str_eq(nearest("nam"), "name");
}
END_TEST

START_TEST(another_word_finds_nothing)
{
	ck_assert_ptr_null(nearest("timeout"));
	ck_assert_ptr_null(nearest("b")); /* every letter would have to change */
	ck_assert_ptr_null(nearest(""));
}
END_TEST

START_TEST(a_name_past_the_limit_is_neither_helped_nor_offered)
{
	char name[SUGGEST_MAX + 2];
	struct suggest s;

	memset(name, 'x', sizeof(name));
	name[SUGGEST_MAX] = '\0';
	s = suggest_for(name);
	suggest_offer(&s, name);
	ck_assert_ptr_eq(s.best, name);
	name[SUGGEST_MAX] = 'x';
	name[SUGGEST_MAX + 1] = '\0';
	s = suggest_for(name);
	suggest_offer(&s, name);
	ck_assert_ptr_null(s.best);
}
END_TEST

static const struct {
	const char *a, *b;
	size_t distance;
} pairs[] = {
        {"",     "",     0},
        {"abc",  "abc",  0},
        {"abc",  "abd",  1},
        {"abc",  "ab",   1},
        {"abc",  "xabc", 1},
        {"abcd", "abdc", 2},
        {"abc",  "",     3},
        {"abc",  "zzzz", 4},
};

START_TEST(distance_counts_edits_either_way)
{
	ck_assert_uint_eq(suggest_distance(pairs[_i].a, pairs[_i].b), pairs[_i].distance);
	ck_assert_uint_eq(suggest_distance(pairs[_i].b, pairs[_i].a), pairs[_i].distance);
}
END_TEST

START_TEST(a_name_past_the_limit_is_far_from_everything)
{
	char name[SUGGEST_MAX + 2];

	memset(name, 'a', sizeof(name));
	name[SUGGEST_MAX + 1] = '\0';
	ck_assert_uint_eq(suggest_distance(name, name), SIZE_MAX);
	ck_assert_uint_eq(suggest_distance("a", name), SIZE_MAX);
	name[SUGGEST_MAX] = '\0';
	ck_assert_uint_eq(suggest_distance(name, name), 0);
}
END_TEST

Suite *
suggest_suite(void)
{
	Suite *s = suite_create("suggest");
	TCase *tc = tcase_create("nearest");

	tcase_add_test(tc, a_slip_finds_its_name);
	tcase_add_test(tc, another_word_finds_nothing);
	tcase_add_test(tc, a_name_past_the_limit_is_neither_helped_nor_offered);
	tcase_add_loop_test(tc, distance_counts_edits_either_way, 0, COUNT(pairs));
	tcase_add_test(tc, a_name_past_the_limit_is_far_from_everything);
	suite_add_tcase(s, tc);
	return s;
}

#include "shared/base/utf8.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *bytes;
	size_t step; /* bytes that one replacement character stands for */
} bad[] = {
        {"\x80",             1},
        {"\xbf\x80",         1},
        {"\xc0\x80",         1},
        {"\xc1\xbf",         1},
        {"\xc3",             1},
        {"\xc3(",            1},
        {"\xe0\x80\x80",     1},
        {"\xe0\x9f\xbf",     1},
        {"\xe2\x82",         2},
        {"\xe2(\xa1",        1},
        {"\xed\xa0\x80",     1},
        {"\xed\xbf\xbf",     1},
        {"\xf0\x80\x80\x80", 1},
        {"\xf0\x9f\x98",     3},
        {"\xf0\x9f(\x80",    2},
        {"\xf4\x90\x80\x80", 1},
        {"\xf5\x80\x80\x80", 1},
        {"\xff",             1},
};

START_TEST(what_is_no_utf8_is_bad_and_is_stepped_over)
{
	size_t len = strlen(bad[_i].bytes);
	uint32_t c = 0;

	ck_assert_uint_eq(utf8_next(bad[_i].bytes, len, &c), bad[_i].step);
	ck_assert_uint_eq(c, UTF8_BAD);
	ck_assert(!utf8_valid(bad[_i].bytes, len));
}
END_TEST

START_TEST(every_code_point_comes_back_and_no_surrogate_does)
{
	char bytes[4];
	uint32_t c;
	unsigned wrong = 0;

	for (uint32_t i = 0; i < 0x110000; i++) {
		size_t len = utf8_put(i, bytes), step = utf8_next(bytes, len, &c);

		if (i >= 0xd800 && i <= 0xdfff)
			wrong += c != UTF8_BAD;
		else
			wrong += c != i || step != len;
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(text_is_valid_as_a_whole)
{
	ck_assert(utf8_valid("", 0));
	ck_assert(utf8_valid("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 11));
	ck_assert(!utf8_valid("gr\xc3\xbc\xc3", 5));
}
END_TEST

Suite *
utf8_suite(void)
{
	Suite *s = suite_create("utf8");
	TCase *tc = tcase_create("utf8");

	tcase_add_loop_test(tc, what_is_no_utf8_is_bad_and_is_stepped_over, 0, COUNT(bad));
	tcase_add_test(tc, every_code_point_comes_back_and_no_surrogate_does);
	tcase_add_test(tc, text_is_valid_as_a_whole);
	suite_add_tcase(s, tc);
	return s;
}

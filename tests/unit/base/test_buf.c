#include "shared/base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Is the content exactly that? */
static bool
holds(const struct buf *b, const char *text)
{
	return buf_ok(b) && b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

START_TEST(what_does_not_fit_fails_and_stays_failed)
{
	AUTO(buf) struct buf b = BUF(8);

	buf_text(&b, "12345678");
	ck_assert(holds(&b, "12345678"));
	buf_char(&b, '9');
	ck_assert(!buf_ok(&b));
	buf_drop(&b, 8);
	buf_text(&b, "x");
	ck_assert(!buf_ok(&b));
	ck_assert_uint_eq(b.len, 0);
	ck_assert_ptr_null(buf_room(&b, 1));
	buf_clear(&b);
	buf_text(&b, "again");
	ck_assert(holds(&b, "again"));
}
END_TEST

START_TEST(nothing_fits_into_a_buffer_without_a_ceiling)
{
	AUTO(buf) struct buf b = {0};

	buf_add(&b, "", 0);
	ck_assert(buf_ok(&b));
	buf_char(&b, 'x');
	ck_assert(!buf_ok(&b));
}
END_TEST

START_TEST(a_length_near_the_end_of_size_t_is_refused)
{
	AUTO(buf) struct buf b = BUF(SIZE_MAX);

	buf_text(&b, "x");
	ck_assert_ptr_null(buf_room(&b, SIZE_MAX));
	ck_assert(!buf_ok(&b));
}
END_TEST

START_TEST(every_kind_of_content_is_appended)
{
	AUTO(buf) struct buf b = BUF(KIB(4));

	buf_text(&b, "a");
	buf_char(&b, 'b');
	buf_add(&b, "c\0d", 3);
	buf_int(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_int(&b, INT64_MAX);
	buf_int(&b, 0);
	buf_format(&b, "[%s %d]", "x", 7);
	ck_assert(buf_ok(&b));
	ck_assert_mem_eq(b.data, "abc\0d-9223372036854775808 92233720368547758070[x 7]", b.len);
	ck_assert_uint_eq(
	        b.len, sizeof("abc\0d-9223372036854775808 92233720368547758070[x 7]") - 1);
}
END_TEST

START_TEST(it_grows_to_its_ceiling_and_no_further)
{
	AUTO(buf) struct buf b = BUF(3000);

	for (int i = 0; i < 3000; i++)
		buf_char(&b, (char)i);
	ck_assert(buf_ok(&b));
	ck_assert_uint_eq(b.cap, 3000);
	for (int i = 0; i < 3000; i++)
		ck_assert_int_eq(b.data[i], (char)i);
	buf_char(&b, 'x');
	ck_assert(!buf_ok(&b));
}
END_TEST

START_TEST(dropping_keeps_the_rest)
{
	AUTO(buf) struct buf b = BUF(100);

	buf_text(&b, "headbody");
	buf_drop(&b, 4);
	ck_assert(holds(&b, "body"));
	buf_drop(&b, 99);
	ck_assert_uint_eq(b.len, 0);
	buf_drop(&b, 0);
	ck_assert(buf_ok(&b));
}
END_TEST

START_TEST(text_is_taken_whole_or_not_at_all)
{
	struct buf b = BUF(4);
	char *text;

	text = buf_take_text(&b);
	ck_assert_str_eq(text, "");
	free(text);
	buf_text(&b, "four");
	text = buf_take_text(&b);
	ck_assert_str_eq(text, "four");
	free(text);
	ck_assert_ptr_null(b.data);
	buf_text(&b, "fives");
	ck_assert_ptr_null(buf_take_text(&b));
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(a_ceiling_and_a_lack_of_memory_are_told_apart)
{
	struct buf b = BUF(4);

	buf_text(&b, "fives");
	ck_assert(!buf_ok(&b) && !b.starved);
	buf_clear(&b);
	fault_allocation(1);
	buf_text(&b, "four");
	fault_allocation(0);
	ck_assert(!buf_ok(&b) && b.starved);
	buf_clear(&b);
	buf_text(&b, "four");
	ck_assert(buf_ok(&b) && !b.starved);
	buf_free(&b);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	for (unsigned nth = 1; nth <= 3; nth++) {
		struct buf b = BUF(KIB(2));
		char *text;

		fault_allocation(nth);
		for (int i = 0; i < 1024; i++) /* two allocations, */
			buf_char(&b, 'x');
		text = buf_take_text(&b); /* and one more for the NUL */
		fault_allocation(0);
		ck_assert_ptr_null(text);
		ck_assert_ptr_null(b.data);
	}
}
END_TEST

Suite *
buf_suite(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");

	tcase_add_test(tc, what_does_not_fit_fails_and_stays_failed);
	tcase_add_test(tc, nothing_fits_into_a_buffer_without_a_ceiling);
	tcase_add_test(tc, a_length_near_the_end_of_size_t_is_refused);
	tcase_add_test(tc, every_kind_of_content_is_appended);
	tcase_add_test(tc, it_grows_to_its_ceiling_and_no_further);
	tcase_add_test(tc, dropping_keeps_the_rest);
	tcase_add_test(tc, text_is_taken_whole_or_not_at_all);
	tcase_add_test(tc, a_ceiling_and_a_lack_of_memory_are_told_apart);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

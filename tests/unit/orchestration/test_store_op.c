/* The memory of one operation: zeroed, terminated, bounded, and gone with it. */
#include "orchestration/store/store_op.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(text_is_copied_and_terminated)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);
	const char *text = store_op_text(op, "abcdef", 3);
	const unsigned char *zeros = store_op_alloc(op, 3, 5);

	ck_assert_str_eq(text, "abc");
	for (size_t i = 0; i < 15; i++)
		ck_assert_uint_eq(zeros[i], 0);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);

	ck_assert_ptr_null(store_op_alloc(op, SIZE_MAX / 2, 3));
	ck_assert_ptr_null(store_op_alloc(op, 1, SIZE_MAX));
}
END_TEST

START_TEST(memory_is_bounded)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_STEP_LIST);
	size_t taken = 0;

	while (store_op_alloc(op, 1, MIB(1)) != NULL)
		taken += MIB(1);
	ck_assert_uint_ge(taken, STORE_OP_BYTES_MAX - MIB(2));
	ck_assert_uint_le(taken, STORE_OP_BYTES_MAX);
	ck_assert_ptr_nonnull(store_op_alloc(op, 1, 16)); /* the small rest is still to be had */
}
END_TEST

Suite *
store_op_suite(void)
{
	Suite *s = suite_create("store op");
	TCase *tc = tcase_create("memory");

	tcase_add_test(tc, text_is_copied_and_terminated);
	tcase_add_test(tc, sizes_that_overflow_are_refused);
	tcase_add_test(tc, memory_is_bounded);
	suite_add_tcase(s, tc);
	return s;
}

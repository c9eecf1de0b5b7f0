/* The small parts below a connection: pools, input blocks, deadlines. */
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/http/deadline.h"
#include "shared/http/input.h"
#include "tests/unit/unit.h"

START_TEST(a_pool_keeps_no_more_than_it_may)
{
	struct pool p = POOL(64, 2);
	void *items[4];

	for (size_t i = 0; i < COUNT(items); i++) {
		items[i] = pool_take(&p);
		ck_assert_ptr_nonnull(items[i]);
		memset(items[i], 1, 64);
	}
	for (size_t i = 0; i < COUNT(items); i++)
		pool_give(&p, items[i]);
	pool_give(&p, NULL);
	ck_assert_uint_le(p.kept, 2);
	pool_clear(&p);
	ck_assert_uint_eq(p.kept, 0);
	fault_allocation(1);
	ck_assert_ptr_null(pool_take(&p));
	fault_allocation(0);
}
END_TEST

START_TEST(input_grows_to_its_ceiling_and_no_further_LM7)
{
	struct pool blocks = POOL(INPUT_BLOCK, 4);
	struct input in = {0};
	char *room, *text = calloc(1, KIB(32));
	size_t len;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < KIB(32); i++)
		text[i] = (char)('a' + i % 26);
	ck_assert(!input_full(&in, KIB(32)));
	ck_assert(input_add(&in, &blocks, KIB(32), text, KIB(32)));
	ck_assert_uint_eq(in.cap, KIB(32));
	ck_assert_mem_eq(input_text(&in), text, KIB(32));
	ck_assert(input_full(&in, KIB(32)));
	ck_assert_int_eq(input_room(&in, &blocks, KIB(32), &room, &len), INPUT_FULL);
	ck_assert(!input_add(&in, &blocks, KIB(32), text, 1));
	/* What was used makes room again, and the rest moves to the front. */
	input_used(&in, KIB(31));
	ck_assert_int_eq(input_room(&in, &blocks, KIB(32), &room, &len), INPUT_ROOM);
	ck_assert_uint_eq(len, KIB(31));
	ck_assert_mem_eq(input_text(&in), text + KIB(31), KIB(1));
	input_release(&in, &blocks);
	ck_assert_uint_eq(in.cap + in.len, 0);
	pool_clear(&blocks);
	free(text);
}
END_TEST

START_TEST(input_survives_every_failing_allocation)
{
	struct pool blocks = POOL(INPUT_BLOCK, 4);
	char text[KIB(16)] = {0};

	for (unsigned nth = 1; nth <= 3; nth++) {
		struct input in = {0};

		fault_allocation(nth);
		ck_assert(!input_add(&in, &blocks, KIB(16), text, sizeof(text)));
		fault_allocation(0);
		input_release(&in, &blocks);
		pool_clear(&blocks);
	}
}
END_TEST

START_TEST(the_earliest_deadline_of_all_kinds_is_found_LM2)
{
	struct deadlines all;
	struct deadline d[4] = {0};

	deadlines_init(&all);
	ck_assert_int_eq(deadlines_next_us(&all), INT64_MAX);
	for (size_t i = 0; i < COUNT(d); i++)
		deadline_add(&all, &d[i]);
	ck_assert_int_eq(deadlines_next_us(&all), INT64_MAX);
	ck_assert_ptr_null(deadlines_due(&all, INT64_MAX - 1));
	deadline_set(&all, &d[0], DEADLINE_IDLE, 60);
	deadline_set(&all, &d[1], DEADLINE_HEAD, 10);
	deadline_set(&all, &d[2], DEADLINE_HEAD, 12);
	ck_assert_int_eq(deadlines_next_us(&all), 10);
	ck_assert_ptr_null(deadlines_due(&all, 9));
	ck_assert_ptr_eq(deadlines_due(&all, 10), &d[1]);
	/* A second request moves behind the others of its kind; setting the same again does not. */
	deadline_set(&all, &d[2], DEADLINE_HEAD, 12);
	deadline_set(&all, &d[1], DEADLINE_HEAD, 20);
	ck_assert_ptr_eq(deadlines_first(&all, DEADLINE_HEAD), &d[2]);
	ck_assert_int_eq(deadlines_next_us(&all), 12);
	deadline_remove(&d[2]);
	ck_assert_int_eq(deadlines_next_us(&all), 20);
	deadline_set(&all, &d[1], DEADLINE_NONE, INT64_MAX);
	ck_assert_int_eq(deadlines_next_us(&all), 60);
	ck_assert_ptr_eq(deadlines_first(&all, DEADLINE_NONE), &d[3]);
	ck_assert_ptr_null(deadlines_first(&all, DEADLINE_LINGER));
}
END_TEST

Suite *
parts_suite(void)
{
	Suite *s = suite_create("parts");
	TCase *tc = tcase_create("memory and time");

	tcase_add_test(tc, a_pool_keeps_no_more_than_it_may);
	tcase_add_test(tc, input_grows_to_its_ceiling_and_no_further_LM7);
	tcase_add_test(tc, input_survives_every_failing_allocation);
	tcase_add_test(tc, the_earliest_deadline_of_all_kinds_is_found_LM2);
	suite_add_tcase(s, tc);
	return s;
}

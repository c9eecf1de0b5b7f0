#include "shared/base/uuid.h"

#include <string.h>

#include "shared/base/rand.h"
#include "tests/unit/unit.h"

static const char *const refused[] = {"", "0192f0c1-2345-7abc-8def-0123456789a",
        "0192f0c1-2345-7abc-8def-0123456789abc", "0192f0c12345-7abc-8def-0123456789abcd",
        "0192f0c1-2345-7abc-8def-0123456789ag", "{192f0c1-2345-7abc-8def-0123456789ab",
        "0192f0c1-2345-7abc-8def_0123456789ab", "0192f0c1-2345-7abc-8def-0123456789 b",
        "-192f0c1-2345-7abc-8def-0123456789ab"};

START_TEST(anything_but_the_canonical_form_is_refused)
{
	struct uuid id;

	memset(&id, 0x5a, sizeof(id));
	ck_assert(!uuid_parse(refused[_i], strlen(refused[_i]), &id));
	for (size_t i = 0; i < sizeof(id.bytes); i++)
		ck_assert_uint_eq(id.bytes[i], 0x5a);
}
END_TEST

START_TEST(either_case_is_read_and_lower_case_is_written)
{
	char text[UUID_TEXT];
	struct uuid id;

	ck_assert(uuid_parse("0192F0c1-2345-7aBC-8DEF-0123456789aB", UUID_TEXT - 1, &id));
	uuid_text(&id, text);
	ck_assert_str_eq(text, "0192f0c1-2345-7abc-8def-0123456789ab");
}
END_TEST

START_TEST(ids_of_one_source_rise_whatever_the_clock_does)
{
	struct uuid_source source = {0};
	struct uuid before = {0};

	for (int64_t i = 0; i < 20000; i++) {
		/* stands still, goes on, and jumps back by an hour */
		int64_t now = 1795314255000000 + i / 9000 * 1000 - (i > 15000 ? 3600000000 : 0);
		struct uuid id = uuid_v7(&source, now);

		ck_assert_int_gt(memcmp(id.bytes, before.bytes, sizeof(id.bytes)), 0);
		ck_assert_uint_eq(id.bytes[6] >> 4, 7);
		ck_assert_uint_eq(id.bytes[8] >> 6, 2);
		before = id;
	}
}
END_TEST

START_TEST(the_time_stands_in_the_first_48_bits)
{
	struct uuid_source source = {0};
	struct uuid id = uuid_v7(&source, 0x0192f0c12345 * 1000 + 999);
	char text[UUID_TEXT];

	uuid_text(&id, text);
	ck_assert_mem_eq(text, "0192f0c1-2345-7", 15);
}
END_TEST

START_TEST(random_ones_differ_in_every_part_but_the_version)
{
	unsigned char seen[16] = {0}, always[16];
	struct uuid id;

	memset(always, 0xff, sizeof(always));
	for (int i = 0; i < 64; i++) {
		id = uuid_v4();
		for (size_t k = 0; k < sizeof(seen); k++) {
			seen[k] |= id.bytes[k];
			always[k] &= id.bytes[k];
		}
		ck_assert_uint_eq(id.bytes[6] >> 4, 4);
		ck_assert_uint_eq(id.bytes[8] >> 6, 2);
	}
	for (size_t k = 0; k < sizeof(seen); k++) {
		ck_assert_uint_eq(seen[k], k == 6 ? 0x4f : k == 8 ? 0xbf : 0xff);
		ck_assert_uint_eq(always[k], k == 6 ? 0x40 : k == 8 ? 0x80 : 0);
	}
	ck_assert_uint_ne(rand_u64(), rand_u64());
}
END_TEST

Suite *
uuid_suite(void)
{
	Suite *s = suite_create("uuid");
	TCase *tc = tcase_create("uuid");

	tcase_add_loop_test(tc, anything_but_the_canonical_form_is_refused, 0, COUNT(refused));
	tcase_add_test(tc, either_case_is_read_and_lower_case_is_written);
	tcase_add_test(tc, ids_of_one_source_rise_whatever_the_clock_does);
	tcase_add_test(tc, the_time_stands_in_the_first_48_bits);
	tcase_add_test(tc, random_ones_differ_in_every_part_but_the_version);
	suite_add_tcase(s, tc);
	return s;
}

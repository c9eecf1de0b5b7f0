#include "shared/base/secret.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(equal_means_every_byte)
{
	unsigned char a[64] = {0}, b[64] = {0};

	ck_assert(secret_equal(a, b, sizeof(a)));
	ck_assert(secret_equal(NULL, NULL, 0));
	for (size_t i = 0; i < sizeof(a) * 8; i++) {
		b[i / 8] ^= (unsigned char)(1U << i % 8);
		ck_assert(!secret_equal(a, b, sizeof(a)));
		b[i / 8] = 0;
	}
}
END_TEST

START_TEST(it_is_a_copy)
{
	char source[] = "key";
	struct secret *s = NULL;
	struct err e = {0};

	ck_assert(secret_new(source, 3, &s, &e));
	source[0] = 'x';
	ck_assert_uint_eq(secret_len(s), 3);
	ck_assert(secret_equal(secret_bytes(s), "key", 3));
	secret_free(s);
	secret_free(NULL);
	ck_assert(secret_new(NULL, 0, &s, &e));
	ck_assert_uint_eq(secret_len(s), 0);
	secret_free(s);
}
END_TEST

START_TEST(wiping_leaves_zeros)
{
	char bytes[16];

	memset(bytes, 'k', sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		ck_assert_int_eq(bytes[i], 0);
}
END_TEST

START_TEST(too_long_or_without_memory_touches_nothing)
{
	static const unsigned char bytes[SECRET_MAX + 1];
	struct secret *s = NULL;
	struct err e = {0};

	ck_assert(!secret_new(bytes, sizeof(bytes), &s, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	fault_allocation(1);
	ck_assert(!secret_new(bytes, SECRET_MAX, &s, &e));
	ck_assert_int_eq(e.code, ERR_NOMEM);
	ck_assert_ptr_null(s);
}
END_TEST

Suite *
secret_suite(void)
{
	Suite *s = suite_create("secret");
	TCase *tc = tcase_create("secret");

	tcase_add_test(tc, equal_means_every_byte);
	tcase_add_test(tc, it_is_a_copy);
	tcase_add_test(tc, wiping_leaves_zeros);
	tcase_add_test(tc, too_long_or_without_memory_touches_nothing);
	suite_add_tcase(s, tc);
	return s;
}

#include "shared/security/secret_token.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(a_token_has_its_form_and_is_never_the_same)
{
	char one[SECRET_TOKEN_SIZE], other[SECRET_TOKEN_SIZE];

	for (int i = 0; i < 1000; i++) {
		secret_token_make(SECRET_TOKEN_API_KEY, one);
		secret_token_make(SECRET_TOKEN_SESSION, other);
		ck_assert_uint_eq(strlen(one), SECRET_TOKEN_LEN);
		ck_assert_mem_eq(one, "tk_", 3);
		ck_assert_mem_eq(other, "ts_", 3);
		ck_assert_str_ne(one + 3, other + 3);
		ck_assert(secret_token_looks_like(SECRET_TOKEN_API_KEY, one, strlen(one)));
		ck_assert(secret_token_looks_like(SECRET_TOKEN_SESSION, other, strlen(other)));
		ck_assert(!secret_token_looks_like(SECRET_TOKEN_SESSION, one, strlen(one)));
		ck_assert(!secret_token_looks_like(SECRET_TOKEN_API_KEY, other, strlen(other)));
	}
}
END_TEST

static const char *const others[] = {"", "ts_", "ts_AAAA",
        "ts_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* 42 */
        "ts_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 44 */
        "ts_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",  /* unused bits not zero */
        "ts_AAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAA",  /* a dot */
        "ts_AAAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAAAA",
        "TS_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "ts-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

START_TEST(nothing_else_looks_like_one)
{
	ck_assert(!secret_token_looks_like(SECRET_TOKEN_SESSION, others[_i], strlen(others[_i])));
}
END_TEST

Suite *
secret_token_suite(void)
{
	Suite *s = suite_create("secret_token");
	TCase *tc = tcase_create("form");

	tcase_add_test(tc, a_token_has_its_form_and_is_never_the_same);
	tcase_add_loop_test(tc, nothing_else_looks_like_one, 0, COUNT(others));
	suite_add_tcase(s, tc);
	return s;
}

/* CR2 and CR5: what is a bearer, and that nothing else is taken for one. */
#include "shared/security/bearer.h"

#include <string.h>

#include "tests/unit/unit.h"

static bool
is_bearer(const char *value, size_t value_len, const char **token, size_t *len)
{
	return bearer_parse(value, value_len, token, len) && bearer_is_token68(*token, *len);
}

static const char *const bearers[] = {"Bearer a", "bearer a", "BEARER a", "bEaReR a"};

START_TEST(cr2_the_scheme_is_read_in_any_case)
{
	const char *token = NULL;
	size_t len = 0;

	ck_assert(is_bearer(bearers[_i], strlen(bearers[_i]), &token, &len));
	ck_assert_uint_eq(len, 1);
	ck_assert_ptr_eq(token, bearers[_i] + 7);
}
END_TEST

static const char *const refused[] = {"", "Bearer", "Bearer ", "Bearer  a", "Bearer\ta",
        " Bearer a", "Bearer a ", "Bearer a b", "Bearer a,b", "Bearer a=b",
        "Bearer =", "Bearer ==", "Bearera", "Bearer:a", "Bearer \"a\"", "Basic dXNlcjpwYXNz",
        "Digest username=\"a\"", "Token a", "Negotiate a", "Bear a", "Bearer a\x7f",
        "Bearer \xc3\xa4", "Bearer a;b", "Bearer a%20", "Bearer a\nb", "a.b.c"};

START_TEST(cr2_cr5_anything_else_is_no_bearer)
{
	const char *token = NULL;
	size_t len = 0;

	ck_assert(!is_bearer(refused[_i], strlen(refused[_i]), &token, &len));
}
END_TEST

START_TEST(cr5_without_the_scheme_nothing_is_told)
{
	static const char *const others[] = {"", "Bearer", "Bearer ", "Basic abc", "Bearera"};

	for (size_t i = 0; i < COUNT(others); i++) {
		const char *token = "untouched";
		size_t len = 7;

		ck_assert(!bearer_parse(others[i], strlen(others[i]), &token, &len));
		ck_assert_str_eq(token, "untouched");
		ck_assert_uint_eq(len, 7);
	}
}
END_TEST

START_TEST(cr2_exactly_the_characters_of_token68)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789-._~+/";

	for (unsigned c = 0; c < 256; c++) {
		char value[] = "Bearer aXa";
		const char *token = NULL;
		size_t len = 0;

		value[8] = (char)c;
		ck_assert_int_eq(is_bearer(value, 10, &token, &len),
		        c != 0 && strchr(allowed, (int)c) != NULL);
	}
}
END_TEST

START_TEST(cr2_padding_stands_only_at_the_end)
{
	const char *token = NULL;
	size_t len = 0;

	ck_assert(is_bearer("Bearer ab==", 11, &token, &len));
	ck_assert_uint_eq(len, 4);
	ck_assert(!is_bearer("Bearer a=b=", 11, &token, &len));
}
END_TEST

Suite *
bearer_suite(void)
{
	Suite *s = suite_create("bearer");
	TCase *tc = tcase_create("grammar");

	tcase_add_loop_test(tc, cr2_the_scheme_is_read_in_any_case, 0, COUNT(bearers));
	tcase_add_loop_test(tc, cr2_cr5_anything_else_is_no_bearer, 0, COUNT(refused));
	tcase_add_test(tc, cr5_without_the_scheme_nothing_is_told);
	tcase_add_test(tc, cr2_exactly_the_characters_of_token68);
	tcase_add_test(tc, cr2_padding_stands_only_at_the_end);
	suite_add_tcase(s, tc);
	return s;
}

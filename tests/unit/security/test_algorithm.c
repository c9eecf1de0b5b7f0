/* JT1, JT2, JT4: names are exact, and a key gets one algorithm or none. */
#include "shared/security/algorithm.h"

#include <string.h>

#include "shared/security/curve.h"
#include "tests/unit/unit.h"

static const char *const foreign[] = {"", "none", "None", "nOnE", "NONE", "HS256", "HS384", "HS512",
        "hs256", "rs256", "Rs256", "RS256 ", " RS256", "RS25", "RS2566", "ES256K", "ES521", "EDDSA",
        "eddsa", "Ed25519", "RSA1_5", "RS1", "A256GCM", "dir"};

START_TEST(jt1_jt2_a_foreign_name_is_no_algorithm)
{
	struct algorithm_set set = {.bits = 2};
	struct err e = {0};

	ck_assert_int_eq(algorithm_named(foreign[_i], strlen(foreign[_i])), ALGORITHM_NONE);
	ck_assert(!algorithm_set_add(&set, foreign[_i], &e));
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_uint_eq(set.bits, 2);
}
END_TEST

START_TEST(jt1_each_row_answers_to_its_own_name)
{
	for (unsigned a = ALGORITHM_NONE + 1; a < ALGORITHM__COUNT; a++) {
		const char *name = algorithm_name((enum algorithm)a);
		struct algorithm_set set = {0};
		struct err e = {0};

		ck_assert_uint_eq(algorithm_named(name, strlen(name)), a);
		ck_assert(algorithm_set_add(&set, name, &e));
		for (unsigned b = ALGORITHM_NONE; b < ALGORITHM__COUNT; b++)
			ck_assert_int_eq(algorithm_set_has(set, (enum algorithm)b), a == b);
	}
}
END_TEST

START_TEST(all_is_every_row_and_nothing_more)
{
	struct algorithm_set all = algorithm_set_all();

	for (unsigned a = ALGORITHM_NONE + 1; a < ALGORITHM__COUNT; a++)
		ck_assert(algorithm_set_has(all, (enum algorithm)a));
	ck_assert_uint_eq(all.bits >> ALGORITHM__COUNT, 0);
	ck_assert_uint_eq(all.bits & 1, 0);
}
END_TEST

static struct algorithm_set
listed(const char *names)
{
	struct algorithm_set set = {0};
	struct err e = {0};
	char name[16];

	while (*names != '\0') {
		size_t len = strcspn(names, " ");

		memcpy(name, names, len);
		name[len] = '\0';
		ck_assert(algorithm_set_add(&set, name, &e));
		names += len + (names[len] == ' ');
	}
	return set;
}

static const struct binding {
	const char *allowed;
	enum key_type type;
	enum algorithm declared, bound; /* bound NONE: refused */
} bindings[] = {
        {"RS256",             KEY_RSA,     ALGORITHM_NONE,  ALGORITHM_RS256},
        {"RS256 ES256 EdDSA", KEY_RSA,     ALGORITHM_NONE,  ALGORITHM_RS256},
        {"RS256 ES256 EdDSA", KEY_P256,    ALGORITHM_NONE,  ALGORITHM_ES256},
        {"RS256 ES256 EdDSA", KEY_ED25519, ALGORITHM_NONE,  ALGORITHM_EDDSA},
        {"PS512",             KEY_RSA,     ALGORITHM_NONE,  ALGORITHM_PS512},
        {"RS256 PS256",       KEY_RSA,     ALGORITHM_PS256, ALGORITHM_PS256},
        {"RS256 PS256",       KEY_RSA,     ALGORITHM_NONE,  ALGORITHM_NONE }, /* two fit */
        {"RS256",             KEY_RSA,     ALGORITHM_PS256, ALGORITHM_NONE }, /* not allowed */
        {"RS256",             KEY_P256,    ALGORITHM_NONE,  ALGORITHM_NONE },
        {"ES256",             KEY_P384,    ALGORITHM_NONE,  ALGORITHM_NONE }, /* JT4: the curve decides */
        {"ES256 ES384",       KEY_P256,    ALGORITHM_ES384, ALGORITHM_NONE },
        {"RS256 ES256",       KEY_P256,    ALGORITHM_RS256, ALGORITHM_NONE },
        {"",                  KEY_RSA,     ALGORITHM_NONE,  ALGORITHM_NONE },
        {"RS256",             KEY_NONE,    ALGORITHM_NONE,  ALGORITHM_NONE },
};

START_TEST(jt4_list_and_key_type_leave_one_algorithm_or_none)
{
	const struct binding *b = &bindings[_i];
	enum algorithm out = ALGORITHM__COUNT;
	struct err e = {0};
	bool bound = algorithm_bind(listed(b->allowed), b->type, b->declared, &out, &e);

	ck_assert_int_eq(bound, b->bound != ALGORITHM_NONE);
	ck_assert_int_eq(out, bound ? b->bound : ALGORITHM__COUNT);
	if (!bound)
		ck_assert_int_eq(e.code, ERR_CRYPTO);
}
END_TEST

/* JT20: r and s lie in 1..n-1. */
START_TEST(jt20_a_scalar_is_between_one_and_the_order)
{
	static const enum key_type types[] = {KEY_P256, KEY_P384, KEY_P521};
	const struct curve *c = curve_of(types[_i]);
	unsigned char number[CURVE_SIZE_MAX] = {0};

	ck_assert(!curve_scalar_in_range(c, number));
	number[c->size - 1] = 1;
	ck_assert(curve_scalar_in_range(c, number));
	memcpy(number, c->order, c->size);
	ck_assert(!curve_scalar_in_range(c, number));
	number[c->size - 1]--; /* every order is odd */
	ck_assert(curve_scalar_in_range(c, number));
	memset(number, 0xff, c->size);
	ck_assert(!curve_scalar_in_range(c, number));
}
END_TEST

Suite *
algorithm_suite(void)
{
	Suite *s = suite_create("algorithm");
	TCase *tc = tcase_create("binding");

	tcase_add_loop_test(tc, jt1_jt2_a_foreign_name_is_no_algorithm, 0, COUNT(foreign));
	tcase_add_test(tc, jt1_each_row_answers_to_its_own_name);
	tcase_add_test(tc, all_is_every_row_and_nothing_more);
	tcase_add_loop_test(
	        tc, jt4_list_and_key_type_leave_one_algorithm_or_none, 0, COUNT(bindings));
	tcase_add_loop_test(tc, jt20_a_scalar_is_between_one_and_the_order, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}

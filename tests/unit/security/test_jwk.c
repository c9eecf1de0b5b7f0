/* JK12, JK13, JK14: which sets and keys come in, and which key a token gets. */
#include "shared/security/jwk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static bool
import(const char *text, struct key_set **out, struct security_report *report, struct err *e)
{
	return jwk_set_import(text, strlen(text), algorithm_set_all(), out, report, e);
}

/* The set is refused as a whole, and nothing comes out. */
static void
assert_set_refused(char *text, enum err_code code)
{
	struct key_set *set = NULL;
	struct err e = {0};

	ck_assert(!import(text, &set, NULL, &e));
	ck_assert_ptr_null(set);
	ck_assert_msg(e.code == code, "%d: %s", (int)e.code, e.text);
	free(text);
}

static const struct type {
	enum token_key key;
	const char *extra;
	enum algorithm algorithm;
} types[] = {
        {TOKEN_KEY_RSA,     "\"alg\":\"PS384\"",                                ALGORITHM_PS384},
        {TOKEN_KEY_P256,    "\"use\":\"sig\"",                                  ALGORITHM_ES256},
        {TOKEN_KEY_P384,    "\"key_ops\":[\"verify\"]",                         ALGORITHM_ES384},
        {TOKEN_KEY_P521,    "",                                                 ALGORITHM_ES512},
        {TOKEN_KEY_ED25519, "\"alg\":\"EdDSA\",\"x5c\":[],\"other\":{\"a\":1}", ALGORITHM_EDDSA}
};

START_TEST(each_type_of_key_comes_in)
{
	const struct type *t = &types[_i];
	char *text = kit_jwks(token_key_jwk(t->key, t->extra), NULL);
	AUTO(key_set) struct key_set *set = NULL;
	struct err e = {0};

	ck_assert_msg(import(text, &set, NULL, &e), "%s", e.text);
	ck_assert_uint_eq(key_set_count(set), 1);
	ck_assert_int_eq(key_algorithm(key_set_at(set, 0)), t->algorithm);
	free(text);
}
END_TEST

START_TEST(a_jwk_and_a_pem_of_one_key_are_the_same_key)
{
	char *text = kit_jwks(token_key_jwk(TOKEN_KEY_P256, ""), NULL);
	AUTO(key_set) struct key_set *jwk = NULL;
	AUTO(key_set) struct key_set *pem = kit_keys(TOKEN_KEY_P256, "ES256");
	AUTO(key_set) struct key_set *foreign = kit_keys(TOKEN_KEY_P384, "ES384");
	struct err e = {0};

	ck_assert(import(text, &jwk, NULL, &e));
	ck_assert(key_set_overlaps(jwk, pem));
	ck_assert(!key_set_overlaps(jwk, foreign));
	free(text);
}
END_TEST

/* JK12: members only a private or a symmetric key has, whichever key of the set has them. */
static const char *const private_members[] = {"\"d\":\"AQ\"", "\"p\":\"AQ\"", "\"q\":\"AQ\"",
        "\"dp\":\"AQ\"", "\"dq\":\"AQ\"", "\"qi\":\"AQ\"", "\"oth\":[]", "\"k\":\"AQ\"",
        "\"d\":null"};

START_TEST(jk12_a_private_member_refuses_the_set)
{
	assert_set_refused(kit_jwks(token_key_jwk(TOKEN_KEY_RSA, "\"alg\":\"RS256\""),
	                           token_key_jwk(TOKEN_KEY_P256, private_members[_i]), NULL),
	        ERR_CRYPTO);
}
END_TEST

START_TEST(jk12_a_symmetric_key_beside_a_public_one_refuses_the_set)
{
	assert_set_refused(kit_jwks(token_key_jwk(TOKEN_KEY_P256, ""),
	                           strdup("{\"kty\":\"oct\",\"alg\":\"HS256\"}"), NULL),
	        ERR_CRYPTO);
}
END_TEST

/* JK12: also when the second key of that name would have been skipped, or is spelled by escapes. */
static const char *const namesakes[] = {
        "\"kid\":\"a\"", "\"kid\":\"a\",\"use\":\"enc\"", "\"kid\":\"\\u0061\""};

START_TEST(jk12_one_kid_twice_refuses_the_set)
{
	assert_set_refused(kit_jwks(token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\""),
	                           token_key_jwk(TOKEN_KEY_P384, namesakes[_i]), NULL),
	        ERR_CRYPTO);
}
END_TEST

/* JK13: the key is left out with a reason, the other one stays. */
static const struct skipped {
	enum token_key key;
	const char *extra;
	const char *says;
} skipped[] = {
        {TOKEN_KEY_P384, "\"use\":\"enc\"",                   "use"             },
        {TOKEN_KEY_P384, "\"use\":null",                      "use"             },
        {TOKEN_KEY_P384, "\"use\":[\"sig\"]",                 "use"             },
        {TOKEN_KEY_P384, "\"key_ops\":[\"sign\"]",            "key_ops"         },
        {TOKEN_KEY_P384, "\"key_ops\":[\"sign, verify\"]",    "key_ops"         },
        {TOKEN_KEY_P384, "\"key_ops\":\"verify\"",            "key_ops"         },
        {TOKEN_KEY_P384, "\"key_ops\":[\"verify\",1]",        "key_ops"         },
        {TOKEN_KEY_P384, "\"key_ops\":[]",                    "key_ops"         },
        {TOKEN_KEY_P384, "\"alg\":\"ES256\"",                 "algorithm"       }, /* JT4 */
        {TOKEN_KEY_P384, "\"alg\":\"ES512\"",                 "algorithm"       },
        {TOKEN_KEY_P384, "\"alg\":\"RS256\"",                 "algorithm"       },
        {TOKEN_KEY_P384, "\"alg\":\"HS256\"",                 "alg"             },
        {TOKEN_KEY_P384, "\"alg\":\"none\"",                  "alg"             },
        {TOKEN_KEY_P384, "\"alg\":\"es384\"",                 "alg"             },
        {TOKEN_KEY_P384, "\"alg\":7",                         "alg"             },
        {TOKEN_KEY_P384, "\"kid\":7",                         "kid"             },
        {TOKEN_KEY_P384, "\"kid\":\"\"",                      "kid"             },
        {TOKEN_KEY_P384,
         "\"key_ops\":[\"verify\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\","
                "\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\"]", "key_ops"         },
        {TOKEN_KEY_K1,   "",                                  "curve"           },
        {TOKEN_KEY_RSA,  "",                                  "only one of them"}, /* six RSA algorithms fit */
};

START_TEST(jk13_a_key_that_is_not_for_us_is_left_out)
{
	const struct skipped *k = &skipped[_i];
	char *text = kit_jwks(token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"good\""),
	        token_key_jwk(k->key, k->extra), NULL);
	AUTO(key_set) struct key_set *set = NULL;
	struct security_report report = {0};
	struct err e = {0};

	ck_assert_msg(import(text, &set, &report, &e), "%s", e.text);
	ck_assert_uint_eq(key_set_count(set), 1);
	ck_assert_str_eq(key_kid(key_set_at(set, 0)), "good");
	ck_assert_uint_eq(report.count, 1);
	ck_assert_msg(strstr(report.warnings[0], k->says) != NULL, "%s", report.warnings[0]);
	free(text);
}
END_TEST

START_TEST(jk13_a_kid_of_more_than_256_bytes_leaves_its_key_out)
{
	for (int len = 256; len <= 257; len++) {
		char extra[300] = "\"kid\":\"";
		AUTO(key_set) struct key_set *set = NULL;
		struct err e = {0};
		char *text;

		memset(extra + 7, 'k', (size_t)len);
		extra[7 + len] = '"';
		text = kit_jwks(token_key_jwk(TOKEN_KEY_P256, extra),
		        token_key_jwk(TOKEN_KEY_P384, ""), NULL);
		ck_assert(import(text, &set, NULL, &e));
		ck_assert_uint_eq(key_set_count(set), len == 256 ? 2 : 1);
		free(text);
	}
}
END_TEST

/* JK13: key material that is wrong, written by hand. P is P-256's x of the RFC 7515 A.3 key. */
#define P "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Q "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ZERO32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
static const char *const materials[] = {
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P "\",\"y\":\"" P "\"}", /* off the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZERO32 "\",\"y\":\"" ZERO32 "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA" P "\",\"y\":\"" Q "\"}", /* too long */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P "=\",\"y\":\"" Q "\"}",  /* padded */
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" P "\",\"y\":\"" Q "\"}",   /* other curve */
        "{\"kty\":\"EC\",\"crv\":\"p-256\",\"x\":\"" P "\",\"y\":\"" Q "\"}",
        "{\"kty\":\"EC\",\"x\":\"" P "\",\"y\":\"" Q "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":7,\"y\":\"" Q "\"}",
        "{\"kty\":\"RSA\",\"crv\":\"P-256\",\"x\":\"" P "\",\"y\":\"" Q "\"}",
        "{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" P "\",\"y\":\"" Q "\"}",
        "{\"crv\":\"P-256\",\"x\":\"" P "\",\"y\":\"" Q "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ZERO32 "\"}", /* small order */
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" P "\"}",
        "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AQ\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"e\":\"AQAB\"}",
        "{}",
};

START_TEST(jk13_wrong_material_is_left_out_and_alone_refuses_the_set)
{
	assert_set_refused(kit_jwks(strdup(materials[_i]), NULL), ERR_CRYPTO);
}
END_TEST

/* An RSA key whose e is replaced: 1, an even one, and one that is too long. */
static const char *const exponents[] = {"AQ", "Ag", "AQAA", "AQAAAAE", "AAEAAQ", ""};

START_TEST(jk13_wrong_exponents_are_refused)
{
	char *jwk = token_key_jwk(TOKEN_KEY_RSA, "\"alg\":\"RS256\""), text[2048];
	char *at = strstr(jwk, "\"e\":\"");

	(void)snprintf(text, sizeof(text), "%.*s\"e\":\"%s\",\"alg\":\"RS256\"}", (int)(at - jwk),
	        jwk, exponents[_i]);
	free(jwk);
	assert_set_refused(kit_jwks(strdup(text), NULL), ERR_CRYPTO);
}
END_TEST

static const struct broken {
	const char *text;
	enum err_code code;
} broken[] = {
        {"",                                     ERR_FORMAT},
        {"[]",                                   ERR_FORMAT},
        {"{}",                                   ERR_FORMAT},
        {"null",                                 ERR_FORMAT},
        {"{\"keys\":{}}",                        ERR_FORMAT},
        {"{\"keys\":[]}",                        ERR_CRYPTO}, /* JK9 */
        {"{\"keys\":[7]}",                       ERR_FORMAT},
        {"{\"keys\":[[]]}",                      ERR_FORMAT},
        {"{\"keys\":[],\"keys\":[]}",            ERR_FORMAT},
        {"{\"keys\":[]} x",                      ERR_FORMAT},
        {"{\"KEYS\":[]}",                        ERR_FORMAT},
        {"<html>",                               ERR_FORMAT},
        {"{\"keys\":[{\"a\":[[[[[[[1]]]]]]]}]}", ERR_LIMIT }
};

START_TEST(a_text_that_is_no_set_is_refused)
{
	assert_set_refused(strdup(broken[_i].text), broken[_i].code);
}
END_TEST

/* JK4 */
START_TEST(more_than_64_keys_or_256_kib_are_refused)
{
	char *text = calloc(1, JWK_SET_BYTES_MAX + 2), *many = calloc(1, 1024);
	struct key_set *set = NULL;
	struct err e = {0};

	(void)strncat(many, "{\"keys\":[{}", 1000);
	for (int i = 1; i < 65; i++)
		(void)strncat(many, ",{}", 4);
	(void)strncat(many, "]}", 3);
	assert_set_refused(many, ERR_LIMIT);
	memset(text, ' ', JWK_SET_BYTES_MAX + 1);
	ck_assert(
	        !jwk_set_import(text, JWK_SET_BYTES_MAX + 1, algorithm_set_all(), &set, NULL, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	free(text);
}
END_TEST

/* JK14 and its neighbours: three keys, two of one algorithm. */
static const struct lookup {
	const char *kid;
	enum algorithm algorithm;
	ptrdiff_t found;
} lookups[] = {
        {"a",  ALGORITHM_ES256, 0 },
        {"b",  ALGORITHM_RS256, 1 },
        {"c",  ALGORITHM_RS256, 2 },
        {"b",  ALGORITHM_ES256, 1 }, /* which key, not whether it fits */
        {"d",  ALGORITHM_ES256, -1},
        {"A",  ALGORITHM_ES256, -1},
        {"",   ALGORITHM_ES256, -1},
        {NULL, ALGORITHM_ES256, 0 }, /* the only one */
        {NULL, ALGORITHM_RS256, -1}, /* one of two */
        {NULL, ALGORITHM_EDDSA, -1},
};

START_TEST(jk14_without_kid_only_the_one_key_of_its_algorithm)
{
	const struct lookup *l = &lookups[_i];
	char *text = kit_jwks(token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\""),
	        token_key_jwk(TOKEN_KEY_RSA, "\"kid\":\"b\",\"alg\":\"RS256\""),
	        token_key_jwk(TOKEN_KEY_RSA_OTHER, "\"kid\":\"c\",\"alg\":\"RS256\""), NULL);
	AUTO(key_set) struct key_set *set = NULL;
	struct err e = {0};

	ck_assert_msg(import(text, &set, NULL, &e), "%s", e.text);
	ck_assert_int_eq(key_set_find(set, l->kid, l->algorithm), l->found);
	free(text);
}
END_TEST

/* Both RSA keys first, so that the first of all is one of two; and one key that has a name. */
START_TEST(jk14_neither_the_first_nor_a_lonely_key_is_special)
{
	char *two = kit_jwks(token_key_jwk(TOKEN_KEY_RSA, "\"alg\":\"RS256\""),
	        token_key_jwk(TOKEN_KEY_RSA_OTHER, "\"kid\":\"b\",\"alg\":\"RS256\""), NULL);
	char *one = kit_jwks(token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\""), NULL);
	AUTO(key_set) struct key_set *pair = NULL;
	AUTO(key_set) struct key_set *single = NULL;
	struct err e = {0};

	ck_assert(import(two, &pair, NULL, &e));
	ck_assert(import(one, &single, NULL, &e));
	ck_assert_int_eq(key_set_find(pair, NULL, ALGORITHM_RS256), -1);
	ck_assert_int_eq(key_set_find(pair, "x", ALGORITHM_RS256), -1);
	ck_assert_int_eq(key_set_find(pair, "b", ALGORITHM_RS256), 1);
	ck_assert_int_eq(key_set_find(single, "a", ALGORITHM_ES256), 0);
	ck_assert_int_eq(key_set_find(single, "b", ALGORITHM_ES256), -1);
	ck_assert_int_eq(key_set_find(single, NULL, ALGORITHM_RS256), -1);
	free(one);
	free(two);
}
END_TEST

START_TEST(jk14_a_configured_key_without_kid_takes_tokens_with_any)
{
	AUTO(key_set) struct key_set *set = kit_keys(TOKEN_KEY_P256, "ES256");

	ck_assert_int_eq(key_set_find(set, "whatever", ALGORITHM_ES256), 0);
	ck_assert_int_eq(key_set_find(set, NULL, ALGORITHM_ES256), 0);
}
END_TEST

/* A key of this name, not yet in any set. */
static struct key *
key_named(const char *kid)
{
	struct key_binding binding = {.allowed = {1U << ALGORITHM_EDDSA}, .kid = kid};
	struct key *key = NULL;
	struct err e = {0};

	ck_assert(key_new(token_key(TOKEN_KEY_ED25519), &binding, &key, &e));
	return key;
}

START_TEST(jk12_a_set_takes_a_name_once_and_64_keys)
{
	AUTO(key_set) struct key_set *set = NULL;
	AUTO(key) struct key *twin = key_named("0");
	AUTO(key) struct key *last = key_named("last");
	struct err e = {0};

	ck_assert(key_set_new(&set, &e));
	for (int i = 0; i < KEY_SET_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		ck_assert(key_set_add(set, key_named(name), &e));
		ck_assert(!key_set_add(set, twin, &e)); /* and stays ours */
		ck_assert_int_eq(e.code, ERR_CONFLICT);
	}
	ck_assert(!key_set_add(set, last, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_uint_eq(key_set_count(set), KEY_SET_MAX);
	ck_assert_int_eq(key_set_find(set, "63", ALGORITHM_EDDSA), 63);
}
END_TEST

static const char *set_text;

/* A key that is missing for want of memory is as good as a failure; one too many is not. */
static bool
build(struct err *e)
{
	AUTO(key_set) struct key_set *set = NULL;

	if (!import(set_text, &set, NULL, e))
		return false;
	return key_set_count(set) == 2 || err_set(e, ERR_CRYPTO, "a key is missing");
}

START_TEST(every_allocation_may_fail)
{
	char *text = kit_jwks(token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\""),
	        token_key_jwk(TOKEN_KEY_ED25519, "\"kid\":\"b\""), NULL);

	set_text = text;
	ck_assert_uint_gt(kit_torture(build), 6);
	free(text);
}
END_TEST

Suite *
jwk_suite(void)
{
	Suite *s = suite_create("jwk");
	TCase *tc = tcase_create("import"), *find = tcase_create("find");

	token_maker_prepare();
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_type_of_key_comes_in, 0, COUNT(types));
	tcase_add_test(tc, a_jwk_and_a_pem_of_one_key_are_the_same_key);
	tcase_add_loop_test(tc, jk12_a_private_member_refuses_the_set, 0, COUNT(private_members));
	tcase_add_test(tc, jk12_a_symmetric_key_beside_a_public_one_refuses_the_set);
	tcase_add_loop_test(tc, jk12_one_kid_twice_refuses_the_set, 0, COUNT(namesakes));
	tcase_add_loop_test(tc, jk13_a_key_that_is_not_for_us_is_left_out, 0, COUNT(skipped));
	tcase_add_loop_test(
	        tc, jk13_wrong_material_is_left_out_and_alone_refuses_the_set, 0, COUNT(materials));
	tcase_add_test(tc, jk13_a_kid_of_more_than_256_bytes_leaves_its_key_out);
	tcase_add_loop_test(tc, jk13_wrong_exponents_are_refused, 0, COUNT(exponents));
	tcase_add_loop_test(tc, a_text_that_is_no_set_is_refused, 0, COUNT(broken));
	tcase_add_test(tc, more_than_64_keys_or_256_kib_are_refused);
	tcase_add_test(find, jk12_a_set_takes_a_name_once_and_64_keys);
	tcase_add_test(tc, every_allocation_may_fail);
	tcase_add_loop_test(
	        find, jk14_without_kid_only_the_one_key_of_its_algorithm, 0, COUNT(lookups));
	tcase_add_test(find, jk14_neither_the_first_nor_a_lonely_key_is_special);
	tcase_add_test(find, jk14_a_configured_key_without_kid_takes_tokens_with_any);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, find);
	return s;
}

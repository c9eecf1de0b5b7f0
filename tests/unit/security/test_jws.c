/* JT1-JT10, JT16: the form of a token and its header. */
#include "shared/security/jws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/jwk.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const char payload[] = "foo"; /* a JWS is bytes; JSON is the claims' business */

static char *
signed_as(enum token_key which, const char *alg, const char *header)
{
	return token_make_signed(which, &(struct token_signing){.alg = alg}, header, payload);
}

/* JT1, JT2: the header's alg, under a good RS256 signature. */
static const char *const bad_algs[] = {"\"none\"", "\"None\"", "\"nOnE\"", "\"NONE\"", "\"\"",
        "null", "[\"RS256\"]", "{\"RS256\":1}", "256", "true", "\"rs256\"", "\"RS256 \"",
        "\"HS256\"", "\"RS256\\u0020\"", "\"RS256RS256RS256RS256\""};

START_TEST(jt2_no_other_spelling_of_alg_is_accepted)
{
	char header[128];

	(void)snprintf(header, sizeof(header), "{\"alg\":%s}", bad_algs[_i]);
	kit_jws_expect(TOKEN_KEY_RSA, "RS256", signed_as(TOKEN_KEY_RSA, "RS256", header),
	        VERDICT_DENY_ALGORITHM);
}
END_TEST

START_TEST(jt2_a_missing_alg_is_refused)
{
	kit_jws_expect(TOKEN_KEY_RSA, "RS256", signed_as(TOKEN_KEY_RSA, "RS256", "{}"),
	        VERDICT_DENY_ALGORITHM);
	kit_jws_expect(TOKEN_KEY_RSA, "RS256",
	        signed_as(TOKEN_KEY_RSA, "RS256", "{\"ALG\":\"RS256\"}"), VERDICT_DENY_ALGORITHM);
}
END_TEST

START_TEST(jt2_none_with_an_empty_or_any_signature_is_refused)
{
	static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"RS256\"}"};

	for (size_t i = 0; i < COUNT(headers); i++) {
		kit_jws_expect(TOKEN_KEY_RSA, "RS256", token_join(headers[i], payload, 3, "", 0),
		        VERDICT_DENY_MALFORMED);
		kit_jws_expect(TOKEN_KEY_RSA, "RS256", token_join(headers[i], payload, 3, "x", 1),
		        i == 0 ? VERDICT_DENY_ALGORITHM : VERDICT_DENY_SIGNATURE);
	}
}
END_TEST

/* JT5, JT7, JT10, JT16: headers that are refused although the signature is good. */
static const char *const refused_headers[] = {
        "{\"alg\":\"RS256\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"RS256\",\"crit\":[]}",
        "{\"alg\":\"RS256\",\"crit\":null}",
        "{\"alg\":\"RS256\",\"crit\":\"x\"}",
        "{\"alg\":\"RS256\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"RS256\",\"b64\":true}",
        "{\"alg\":\"RS256\",\"zip\":\"DEF\"}",
        "{\"alg\":\"RS256\",\"cty\":\"JWT\"}",
        "{\"alg\":\"RS256\",\"\\u0063rit\":[]}", /* "crit" by escapes */
        "{\"alg\":\"RS256\",\"kid\":7}",
        "{\"alg\":\"RS256\",\"kid\":null}",
        "{\"alg\":\"RS256\",\"kid\":\"\"}",
        "{\"alg\":\"RS256\",\"kid\":[\"a\"]}",
        "{\"alg\":\"RS256\",\"kid\":\"a\\u0000b\"}",
        "{\"alg\":\"RS256\",\"kid\":\"a\\nb\"}",
        "{\"alg\":\"RS256\",\"kid\":\"\\u00e4\"}",
        "{\"alg\":\"RS256\",\"kid\":\"a\\u007f\"}",
        "{\"alg\":\"RS256\",\"typ\":7}",
        "{\"alg\":\"RS256\",\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"x\":{\"a\":1,\"a\":2}}", /* at any level */
        "{\"alg\":\"RS256\",\"x\":[[[[[[[[1]]]]]]]]}", /* depth 9 */
        "{\"alg\":\"RS256\"} ",
        "{\"alg\":\"RS256\"}{}",
        "{\"alg\":\"RS256\",}",
        "{'alg':'RS256'}",
        "{\"alg\":\"RS256\"",
        "[\"RS256\"]",
        "\"RS256\"",
        "null",
        "\xef\xbb\xbf{\"alg\":\"RS256\"}",
        "{\"alg\":\"RS256\",\"x\":\"\xff\"}",
        "{\"alg\":\"RS256\",\"x\":\"\xc0\xae\"}",
        "{\"alg\":\"RS256\",\"x\":\"\\ud800\"}",
        "{\"alg\":\"RS256\",\"x\":01}",
        "{\"alg\":\"RS256\",\"x\":1e999999}x",
};

START_TEST(jt5_jt7_jt10_a_header_out_of_form_is_refused)
{
	const char *header = refused_headers[_i];
	bool blank = header[strlen(header) - 1] == ' '; /* white space around is JSON */

	kit_jws_expect(TOKEN_KEY_RSA, "RS256", signed_as(TOKEN_KEY_RSA, "RS256", header),
	        blank ? VERDICT_GRANT : VERDICT_DENY_MALFORMED);
}
END_TEST

/* JT6: pointers to keys are read by nobody, so they change nothing. */
static const char *const ignored_headers[] = {
        "{\"alg\":\"RS256\",\"kid\":\" a~\"}", /* the ends of what is printable */
        "{\"alg\":\"RS256\",\"jku\":\"https://evil.example/jwks\"}",
        "{\"alg\":\"RS256\",\"x5u\":\"https://evil.example/cert\"}",
        "{\"alg\":\"RS256\",\"x5c\":[\"AAAA\"],\"x5t\":\"AAAA\"}",
        "{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
        "{\"alg\":\"RS256\",\"kid\":\"../../../../etc/passwd\"}",
        "{\"alg\":\"RS256\",\"kid\":\"' OR 1=1 --\"}",
        "{ \"typ\" : \"JWT\" ,\n\"alg\" : \"RS256\" }",
        "{\"alg\":\"\\u0052S256\"}",
};

START_TEST(jt6_jt7_pointers_in_a_header_are_ignored)
{
	kit_jws_expect(TOKEN_KEY_RSA, "RS256",
	        signed_as(TOKEN_KEY_RSA, "RS256", ignored_headers[_i]), VERDICT_GRANT);
}
END_TEST

/* JT6: the key a stranger sends along in jwk does not verify the stranger's token. */
START_TEST(jt6_an_embedded_key_is_not_used)
{
	char *jwk = token_key_jwk(TOKEN_KEY_RSA_OTHER, ""), header[1024];

	(void)snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"jwk\":%s}", jwk);
	kit_jws_expect(TOKEN_KEY_RSA, "RS256", signed_as(TOKEN_KEY_RSA_OTHER, "RS256", header),
	        VERDICT_DENY_SIGNATURE);
	free(jwk);
}
END_TEST

/* JT7: with kids in the set, a token's kid is one of them, exactly. */
START_TEST(jt7_an_unknown_kid_is_refused)
{
	char *text = kit_jwks(token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\""),
	        token_key_jwk(TOKEN_KEY_P384, "\"kid\":\"b\""), NULL);
	AUTO(key_set) struct key_set *keys = NULL;
	struct err e = {0};
	static const struct {
		const char *header;
		enum verdict verdict;
	} cases[] = {
	        {"{\"alg\":\"ES256\",\"kid\":\"a\"}",         VERDICT_GRANT           },
	        {"{\"alg\":\"ES256\"}",                       VERDICT_GRANT           },
	        {"{\"alg\":\"ES256\",\"kid\":\"b\"}",         VERDICT_DENY_ALGORITHM  },
	        {"{\"alg\":\"ES256\",\"kid\":\"A\"}",         VERDICT_DENY_UNKNOWN_KEY},
	        {"{\"alg\":\"ES256\",\"kid\":\"a \"}",        VERDICT_DENY_UNKNOWN_KEY},
	        {"{\"alg\":\"ES256\",\"kid\":\"/dev/null\"}", VERDICT_DENY_UNKNOWN_KEY},
	        {"{\"alg\":\"EdDSA\"}",                       VERDICT_DENY_UNKNOWN_KEY}
        };

	ck_assert(jwk_set_import(text, strlen(text), algorithm_set_all(), &keys, NULL, &e));
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *token = signed_as(TOKEN_KEY_P256, "ES256", cases[i].header);

		ck_assert_int_eq(kit_jws(keys, token, strlen(token)), cases[i].verdict);
		free(token);
	}
	free(text);
}
END_TEST

START_TEST(jt7_a_kid_has_at_most_256_characters)
{
	for (int len = 256; len <= 257; len++) {
		char kid[258] = {0}, header[512];

		memset(kid, 'k', (size_t)len);
		(void)snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"kid\":\"%s\"}", kid);
		kit_jws_expect(TOKEN_KEY_RSA, "RS256", signed_as(TOKEN_KEY_RSA, "RS256", header),
		        len == 256 ? VERDICT_GRANT : VERDICT_DENY_MALFORMED);
	}
}
END_TEST

static const struct typ {
	const char *header;
	enum jws_typ typ;
} typs[] = {
        {"{\"alg\":\"RS256\"}",                                JWS_TYP_ABSENT},
        {"{\"alg\":\"RS256\",\"typ\":\"JWT\"}",                JWS_TYP_JWT   },
        {"{\"alg\":\"RS256\",\"typ\":\"jwt\"}",                JWS_TYP_JWT   },
        {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}",             JWS_TYP_JWT   },
        {"{\"alg\":\"RS256\",\"typ\":\"AT+JWT\"}",             JWS_TYP_JWT   },
        {"{\"alg\":\"RS256\",\"typ\":\"application/at+jwt\"}", JWS_TYP_JWT   },
        {"{\"alg\":\"RS256\",\"typ\":\"\"}",                   JWS_TYP_OTHER },
        {"{\"alg\":\"RS256\",\"typ\":\"JWT \"}",               JWS_TYP_OTHER },
        {"{\"alg\":\"RS256\",\"typ\":\"JOSE\"}",               JWS_TYP_OTHER },
        {"{\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}",           JWS_TYP_OTHER }
};

START_TEST(jt16_typ_is_told_apart)
{
	char *token = signed_as(TOKEN_KEY_RSA, "RS256", typs[_i].header);

	ck_assert_int_eq(jws_open(&kit_opened, token, strlen(token)), VERDICT_GRANT);
	ck_assert_int_eq(kit_opened.typ, typs[_i].typ);
	free(token);
}
END_TEST

/* JT8: three parts, none empty. H, P and S stand for the parts of a good token. */
static const char *const forms[] = {"", ".", "..", "...", "H", "H.", "H.P", "H.P.", "H..S", ".P.S",
        ".H.P.S", "H.P.S.", "H.P.S.x", "H.P.S.S", "HPS", "H P S", "H.P,S"};

static size_t
assemble(const char *form, const char *good, char *out)
{
	const char *first = strchr(good, '.') + 1, *second = strrchr(good, '.') + 1;
	size_t len = 0;

	for (; *form != '\0'; form++) {
		const char *from = *form == 'H' ? good : *form == 'P' ? first : second;
		size_t part = strcspn(from, ".");

		if (strchr("HPS", *form) == NULL)
			out[len++] = *form;
		else {
			memcpy(out + len, from, part);
			len += part;
		}
	}
	return len;
}

START_TEST(jt8_three_parts_and_none_empty)
{
	char *good = token_make(TOKEN_KEY_P256, "ES256", payload), text[512];
	AUTO(key_set) struct key_set *keys = kit_keys(TOKEN_KEY_P256, "ES256");

	ck_assert_int_eq(kit_jws(keys, text, assemble("H.P.S", good, text)), VERDICT_GRANT);
	for (size_t i = 0; i < COUNT(forms); i++)
		ck_assert_int_ne(
		        kit_jws(keys, text, assemble(forms[i], good, text)), VERDICT_GRANT);
	free(good);
}
END_TEST

/* JT8: at every place of a good token, every byte that is not the one that belongs there. */
START_TEST(jt8_no_byte_can_be_replaced)
{
	char *good = token_make(TOKEN_KEY_ED25519, "EdDSA", payload);
	AUTO(key_set) struct key_set *keys = kit_keys(TOKEN_KEY_ED25519, "EdDSA");
	static const char strange[] = "=+/ \t\r\n.!*-_\x80\xff";
	size_t len = strlen(good);

	for (size_t at = 0; at < len; at++)
		for (size_t i = 0; i < sizeof(strange); i++) { /* the NUL too */
			char kept = good[at];

			good[at] = strange[i];
			if (kept != strange[i])
				ck_assert_int_ne(kit_jws(keys, good, len), VERDICT_GRANT);
			good[at] = kept;
		}
	free(good);
}
END_TEST

START_TEST(jt8_nothing_can_be_appended_or_put_in_front)
{
	char *good = token_make(TOKEN_KEY_ED25519, "EdDSA", payload), text[512];
	AUTO(key_set) struct key_set *keys = kit_keys(TOKEN_KEY_ED25519, "EdDSA");

	for (unsigned c = 0; c < 256; c++) {
		size_t len = (size_t)snprintf(text, sizeof(text), "%s", good);

		text[len] = (char)c;
		ck_assert_int_ne(kit_jws(keys, text, len + 1), VERDICT_GRANT);
		memmove(text + 1, text, len);
		text[0] = (char)c;
		ck_assert_int_ne(kit_jws(keys, text, len + 1), VERDICT_GRANT);
	}
	(void)snprintf(text, sizeof(text), "%s==", good);
	ck_assert_int_ne(kit_jws(keys, text, strlen(text)), VERDICT_GRANT);
	free(good);
}
END_TEST

/* JT9: limits, at their edge and beyond it. */
START_TEST(jt9_a_token_has_at_most_8_kib)
{
	AUTO(key_set) struct key_set *keys = kit_keys(TOKEN_KEY_ED25519, "EdDSA");
	char *long_payload = calloc(1, 8192), *token;
	size_t at_limit = 0;

	memset(long_payload, 'x', 6040);
	for (size_t len = 6030; len < 6080; len++) {
		memset(long_payload, 'x', len);
		long_payload[len] = '\0';
		token = token_make(TOKEN_KEY_ED25519, "EdDSA", long_payload);
		ck_assert_int_eq(kit_jws(keys, token, strlen(token)),
		        strlen(token) <= JWS_TOKEN_MAX ? VERDICT_GRANT : VERDICT_DENY_MALFORMED);
		at_limit += strlen(token) == JWS_TOKEN_MAX || strlen(token) == JWS_TOKEN_MAX - 1;
		free(token);
	}
	ck_assert_uint_gt(at_limit, 0);
	token = malloc(1 << 24); /* where libjwt died */
	memset(token, 'A', 1 << 24);
	ck_assert_int_eq(kit_jws(keys, token, 1 << 24), VERDICT_DENY_MALFORMED);
	free(token);
	free(long_payload);
}
END_TEST

START_TEST(jt9_a_header_has_at_most_1_kib)
{
	for (int len = 1023; len <= 1026; len++) {
		char header[2048], fill[1100] = {0};

		memset(fill, 'x', (size_t)(len - 22));
		(void)snprintf(header, sizeof(header), "{\"alg\":\"RS256\",\"x\":\"%s\"}", fill);
		ck_assert_int_eq((int)strlen(header), len);
		kit_jws_expect(TOKEN_KEY_RSA, "RS256", signed_as(TOKEN_KEY_RSA, "RS256", header),
		        len <= 1024 ? VERDICT_GRANT : VERDICT_DENY_MALFORMED);
	}
}
END_TEST

Suite *
jws_suite(void)
{
	Suite *s = suite_create("jws");
	TCase *form = tcase_create("form"), *header = tcase_create("header");

	token_maker_prepare();
	tcase_set_timeout(form, 60);
	tcase_add_test(form, jt8_three_parts_and_none_empty);
	tcase_add_test(form, jt8_no_byte_can_be_replaced);
	tcase_add_test(form, jt8_nothing_can_be_appended_or_put_in_front);
	tcase_add_test(form, jt9_a_token_has_at_most_8_kib);
	tcase_add_test(form, jt9_a_header_has_at_most_1_kib);
	tcase_add_loop_test(header, jt2_no_other_spelling_of_alg_is_accepted, 0, COUNT(bad_algs));
	tcase_add_test(header, jt2_a_missing_alg_is_refused);
	tcase_add_test(header, jt2_none_with_an_empty_or_any_signature_is_refused);
	tcase_add_loop_test(
	        header, jt5_jt7_jt10_a_header_out_of_form_is_refused, 0, COUNT(refused_headers));
	tcase_add_loop_test(
	        header, jt6_jt7_pointers_in_a_header_are_ignored, 0, COUNT(ignored_headers));
	tcase_add_test(header, jt6_an_embedded_key_is_not_used);
	tcase_add_test(header, jt7_an_unknown_kid_is_refused);
	tcase_add_test(header, jt7_a_kid_has_at_most_256_characters);
	tcase_add_loop_test(header, jt16_typ_is_told_apart, 0, COUNT(typs));
	suite_add_tcase(s, form);
	suite_add_tcase(s, header);
	return s;
}

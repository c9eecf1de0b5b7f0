/* JT1, JT3, JT4, JT9, JT19, JT20: whose signature holds, and that no other one does. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/signature.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const char payload[] = "foo"; /* a JWS is bytes; JSON is the claims' business */

static char *
signed_as(enum token_key which, const char *alg, const char *header)
{
	return token_make_signed(which, &(struct token_signing){.alg = alg}, header, payload);
}

static const struct pair {
	enum token_key key;
	const char *alg;
} pairs[] = {
        {TOKEN_KEY_RSA,     "RS256"},
        {TOKEN_KEY_RSA,     "RS384"},
        {TOKEN_KEY_RSA,     "RS512"},
        {TOKEN_KEY_RSA,     "PS256"},
        {TOKEN_KEY_RSA,     "PS384"},
        {TOKEN_KEY_RSA,     "PS512"},
        {TOKEN_KEY_P256,    "ES256"},
        {TOKEN_KEY_P384,    "ES384"},
        {TOKEN_KEY_P521,    "ES512"},
        {TOKEN_KEY_ED25519, "EdDSA"}
};

START_TEST(each_algorithm_verifies_its_own)
{
	const struct pair *p = &pairs[_i];
	AUTO(key_set) struct key_set *keys = kit_keys(p->key, p->alg);

	for (int i = 0; i < 20; i++) { /* r and s of every length, and contexts used again */
		char *token = token_make(p->key, p->alg, payload);

		ck_assert_int_eq(kit_jws(keys, token, strlen(token)), VERDICT_GRANT);
		ck_assert_uint_eq(kit_opened.payload_len, 3);
		ck_assert_mem_eq(kit_opened.payload, payload, 3);
		free(token);
	}
}
END_TEST

/* JT1, JT4: every token under every key of another algorithm, with the header telling the truth. */
START_TEST(jt1_jt4_no_algorithm_verifies_anothers)
{
	for (size_t i = 0; i < COUNT(pairs); i++)
		for (size_t j = 0; j < COUNT(pairs); j++)
			if (i != j)
				kit_jws_expect(pairs[i].key, pairs[i].alg,
				        token_make(pairs[j].key, pairs[j].alg, payload),
				        VERDICT_DENY_ALGORITHM);
}
END_TEST

/* JT4: and with the header lying, so that it names the key's algorithm. */
START_TEST(jt4_a_header_that_lies_meets_the_signature)
{
	for (size_t i = 0; i < COUNT(pairs); i++)
		for (size_t j = 0; j < COUNT(pairs); j++) {
			char header[64];

			if (i == j)
				continue;
			(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", pairs[i].alg);
			kit_jws_expect(pairs[i].key, pairs[i].alg,
			        signed_as(pairs[j].key, pairs[j].alg, header),
			        VERDICT_DENY_SIGNATURE);
		}
}
END_TEST

START_TEST(jt4_es256_with_secp256k1_does_not_verify)
{
	kit_jws_expect(TOKEN_KEY_P256, "ES256",
	        signed_as(TOKEN_KEY_K1, "ES256", "{\"alg\":\"ES256\"}"), VERDICT_DENY_SIGNATURE);
}
END_TEST

START_TEST(a_strangers_key_does_not_verify)
{
	kit_jws_expect(TOKEN_KEY_RSA, "RS256", token_make(TOKEN_KEY_RSA_OTHER, "RS256", payload),
	        VERDICT_DENY_SIGNATURE);
}
END_TEST

/* JT3: HS256 with everything public about the key as its secret. */
START_TEST(jt3_an_hmac_keyed_with_the_public_key_is_refused)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	char *pem = token_key_pem(TOKEN_KEY_RSA), *pkcs1 = token_key_pem_pkcs1(TOKEN_KEY_RSA);
	char *jwk = token_key_jwk(TOKEN_KEY_RSA, ""), spaced[4096];
	unsigned char *der = NULL;
	int der_len = i2d_PUBKEY(token_key(TOKEN_KEY_RSA), &der);
	char *n = strstr(jwk, "\"n\":\"") + 5;
	const struct {
		const void *secret;
		size_t len;
	} secrets[] = {
	        {pem,             strlen(pem)    },
                {pem,             strlen(pem) - 1},
                {pkcs1,           strlen(pkcs1)  },
	        {jwk,             strlen(jwk)    },
                {n,               strcspn(n,       "\"")},
                {der,               (size_t)der_len                           },
	        {spaced,               (size_t)snprintf(spaced,sizeof(spaced), "  %s", pem)},
                {"", 0            }
        };

	for (size_t i = 0; i < COUNT(secrets); i++) {
		kit_jws_expect(TOKEN_KEY_RSA, "RS256",
		        token_make_hmac(secrets[i].secret, secrets[i].len, header, payload),
		        VERDICT_DENY_ALGORITHM);
		/* And under the key's own name, as a duplicate alg once did to libjwt. */
		kit_jws_expect(TOKEN_KEY_RSA, "RS256",
		        token_make_hmac(secrets[i].secret, secrets[i].len,
		                "{\"alg\":\"RS256\",\"alg\":\"HS256\"}", payload),
		        VERDICT_DENY_MALFORMED);
		kit_jws_expect(TOKEN_KEY_RSA, "RS256",
		        token_make_hmac(
		                secrets[i].secret, secrets[i].len, "{\"alg\":\"RS256\"}", payload),
		        VERDICT_DENY_SIGNATURE);
	}
	free(pem);
	free(pkcs1);
	free(jwk);
	OPENSSL_free(der);
}
END_TEST

/* JT9: a signature of any other length than the key's, long before OpenSSL sees it. */
START_TEST(jt9_only_one_length_of_signature_is_looked_at)
{
	static const unsigned char signature[1200];
	const struct pair *p = &pairs[_i];
	AUTO(key_set) struct key_set *keys = kit_keys(p->key, p->alg);
	char header[64];

	(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", p->alg);
	for (size_t len = 1; len < sizeof(signature); len++) {
		char *token = token_join(header, payload, 3, signature, len);

		ck_assert_int_eq(kit_jws(keys, token, strlen(token)), VERDICT_DENY_SIGNATURE);
		free(token);
	}
}
END_TEST

/* JT9: the checker itself, asked with the right signature and something behind it or cut off. */
START_TEST(jt9_the_checker_takes_one_length_only)
{
	const struct pair *p = &pairs[_i];
	AUTO(key_set) struct key_set *keys = kit_keys(p->key, p->alg);
	AUTO(signature_checker) struct signature_checker *checker = NULL;
	char *token = token_make(p->key, p->alg, payload), *dot = strrchr(token, '.');
	unsigned char signature[1024] = {0};
	size_t len = 0, message = (size_t)(dot - token);
	struct err e = {0};

	ck_assert(signature_checker_new(key_set_at(keys, 0), &checker, &e));
	ck_assert(b64url_decode(dot + 1, strlen(dot + 1), signature, &len));
	ck_assert(signature_checker_holds(checker, token, message, signature, len));
	for (size_t other = 0; other < sizeof(signature); other++)
		if (other != len)
			ck_assert(!signature_checker_holds(
			        checker, token, message, signature, other));
	ck_assert(!signature_checker_holds(checker, token, message - 1, signature, len));
	free(token);
}
END_TEST

/* What OpenSSL says about a bad signature must not be found later, by somebody else. */
START_TEST(a_refused_signature_leaves_no_error_behind)
{
	const struct pair *p = &pairs[_i];
	AUTO(key_set) struct key_set *keys = kit_keys(p->key, p->alg);
	char *token = token_make(p->key, p->alg, payload);

	token_spoil(token);
	ck_assert_int_eq(kit_jws(keys, token, strlen(token)), VERDICT_DENY_SIGNATURE);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	free(token);
}
END_TEST

/* JT19: OpenSSL left alone takes any salt. */
START_TEST(jt19_only_a_salt_as_long_as_the_digest_verifies)
{
	static const int salts[] = {0, 1, 20, 31, 32, 33, 64};
	static const char header[] = "{\"alg\":\"PS256\"}";

	for (size_t i = 0; i < COUNT(salts); i++) {
		struct token_signing how = {.alg = "PS256", .salted = true, .salt_len = salts[i]};

		kit_jws_expect(TOKEN_KEY_RSA, "PS256",
		        token_make_signed(TOKEN_KEY_RSA, &how, header, payload),
		        salts[i] == 32 ? VERDICT_GRANT : VERDICT_DENY_SIGNATURE);
	}
}
END_TEST

/* JT20: DER where r || s belongs, and numbers outside 1..n-1. */
START_TEST(jt20_a_der_signature_is_refused)
{
	for (int i = 0; i < 50; i++) {
		struct token_signing how = {.alg = "ES256", .der = true};

		kit_jws_expect(TOKEN_KEY_P256, "ES256",
		        token_make_signed(TOKEN_KEY_P256, &how, "{\"alg\":\"ES256\"}", payload),
		        VERDICT_DENY_SIGNATURE);
	}
}
END_TEST

/* n of P-256: adding it to s gives the same number modulo n, which a loose verifier takes. */
static const unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3,
        0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

START_TEST(jt20_r_and_s_lie_in_1_to_n_minus_1)
{
	unsigned char parts[4][32] = {{0}, {0}, {0}, {0}};

	parts[1][31] = 1;
	memcpy(parts[2], order, 32);
	memset(parts[3], 0xff, 32);
	for (size_t r = 0; r < 4; r++)
		for (size_t s = 0; s < 4; s++) {
			unsigned char signature[64];

			memcpy(signature, parts[r], 32);
			memcpy(signature + 32, parts[s], 32);
			kit_jws_expect(TOKEN_KEY_P256, "ES256",
			        token_join("{\"alg\":\"ES256\"}", payload, 3, signature, 64),
			        VERDICT_DENY_SIGNATURE);
		}
}
END_TEST

static const struct key_set *torture_keys;

static bool
build(struct err *e)
{
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;

	return jws_verifier_new(torture_keys, &verifier, e);
}

START_TEST(every_allocation_may_fail)
{
	AUTO(key_set) struct key_set *keys = kit_keys(TOKEN_KEY_P256, "ES256");

	torture_keys = keys;
	ck_assert_uint_eq(kit_torture(build), 2);
}
END_TEST

Suite *
jws_signature_suite(void)
{
	Suite *s = suite_create("jws_signature");
	TCase *tc = tcase_create("signature");

	token_maker_prepare();
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_algorithm_verifies_its_own, 0, COUNT(pairs));
	tcase_add_test(tc, jt1_jt4_no_algorithm_verifies_anothers);
	tcase_add_test(tc, jt4_a_header_that_lies_meets_the_signature);
	tcase_add_test(tc, jt4_es256_with_secp256k1_does_not_verify);
	tcase_add_test(tc, a_strangers_key_does_not_verify);
	tcase_add_test(tc, jt3_an_hmac_keyed_with_the_public_key_is_refused);
	tcase_add_loop_test(tc, jt9_only_one_length_of_signature_is_looked_at, 0, COUNT(pairs));
	tcase_add_loop_test(tc, jt9_the_checker_takes_one_length_only, 0, COUNT(pairs));
	tcase_add_loop_test(tc, a_refused_signature_leaves_no_error_behind, 0, COUNT(pairs));
	tcase_add_test(tc, jt19_only_a_salt_as_long_as_the_digest_verifies);
	tcase_add_test(tc, jt20_a_der_signature_is_refused);
	tcase_add_test(tc, jt20_r_and_s_lie_in_1_to_n_minus_1);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

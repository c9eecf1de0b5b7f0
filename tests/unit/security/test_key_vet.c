/* JK13, JT23: keys under which forgeries verify are refused, whatever OpenSSL thinks of them. */
#include "shared/security/key_vet.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/token_maker.h"
#include "tests/unit/unit.h"

/* The eight points of small order, and spellings of them with y >= p (little-endian). */
static const char *const small_order[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p: 0 again */
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* p + 1: identity */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* not canonical */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};

static void
unhex(const char *hex, unsigned char *out)
{
	for (size_t i = 0; hex[2 * i] != '\0'; i++) {
		unsigned value = 0;

		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &value), 1);
		out[i] = (unsigned char)value;
	}
}

START_TEST(jk13_points_of_small_order_are_refused)
{
	unsigned char key[ED25519_BYTES];
	EVP_PKEY *pkey;
	enum key_type type = KEY_NONE;
	struct err e = {0};

	unhex(small_order[_i], key);
	ck_assert(!key_vet_ed25519(key));
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, sizeof(key));
	ck_assert_ptr_nonnull(pkey); /* OpenSSL has no objection */
	ck_assert(!key_vet(pkey, &type, &e));
	ck_assert_int_eq(e.code, ERR_CRYPTO);
	ck_assert_int_eq(type, KEY_NONE);
	EVP_PKEY_free(pkey);
}
END_TEST

/* Why the list exists: under the identity anybody can sign anything. */
START_TEST(jk13_openssl_verifies_a_forgery_under_the_identity_point)
{
	static const unsigned char identity[ED25519_BYTES] = {1}, signature[64] = {1};
	EVP_PKEY *pkey =
	        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, identity, sizeof(identity));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey), 1);
	ck_assert_int_eq(EVP_DigestVerify(ctx, signature, sizeof(signature),
	                         (const unsigned char *)"anything", 8),
	        1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}
END_TEST

static EVP_PKEY *
rsa_from(BIGNUM *n, BIGNUM *exponent)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;

	ck_assert_int_eq(OSSL_PARAM_BLD_push_BN(builder, "n", n), 1);
	ck_assert_int_eq(OSSL_PARAM_BLD_push_BN(builder, "e", exponent), 1);
	params = OSSL_PARAM_BLD_to_param(builder);
	ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
	ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static const struct exponent {
	const char *hex;
	bool fit;
} exponents[] = {
        {"1",                false},
        {"2",                false},
        {"4",                false},
        {"10000",            false},
        {"3",                true },
        {"10001",            true },
        {"ffffffff",         true },
        {"100000001",        false},
        {"100000000",        false},
        {"ffffffffffffffff", false}
};

START_TEST(jk13_jt23_rsa_exponents_are_odd_and_from_3_to_2_32)
{
	const struct exponent *x = &exponents[_i];
	BIGNUM *n = NULL, *exponent = NULL;
	enum key_type type = KEY_NONE;
	struct err e = {0};
	EVP_PKEY *pkey;

	ck_assert_int_eq(EVP_PKEY_get_bn_param(token_key(TOKEN_KEY_RSA), "n", &n), 1);
	ck_assert_int_gt(BN_hex2bn(&exponent, x->hex), 0);
	pkey = rsa_from(n, exponent);
	ck_assert_int_eq(key_vet(pkey, &type, &e), x->fit);
	EVP_PKEY_free(pkey);
	BN_free(n);
	BN_free(exponent);
}
END_TEST

/* Odd composites without small factors are enough: nobody has to sign with them. */
static EVP_PKEY *
rsa_of_bits(int bits)
{
	BIGNUM *n = BN_new(), *p = BN_new(), *q = BN_new(), *exponent = NULL;
	BN_CTX *ctx = BN_CTX_new();
	EVP_PKEY *pkey;

	ck_assert_int_eq(BN_generate_prime_ex(p, 512, 0, NULL, NULL, NULL), 1);
	ck_assert_int_eq(BN_rand(q, bits - 512, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD), 1);
	ck_assert_int_eq(BN_mul(n, p, q, ctx), 1);
	ck_assert_int_gt(BN_hex2bn(&exponent, "10001"), 0);
	pkey = rsa_from(n, exponent);
	BN_CTX_free(ctx);
	BN_free(n);
	BN_free(p);
	BN_free(q);
	BN_free(exponent);
	return pkey;
}

/* Nothing we ask for ourselves is wrong with it; OpenSSL's own check notices. */
START_TEST(jk13_an_even_modulus_is_refused)
{
	BIGNUM *n = NULL, *exponent = NULL;
	enum key_type type = KEY_NONE;
	struct err e = {0};
	EVP_PKEY *pkey;

	ck_assert_int_eq(EVP_PKEY_get_bn_param(token_key(TOKEN_KEY_RSA), "n", &n), 1);
	ck_assert_int_eq(BN_sub_word(n, 1), 1);
	ck_assert_int_gt(BN_hex2bn(&exponent, "10001"), 0);
	pkey = rsa_from(n, exponent);
	ck_assert(!key_vet(pkey, &type, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "OpenSSL's own check"));
	EVP_PKEY_free(pkey);
	BN_free(n);
	BN_free(exponent);
}
END_TEST

static const int sizes[] = {512, 1024, 2040, 8200, 16384};

START_TEST(jk13_jt23_rsa_sizes_outside_2048_to_8192_are_refused)
{
	EVP_PKEY *pkey = rsa_of_bits(sizes[_i] == 512 ? 576 : sizes[_i]);
	enum key_type type = KEY_NONE;
	struct err e = {0};

	ck_assert(!key_vet(pkey, &type, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "bits"));
	EVP_PKEY_free(pkey);
}
END_TEST

/* 65537^100 is a power of 65537 modulo every prime there is; seven times that is not. */
START_TEST(jk13_roca_needs_every_prime_to_fit)
{
	unsigned char bytes[256] = {0};
	BIGNUM *base = NULL, *exponent = NULL, *n = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	ck_assert_int_gt(BN_dec2bn(&base, "65537"), 0);
	ck_assert_int_gt(BN_dec2bn(&exponent, "100"), 0);
	ck_assert_int_eq(BN_exp(n, base, exponent, ctx), 1);
	ck_assert(key_vet_is_roca(bytes, (size_t)BN_bn2bin(n, bytes)));
	ck_assert_int_eq(BN_mul_word(n, 7), 1);
	ck_assert(!key_vet_is_roca(bytes, (size_t)BN_bn2bin(n, bytes)));
	BN_free(base);
	BN_free(exponent);
	BN_free(n);
	BN_CTX_free(ctx);
}
END_TEST

static const struct sound {
	enum token_key key;
	enum key_type type; /* NONE: refused */
} sound[] = {
        {TOKEN_KEY_RSA,     KEY_RSA    },
        {TOKEN_KEY_P256,    KEY_P256   },
        {TOKEN_KEY_P384,    KEY_P384   },
        {TOKEN_KEY_P521,    KEY_P521   },
        {TOKEN_KEY_ED25519, KEY_ED25519},
        {TOKEN_KEY_K1,      KEY_NONE   }
};

START_TEST(jt4_ordinary_keys_pass_and_foreign_curves_do_not)
{
	enum key_type type = KEY_NONE;
	struct err e = {0};

	ck_assert_int_eq(key_vet(token_key(sound[_i].key), &type, &e), sound[_i].type != KEY_NONE);
	ck_assert_int_eq(type, sound[_i].type);
}
END_TEST

START_TEST(jk13_other_kinds_of_keys_are_refused)
{
	EVP_PKEY *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	EVP_PKEY *ed448 = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
	enum key_type type = KEY_NONE;
	struct err e = {0};

	ck_assert(!key_vet(x25519, &type, &e));
	ck_assert(!key_vet(ed448, &type, &e));
	EVP_PKEY_free(x25519);
	EVP_PKEY_free(ed448);
}
END_TEST

Suite *
key_vet_suite(void)
{
	Suite *s = suite_create("key_vet");
	TCase *tc = tcase_create("unfit keys");

	token_maker_prepare();
	tcase_add_loop_test(tc, jk13_points_of_small_order_are_refused, 0, COUNT(small_order));
	tcase_add_test(tc, jk13_openssl_verifies_a_forgery_under_the_identity_point);
	tcase_add_loop_test(
	        tc, jk13_jt23_rsa_exponents_are_odd_and_from_3_to_2_32, 0, COUNT(exponents));
	tcase_add_loop_test(
	        tc, jk13_jt23_rsa_sizes_outside_2048_to_8192_are_refused, 0, COUNT(sizes));
	tcase_add_test(tc, jk13_an_even_modulus_is_refused);
	tcase_add_test(tc, jk13_roca_needs_every_prime_to_fit);
	tcase_add_loop_test(tc, jt4_ordinary_keys_pass_and_foreign_curves_do_not, 0, COUNT(sound));
	tcase_add_test(tc, jk13_other_kinds_of_keys_are_refused);
	suite_add_tcase(s, tc);
	return s;
}

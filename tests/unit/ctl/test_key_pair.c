#include "shared/security/key_pair.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/key_vet.h"
#include "shared/security/pem.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/unit.h"

static const struct key_binding rs256 = {.allowed = {UINT32_C(1) << ALGORITHM_RS256}};

static struct secret *
secret_of(const char *text)
{
	struct secret *s = NULL;
	struct err e = {0};

	ck_assert(secret_new(text, strlen(text), &s, &e));
	return s;
}

START_TEST(a_pair_is_pkcs8_and_spki_and_belongs_together)
{
	AUTO(secret) struct secret *private_pem = NULL;
	AUTO(key) struct key *key = NULL;
	char *public_pem = NULL, *again = NULL;
	enum key_type type = KEY_NONE;
	struct err e = {0};

	ck_assert(key_pair_make(ALGORITHM_RS256, 2048, &private_pem, &public_pem, &e));
	ck_assert_mem_eq(secret_bytes(private_pem), "-----BEGIN PRIVATE KEY-----\n", 28);
	ck_assert_int_eq(strncmp(public_pem, "-----BEGIN PUBLIC KEY-----\n", 27), 0);
	ck_assert(pem_import(public_pem, strlen(public_pem), &rs256, &key, &e));
	ck_assert_uint_eq(key_signature_len(key), 256);
	ck_assert(key_pair_public(private_pem, &type, &again, &e));
	ck_assert_str_eq(again, public_pem);
	free(public_pem);
	free(again);
}
END_TEST

START_TEST(sizes_beyond_the_limits_are_refused)
{
	static const unsigned sizes[] = {0, 512, 1024, RSA_BITS_MIN - 1, RSA_BITS_MAX + 1};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct secret *private_pem = NULL;
		char *public_pem = NULL;
		struct err e = {0};

		ck_assert(!key_pair_make(ALGORITHM_PS256, sizes[i], &private_pem, &public_pem, &e));
		ck_assert_int_eq(e.code, ERR_LIMIT);
		ck_assert(private_pem == NULL && public_pem == NULL);
	}
}
END_TEST

static char *
encrypted(void)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, token_key(TOKEN_KEY_RSA),
	                         EVP_aes_256_cbc(), "password", 8, NULL, NULL),
	        1);
	len = BIO_get_mem_data(bio, &bytes);
	text = strndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

START_TEST(what_is_no_private_key_is_refused)
{
	char *texts[] = {strdup("no PEM"), strdup("-----BEGIN PRIVATE KEY-----\n"), encrypted(),
	        token_key_pem(TOKEN_KEY_RSA), token_key_pem_private(TOKEN_KEY_K1)};

	for (size_t i = 0; i < COUNT(texts); i++) {
		AUTO(secret) struct secret *s = secret_of(texts[i]);
		char *public_pem = NULL;
		enum key_type type = KEY_NONE;
		struct err e = {0};

		ck_assert_msg(!key_pair_public(s, &type, &public_pem, &e), "text %zu", i);
		ck_assert_int_eq(e.code, ERR_CRYPTO);
		ck_assert_ptr_null(public_pem);
		if (i == 2)
			ck_assert_ptr_nonnull(strstr(e.text, "encrypted"));
		free(texts[i]);
	}
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	char *pem = token_key_pem_private(TOKEN_KEY_RSA);
	AUTO(secret) struct secret *s = secret_of(pem);
	bool done = false;

	for (unsigned nth = 1; !done && nth < 50; nth++) {
		char *public_pem = NULL;
		enum key_type type = KEY_NONE;
		struct err e = {0};

		fault_allocation(nth);
		done = key_pair_public(s, &type, &public_pem, &e);
		fault_allocation(0);
		if (!done)
			ck_assert_int_eq(e.code, ERR_NOMEM);
		else
			ck_assert_uint_gt(nth, 1);
		free(public_pem);
	}
	ck_assert(done);
	done = false;
	for (unsigned nth = 1; !done && nth < 50; nth++) {
		struct secret *private_pem = NULL;
		char *public_pem = NULL;
		struct err e = {0};

		fault_allocation(nth);
		done = key_pair_make(ALGORITHM_RS256, 2048, &private_pem, &public_pem, &e);
		fault_allocation(0);
		if (!done)
			ck_assert(e.code == ERR_NOMEM && private_pem == NULL && public_pem == NULL);
		else
			ck_assert_uint_gt(nth, 1);
		secret_free(private_pem);
		free(public_pem);
	}
	ck_assert(done);
	free(pem);
}
END_TEST

Suite *
key_pair_suite(void)
{
	Suite *s = suite_create("key_pair");
	TCase *tc = tcase_create("pairs");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, 60); /* keys under sanitizers */
	tcase_add_test(tc, a_pair_is_pkcs8_and_spki_and_belongs_together);
	tcase_add_test(tc, sizes_beyond_the_limits_are_refused);
	tcase_add_test(tc, what_is_no_private_key_is_refused);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

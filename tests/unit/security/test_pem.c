/* JT23: which PEM files start a daemon, and that the error never shows their text. */
#include "shared/security/pem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const struct key_binding any_rs = {.allowed = {1U << ALGORITHM_RS256}};

static bool
import(const char *text, const struct key_binding *binding, struct key **out, struct err *e)
{
	return pem_import(text, strlen(text), binding, out, e);
}

static const struct wanted {
	enum token_key key;
	enum algorithm algorithm;
	size_t signature_len;
} wanted[] = {
        {TOKEN_KEY_RSA,     ALGORITHM_RS256, 256},
        {TOKEN_KEY_P256,    ALGORITHM_ES256, 64 },
        {TOKEN_KEY_P384,    ALGORITHM_ES384, 96 },
        {TOKEN_KEY_P521,    ALGORITHM_ES512, 132},
        {TOKEN_KEY_ED25519, ALGORITHM_EDDSA, 64 }
};

START_TEST(public_keys_come_in_with_their_algorithm)
{
	const struct wanted *w = &wanted[_i];
	struct key_binding binding = {.allowed = {1U << w->algorithm}};
	AUTO(key) struct key *key = NULL;
	struct err e = {0};
	char *pem = token_key_pem(w->key);

	ck_assert_msg(import(pem, &binding, &key, &e), "%s", e.text);
	ck_assert_int_eq(key_algorithm(key), w->algorithm);
	ck_assert_uint_eq(key_signature_len(key), w->signature_len);
	ck_assert_ptr_null(key_kid(key));
	free(pem);
}
END_TEST

START_TEST(pkcs1_and_spki_are_the_same_key)
{
	AUTO(key) struct key *spki = NULL;
	AUTO(key) struct key *pkcs1 = NULL;
	struct err e = {0};
	char *one = token_key_pem(TOKEN_KEY_RSA), *other = token_key_pem_pkcs1(TOKEN_KEY_RSA);

	ck_assert(import(one, &any_rs, &spki, &e));
	ck_assert(import(other, &any_rs, &pkcs1, &e));
	ck_assert_mem_eq(key_fingerprint(spki), key_fingerprint(pkcs1), DIGEST_BYTES);
	free(one);
	free(other);
}
END_TEST

/* Refusing must not show what was refused: the middle of the text stands for all of it. */
static void
assert_refused(const char *text, const char *says)
{
	struct key *key = NULL;
	struct err e = {0};

	ck_assert(!import(text, &any_rs, &key, &e));
	ck_assert_ptr_null(key);
	ck_assert_int_eq(e.code, ERR_CRYPTO);
	ck_assert_msg(strstr(e.text, says) != NULL, "%s", e.text);
	if (strlen(text) > 200)
		for (size_t at = 64; at + 8 < strlen(text) - 64; at++) {
			char part[9] = {0};

			memcpy(part, text + at, 8);
			ck_assert_ptr_null(strstr(e.text, part));
		}
}

START_TEST(jt23_a_private_key_is_refused_without_showing_it)
{
	char *pem = token_key_pem_private(_i == 0 ? TOKEN_KEY_RSA : TOKEN_KEY_P256);

	assert_refused(pem, "private key");
	free(pem);
}
END_TEST

static const char certificate[] =
        "-----BEGIN CERTIFICATE-----\n"
        "MIIBszCCAVmgAwIBAgIUAAAAAAAAAAAAAAAAAAAAAAAAAAAwCgYIKoZIzj0EAwIw\n"
        "-----END CERTIFICATE-----\n";
static const char garbage[] = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
static const char other_label[] = "-----BEGIN OPENSSH KEY-----\nAAAA\n-----END OPENSSH KEY-----\n";

static const struct wrong {
	const char *text, *says;
} wrong[] = {
        {"",                             "no PEM"       },
        {"not a key",                    "no PEM"       },
        {certificate,                    "certificate"  },
        {garbage,                        "no public key"},
        {other_label,                    "no public key"},
        {"-----BEGIN PUBLIC KEY-----\n", "no PEM"       }
};

START_TEST(jt23_what_is_no_public_key_is_refused)
{
	assert_refused(wrong[_i].text, wrong[_i].says);
}
END_TEST

START_TEST(jt23_a_block_with_headers_is_refused)
{
	char *pem = token_key_pem(TOKEN_KEY_RSA), text[4096];
	size_t first = strcspn(pem, "\n") + 1;

	(void)snprintf(text, sizeof(text), "%.*sComment: none\n\n%s", (int)first, pem, pem + first);
	assert_refused(text, "headers");
	free(pem);
}
END_TEST

START_TEST(jt23_two_blocks_are_refused_whatever_the_second_is)
{
	char *pem = token_key_pem(TOKEN_KEY_RSA), *second = token_key_pem(TOKEN_KEY_RSA_OTHER);
	char both[8192];

	(void)snprintf(both, sizeof(both), "%s%s", pem, second);
	assert_refused(both, "more than one");
	(void)snprintf(both, sizeof(both), "%s%s", pem, certificate);
	assert_refused(both, "more than one");
	free(pem);
	free(second);
}
END_TEST

START_TEST(jt23_bytes_behind_the_key_are_refused)
{
	char *pem = token_key_pem(TOKEN_KEY_P256), text[1024];
	struct key_binding es256 = {.allowed = {1U << ALGORITHM_ES256}};
	struct key *key = NULL;
	struct err e = {0};
	char *end = strstr(pem, "\n-----END");

	/* Four more characters in the last line are three more bytes behind the structure. */
	(void)snprintf(text, sizeof(text), "%.*s\nAAAA%s",
	        (int)(strrchr(pem, '=') != NULL ? strcspn(pem, "=") : (size_t)(end - pem)), pem,
	        end);
	ck_assert(!import(text, &es256, &key, &e));
	free(pem);
}
END_TEST

START_TEST(jt23_a_foreign_curve_is_refused)
{
	char *pem = token_key_pem(TOKEN_KEY_K1);

	assert_refused(pem, "curve");
	free(pem);
}
END_TEST

START_TEST(a_key_that_no_allowed_algorithm_fits_is_refused)
{
	struct key_binding two = {.allowed = {1U << ALGORITHM_RS256 | 1U << ALGORITHM_PS256}};
	struct key *key = NULL;
	struct err e = {0};
	char *rsa = token_key_pem(TOKEN_KEY_RSA), *ec = token_key_pem(TOKEN_KEY_P256);

	assert_refused(ec, "no allowed algorithm");
	ck_assert(!import(rsa, &two, &key, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "only one"));
	free(rsa);
	free(ec);
}
END_TEST

static void
write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "wbe");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(jt23_a_file_is_read_or_named_in_the_error)
{
	char path[] = "/tmp/tasker-pem-XXXXXX";
	int fd = mkstemp(path);
	char *pem = token_key_pem(TOKEN_KEY_RSA);
	AUTO(key) struct key *key = NULL;
	struct key *none = NULL;
	struct err e = {0};

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	write_file(path, pem, strlen(pem));
	ck_assert(pem_import_file(path, &any_rs, &key, &e));
	write_file(path, garbage, strlen(garbage));
	ck_assert(!pem_import_file(path, &any_rs, &none, &e));
	ck_assert_ptr_nonnull(strstr(e.text, path));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(!pem_import_file(path, &any_rs, &none, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	ck_assert_ptr_nonnull(strstr(e.text, path));
	ck_assert(!pem_import_file("/tmp", &any_rs, &none, &e));
	ck_assert_int_eq(e.code, ERR_IO);
	free(pem);
}
END_TEST

START_TEST(a_text_of_more_than_64_kib_is_refused)
{
	char path[] = "/tmp/tasker-pem-XXXXXX", *text = malloc(PEM_TEXT_MAX + 1);
	int fd = mkstemp(path);
	struct key *none = NULL;
	struct err e = {0};

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	memset(text, '\n', PEM_TEXT_MAX + 1);
	ck_assert(!pem_import(text, PEM_TEXT_MAX + 1, &any_rs, &none, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	write_file(path, text, PEM_TEXT_MAX + 1);
	ck_assert(!pem_import_file(path, &any_rs, &none, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	write_file(path, text, PEM_TEXT_MAX);
	ck_assert(!pem_import_file(path, &any_rs, &none, &e));
	ck_assert_int_eq(e.code, ERR_CRYPTO);
	ck_assert_int_eq(unlink(path), 0);
	free(text);
}
END_TEST

static const char *pem_text;

static bool
build(struct err *e)
{
	struct key_binding es256 = {.allowed = {1U << ALGORITHM_ES256}, .kid = "a"};
	AUTO(key) struct key *key = NULL;

	return import(pem_text, &es256, &key, e);
}

START_TEST(every_allocation_may_fail)
{
	char *pem = token_key_pem(TOKEN_KEY_P256);

	pem_text = pem;
	ck_assert_uint_ge(kit_torture(build), 2);
	free(pem);
}
END_TEST

Suite *
pem_suite(void)
{
	Suite *s = suite_create("pem");
	TCase *tc = tcase_create("import");

	token_maker_prepare();
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, public_keys_come_in_with_their_algorithm, 0, COUNT(wanted));
	tcase_add_test(tc, pkcs1_and_spki_are_the_same_key);
	tcase_add_loop_test(tc, jt23_a_private_key_is_refused_without_showing_it, 0, 2);
	tcase_add_loop_test(tc, jt23_what_is_no_public_key_is_refused, 0, COUNT(wrong));
	tcase_add_test(tc, jt23_a_block_with_headers_is_refused);
	tcase_add_test(tc, jt23_two_blocks_are_refused_whatever_the_second_is);
	tcase_add_test(tc, jt23_bytes_behind_the_key_are_refused);
	tcase_add_test(tc, jt23_a_foreign_curve_is_refused);
	tcase_add_test(tc, a_key_that_no_allowed_algorithm_fits_is_refused);
	tcase_add_test(tc, jt23_a_file_is_read_or_named_in_the_error);
	tcase_add_test(tc, a_text_of_more_than_64_kib_is_refused);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

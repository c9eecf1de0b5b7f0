#include "shared/security/digest.h"

#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

/* FIPS 180-4's own examples, and the empty text. */
static const struct known {
	const char *text, *hex;
} known[] = {
        {"",                                                         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",                                                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"                                                            },
};

START_TEST(known_answers_in_one_shot_and_in_pieces)
{
	const struct known *k = &known[_i];
	unsigned char whole[DIGEST_BYTES], pieces[DIGEST_BYTES];
	char hex[DIGEST_HEX];
	AUTO(digest) struct digest *d = NULL;
	struct err e = {0};

	ck_assert(digest_of(k->text, strlen(k->text), whole));
	digest_hex(whole, hex);
	ck_assert_str_eq(hex, k->hex);
	ck_assert(digest_new(&d, &e));
	for (size_t i = 0; i < strlen(k->text); i++)
		digest_add(d, k->text + i, 1);
	ck_assert(digest_finish(d, pieces));
	ck_assert_mem_eq(whole, pieces, DIGEST_BYTES);
}
END_TEST

START_TEST(a_machine_starts_anew_after_finishing)
{
	unsigned char first[DIGEST_BYTES], second[DIGEST_BYTES], empty[DIGEST_BYTES];
	AUTO(digest) struct digest *d = NULL;
	struct err e = {0};

	ck_assert(digest_new(&d, &e));
	digest_add(d, "abc", 3);
	ck_assert(digest_finish(d, first));
	digest_add(d, "abc", 3);
	ck_assert(digest_finish(d, second));
	ck_assert_mem_eq(first, second, DIGEST_BYTES);
	ck_assert(digest_finish(d, empty));
	ck_assert(digest_of("", 0, second));
	ck_assert_mem_eq(empty, second, DIGEST_BYTES);
}
END_TEST

START_TEST(hex_goes_there_and_back_in_either_case)
{
	unsigned char digest[DIGEST_BYTES], back[DIGEST_BYTES];
	char hex[DIGEST_HEX];

	ck_assert(digest_of("abc", 3, digest));
	digest_hex(digest, hex);
	ck_assert(digest_from_hex(hex, 64, back));
	ck_assert_mem_eq(digest, back, DIGEST_BYTES);
	for (size_t i = 0; i < 64; i++)
		if (hex[i] >= 'a')
			hex[i] = (char)(hex[i] - 'a' + 'A');
	memset(back, 0, sizeof(back));
	ck_assert(digest_from_hex(hex, 64, back));
	ck_assert_mem_eq(digest, back, DIGEST_BYTES);
}
END_TEST

START_TEST(anything_but_64_hex_digits_is_refused_and_leaves_out_alone)
{
	char hex[DIGEST_HEX + 1] = {0};
	unsigned char out[DIGEST_BYTES] = {42};

	memset(hex, 'a', 65);
	ck_assert(!digest_from_hex(hex, 63, out));
	ck_assert(!digest_from_hex(hex, 65, out));
	ck_assert(!digest_from_hex(hex, 0, out));
	for (unsigned c = 1; c < 256; c++) {
		bool digit = strchr("0123456789abcdefABCDEF", (int)c) != NULL;

		hex[63] = (char)c;
		out[0] = 42;
		ck_assert_int_eq(digest_from_hex(hex, 64, out), digit);
		ck_assert_uint_eq(out[0], digit ? 0xaa : 42);
	}
}
END_TEST

static bool
build(struct err *e)
{
	AUTO(digest) struct digest *d = NULL;

	return digest_new(&d, e);
}

START_TEST(every_allocation_may_fail)
{
	ck_assert_uint_eq(kit_torture(build), 1);
}
END_TEST

Suite *
digest_suite(void)
{
	Suite *s = suite_create("digest");
	TCase *tc = tcase_create("sha256");

	tcase_add_loop_test(tc, known_answers_in_one_shot_and_in_pieces, 0, COUNT(known));
	tcase_add_test(tc, a_machine_starts_anew_after_finishing);
	tcase_add_test(tc, hex_goes_there_and_back_in_either_case);
	tcase_add_test(tc, anything_but_64_hex_digits_is_refused_and_leaves_out_alone);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

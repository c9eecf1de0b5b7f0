#include "shared/base/b64url.h"

#include <string.h>

#include "shared/base/rand.h"
#include "tests/unit/unit.h"

/* JT8: padding, the other alphabet, white space, a length of 1 mod 4, unused bits that are set. */
static const char *const refused[] = {"A", "AAAAA", "AA==", "AAA=", "=", "AB", "AAB", "__9", "+AAA",
        "/AAA", "AA A", "AAA\n", "\nAAA", "A.AA", "AA\xc3\xa9", "A\x80"};

START_TEST(each_byte_string_has_one_spelling)
{
	unsigned char out[B64URL_DECODED(16)];
	size_t len = 42;

	ck_assert_msg(
	        !b64url_decode(refused[_i], strlen(refused[_i]), out, &len), "%s", refused[_i]);
	ck_assert_uint_eq(len, 42);
}
END_TEST

START_TEST(a_nul_is_refused)
{
	unsigned char out[B64URL_DECODED(4)];
	size_t len;

	ck_assert(!b64url_decode("AA\0A", 4, out, &len));
}
END_TEST

static const struct {
	const char *bytes, *text;
} pairs[] = {
        {"",             ""        },
        {"f",            "Zg"      },
        {"fo",           "Zm8"     },
        {"foo",          "Zm9v"    },
        {"foob",         "Zm9vYg"  },
        {"fooba",        "Zm9vYmE" },
        {"foobar",       "Zm9vYmFy"},
        {"\xff\xef\xbe", "_---"    },
        {"\xfb\xff",     "-_8"     },
};

START_TEST(known_pairs)
{
	unsigned char bytes[16];
	char text[16];
	size_t len, count = strlen(pairs[_i].bytes);

	ck_assert(b64url_decode(pairs[_i].text, strlen(pairs[_i].text), bytes, &len));
	ck_assert_uint_eq(len, count);
	ck_assert_int_eq(memcmp(bytes, pairs[_i].bytes, len), 0);
	len = b64url_encode(bytes, count, text);
	ck_assert_uint_eq(len, strlen(pairs[_i].text));
	ck_assert_int_eq(memcmp(text, pairs[_i].text, len), 0);
	ck_assert_uint_eq(len, B64URL_ENCODED(count));
	ck_assert_uint_le(count, B64URL_DECODED(len));
}
END_TEST

START_TEST(random_bytes_come_back)
{
	unsigned char bytes[257], back[B64URL_DECODED(B64URL_ENCODED(257))];
	char text[B64URL_ENCODED(257)];
	size_t len, got;

	for (size_t i = 0; i <= sizeof(bytes); i++) {
		rand_bytes(bytes, i);
		len = b64url_encode(bytes, i, text);
		ck_assert(b64url_decode(text, len, back, &got));
		ck_assert_uint_eq(got, i);
		ck_assert_int_eq(memcmp(back, bytes, i), 0);
	}
}
END_TEST

Suite *
b64url_suite(void)
{
	Suite *s = suite_create("b64url");
	TCase *tc = tcase_create("b64url");

	tcase_add_loop_test(tc, each_byte_string_has_one_spelling, 0, COUNT(refused));
	tcase_add_test(tc, a_nul_is_refused);
	tcase_add_loop_test(tc, known_pairs, 0, COUNT(pairs));
	tcase_add_test(tc, random_bytes_come_back);
	suite_add_tcase(s, tc);
	return s;
}

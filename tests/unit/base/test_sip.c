/* A hash for tables: every bit of the key, of the bytes and of their number matters. */
#include "shared/base/sip.h"

#include "tests/unit/unit.h"

static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static uint64_t
hash(const uint64_t with[2], const char *bytes, size_t len)
{
	struct sip sip = sip_start(with);

	sip_bytes(&sip, bytes, len);
	return sip_end(&sip);
}

START_TEST(every_length_and_every_bit_changes_it)
{
	char bytes[40] = {0};
	const size_t most = sizeof(bytes);

	for (size_t len = 0; len < most; len++) {
		const uint64_t plain = hash(key, bytes, len);

		ck_assert(len == 0 || plain != hash(key, bytes, len - 1));
		for (size_t bit = 0; bit < len * 8; bit++) {
			bytes[bit / 8] = (char)(1 << bit % 8);
			ck_assert(hash(key, bytes, len) != plain);
			bytes[bit / 8] = 0;
		}
		ck_assert(hash(key, bytes, len) == plain);
	}
}
END_TEST

START_TEST(every_bit_of_the_key_changes_it)
{
	const uint64_t plain = hash(key, "principal", 9);

	for (unsigned bit = 0; bit < 128; bit++) {
		uint64_t other[2] = {key[0], key[1]};

		other[bit / 64] ^= UINT64_C(1) << bit % 64;
		ck_assert(hash(other, "principal", 9) != plain);
	}
}
END_TEST

/* Neighbours spread over a table as evenly as chance would have them. */
START_TEST(neighbours_do_not_cluster)
{
	static unsigned cells[2][256];

	for (uint64_t i = 0; i < 256 * 64; i++) {
		struct sip sip = sip_start(key);
		uint64_t h;

		sip_word(&sip, i);
		h = sip_end(&sip);
		cells[0][h & 255]++;
		cells[1][h >> 32 & 255]++;
	}
	for (size_t row = 0; row < 2; row++)
		for (size_t i = 0; i < 256; i++) {
			ck_assert_uint_gt(cells[row][i], 24); /* 64 on average, 5 sigma */
			ck_assert_uint_lt(cells[row][i], 104);
		}
}
END_TEST

Suite *
sip_suite(void)
{
	Suite *s = suite_create("sip");
	TCase *tc = tcase_create("sip");

	tcase_add_test(tc, every_length_and_every_bit_changes_it);
	tcase_add_test(tc, every_bit_of_the_key_changes_it);
	tcase_add_test(tc, neighbours_do_not_cluster);
	suite_add_tcase(s, tc);
	return s;
}

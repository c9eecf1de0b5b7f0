/* JT22: 10^5 single-bit flips and 10^5 structural mutations of good tokens; none is accepted. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/jws.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

enum { MUTATIONS = 100000, TOKEN_SIZE = 2048 };

static const struct subject {
	enum token_key key;
	const char *alg;
} subjects[] = {
        {TOKEN_KEY_RSA,     "RS256"},
        {TOKEN_KEY_RSA,     "PS256"},
        {TOKEN_KEY_P256,    "ES256"},
        {TOKEN_KEY_ED25519, "EdDSA"}
};

static const char payload[] = "{\"iss\":\"tasker-core\",\"sub\":\"alice\",\"aud\":\"tasker-api\"}";

struct bench {
	struct key_set *keys;
	struct jws_verifier *verifier;
	char *good;
	size_t len;
	uint64_t random; /* a fixed seed: a failure repeats */
};

static uint64_t
next(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random;
}

static void
open_bench(struct bench *b, const struct subject *subject)
{
	struct err e = {0};

	b->keys = kit_keys(subject->key, subject->alg);
	ck_assert(jws_verifier_new(b->keys, &b->verifier, &e));
	b->good = token_make(subject->key, subject->alg, payload);
	b->len = strlen(b->good);
	b->random = UINT64_C(0x9e3779b97f4a7c15);
}

static void
close_bench(struct bench *b)
{
	jws_verifier_free(b->verifier);
	key_set_free(b->keys);
	free(b->good);
}

static bool
accepted(struct bench *b, const char *token, size_t len)
{
	static struct jws jws;
	const struct key *key = NULL;

	return jws_open(&jws, token, len) == VERDICT_GRANT &&
	       jws_check(b->verifier, &jws, &key) == VERDICT_GRANT;
}

START_TEST(jt22_no_single_bit_may_flip)
{
	struct bench b;

	open_bench(&b, &subjects[_i]);
	ck_assert(accepted(&b, b.good, b.len));
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.good[bit / 8] = (char)(b.good[bit / 8] ^ 1 << bit % 8);
		ck_assert(!accepted(&b, b.good, b.len));
		b.good[bit / 8] = (char)(b.good[bit / 8] ^ 1 << bit % 8);
	}
	/* And pairs of bits, up to 10^5 in all over the four algorithms. */
	for (size_t i = b.len * 8; i < MUTATIONS / COUNT(subjects); i++) {
		size_t one = next(&b) % (b.len * 8), other = next(&b) % (b.len * 8);

		if (one == other)
			continue;
		b.good[one / 8] = (char)(b.good[one / 8] ^ 1 << one % 8);
		b.good[other / 8] = (char)(b.good[other / 8] ^ 1 << other % 8);
		ck_assert(!accepted(&b, b.good, b.len));
		b.good[one / 8] = (char)(b.good[one / 8] ^ 1 << one % 8);
		b.good[other / 8] = (char)(b.good[other / 8] ^ 1 << other % 8);
	}
	ck_assert(accepted(&b, b.good, b.len));
	close_bench(&b);
}
END_TEST

/* Cuts out, doubles, moves or replaces a stretch of the token. */
static size_t
mutate(struct bench *b, char *text)
{
	static const char filler[] = "=.-_+/AZaz09 \n\0{}";
	size_t from = next(b) % b->len, count = next(b) % 40 + 1, to = next(b) % b->len;
	size_t tail;

	count = count > b->len - from ? b->len - from : count;
	tail = b->len - from - count;
	memcpy(text, b->good, b->len);
	switch (next(b) % 4) {
	case 0: /* cut */
		memmove(text + from, b->good + from + count, tail);
		return b->len - count;
	case 1: /* double */
		memcpy(text + from + count, b->good + from, count + tail);
		return b->len + count;
	case 2: /* overwrite elsewhere */
		count = count > b->len - to ? b->len - to : count;
		memcpy(text + to, b->good + from, count);
		return b->len;
	default: /* insert */
		text[from] = filler[next(b) % (sizeof(filler) - 1)];
		memcpy(text + from + 1, b->good + from, b->len - from);
		return b->len + 1;
	}
}

START_TEST(jt22_no_structural_mutation_is_accepted)
{
	static char text[TOKEN_SIZE];
	struct bench b;

	open_bench(&b, &subjects[_i]);
	ck_assert_uint_lt(b.len + 64, TOKEN_SIZE);
	for (size_t i = 0; i < MUTATIONS / COUNT(subjects); i++) {
		size_t len = mutate(&b, text);

		if (len == b.len && memcmp(text, b.good, len) == 0)
			continue; /* a stretch moved onto its like */
		ck_assert(!accepted(&b, text, len));
	}
	close_bench(&b);
}
END_TEST

Suite *
jws_mutation_suite(void)
{
	Suite *s = suite_create("jws_mutation");
	TCase *tc = tcase_create("mutations");

	token_maker_prepare();
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, jt22_no_single_bit_may_flip, 0, COUNT(subjects));
	tcase_add_loop_test(tc, jt22_no_structural_mutation_is_accepted, 0, COUNT(subjects));
	suite_add_tcase(s, tc);
	return s;
}

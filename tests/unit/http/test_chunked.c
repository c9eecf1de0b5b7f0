/* What the chunked coding gives, where it ends, and what it refuses. */
#include "shared/http/chunked.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	const char *coded, *data;
	enum chunked_verdict verdict;
	size_t consumed; /* by DONE */
} cases[] = {
        {"0\r\n\r\n",                                   "",                 CHUNKED_DONE,      5 },
        {"0\r\n\r\nGET",                                "",                 CHUNKED_DONE,      5 },
        {"00000000\r\n\r\n",                            "",                 CHUNKED_DONE,      12},
        {"3\r\nabc\r\n0\r\n\r\n",                       "abc",              CHUNKED_DONE,      13},
        {"3\r\nabc\r\n0\r\n\r\n\r\n",                   "abc",              CHUNKED_DONE,      13},
        {"1\r\na\r\n1\r\nb\r\n0\r\n\r\n",               "ab",               CHUNKED_DONE,      17},
        {"A\r\n0123456789\r\n6\r\nabcdef\r\n0\r\n\r\n", "0123456789abcdef", CHUNKED_DONE,      31},
        {"9\r\n012345678\r\n0\r\n\r\n",                 "012345678",        CHUNKED_DONE,      19},
        {"F\r\n0123456789abcde\r\n0\r\n\r\n",           "0123456789abcde",  CHUNKED_DONE,      25},
        {"f\r\n0123456789abcde\r\n0\r\n\r\n",           "0123456789abcde",  CHUNKED_DONE,      25},
        {"3\r\nabc",                                    "abc",              CHUNKED_MORE,      0 },
        {"3\r\nabc\r\n0\r\n",                           "abc",              CHUNKED_MORE,      0 },
        {"",                                            "",                 CHUNKED_MORE,      0 },
        {"10\r\n0123456789abcdef\r\n1\r\n",             "0123456789abcdef", CHUNKED_TOO_LARGE, 0 },
        {"11\r\n",                                      "",                 CHUNKED_TOO_LARGE, 0 },
        {"ffffffff\r\n",                                "",                 CHUNKED_TOO_LARGE, 0 },
        {"\r\n",                                        "",                 CHUNKED_BAD,       0 },
        {"0x3\r\n",                                     "",                 CHUNKED_BAD,       0 },
        {"+3\r\n",                                      "",                 CHUNKED_BAD,       0 },
        {" 3\r\n",                                      "",                 CHUNKED_BAD,       0 },
        {"3 \r\n",                                      "",                 CHUNKED_BAD,       0 },
        {"3;\r\n",                                      "",                 CHUNKED_BAD,       0 },
        {"3\n",                                         "",                 CHUNKED_BAD,       0 },
        {"3\rx",                                        "",                 CHUNKED_BAD,       0 },
        {"000000003\r\n",                               "",                 CHUNKED_BAD,       0 },
        {"3\r\nabcd",                                   "abc",              CHUNKED_BAD,       0 },
        {"3\r\nabc\n",                                  "abc",              CHUNKED_BAD,       0 },
        {"3\r\nabc\r\r",                                "abc",              CHUNKED_BAD,       0 },
        {"3\r\nabc\r\n\r\n",                            "abc",              CHUNKED_BAD,       0 },
        {"0\r\nX: 1\r\n\r\n",                           "",                 CHUNKED_BAD,       0 },
        {"0\r\n\n",                                     "",                 CHUNKED_BAD,       0 },
        {"0\r\n\r\r",                                   "",                 CHUNKED_BAD,       0 },
};

enum { BODY_MAX = 16 };

/* Decodes in two pieces; the second begins where the first was used up to. */
static enum chunked_verdict
decode(const char *coded, size_t split, struct buf *out, size_t *consumed)
{
	struct chunked d = CHUNKED(BODY_MAX);
	const size_t len = strlen(coded);
	struct chunked_result r = chunked_decode(&d, coded, split, out);

	*consumed = r.consumed;
	if (r.verdict != CHUNKED_MORE)
		return r.verdict;
	ck_assert_uint_eq(r.consumed, split);
	r = chunked_decode(&d, coded + split, len - split, out);
	*consumed += r.consumed;
	return r.verdict;
}

START_TEST(data_end_and_verdict_do_not_depend_on_the_split_HP3_HP4_HP17)
{
	for (size_t split = 0; split <= strlen(cases[_i].coded); split++) {
		AUTO(buf) struct buf out = BUF(BODY_MAX);
		size_t consumed = 0;

		ck_assert_int_eq(
		        decode(cases[_i].coded, split, &out, &consumed), cases[_i].verdict);
		ck_assert_uint_eq(out.len, strlen(cases[_i].data));
		if (out.len > 0)
			ck_assert_mem_eq(out.data, cases[_i].data, out.len);
		if (cases[_i].verdict == CHUNKED_DONE)
			ck_assert_uint_eq(consumed, cases[_i].consumed);
	}
}
END_TEST

START_TEST(each_refusal_says_why)
{
	AUTO(buf) struct buf out = BUF(BODY_MAX);
	struct chunked d = CHUNKED(BODY_MAX);

	ck_assert_str_eq(chunked_decode(&d, "3;a=b\r\n", 7, &out).reason, "a malformed chunk size");
	d = CHUNKED(BODY_MAX);
	ck_assert_str_eq(
	        chunked_decode(&d, "0\r\nX", 4, &out).reason, "a trailer after the last chunk");
	d = CHUNKED(BODY_MAX);
	ck_assert_str_eq(chunked_decode(&d, "11\r\n", 4, &out).reason, "the body is too large");
}
END_TEST

START_TEST(no_memory_is_a_verdict_of_its_own)
{
	AUTO(buf) struct buf out = BUF(BODY_MAX);
	struct chunked d = CHUNKED(BODY_MAX);
	struct chunked_result r;

	fault_allocation(1);
	r = chunked_decode(&d, "3\r\nabc", 6, &out);
	fault_allocation(0);
	ck_assert_int_eq(r.verdict, CHUNKED_NO_MEMORY);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

Suite *
chunked_suite(void)
{
	Suite *s = suite_create("chunked");
	TCase *tc = tcase_create("decoder");

	tcase_add_loop_test(
	        tc, data_end_and_verdict_do_not_depend_on_the_split_HP3_HP4_HP17, 0, COUNT(cases));
	tcase_add_test(tc, each_refusal_says_why);
	tcase_add_test(tc, no_memory_is_a_verdict_of_its_own);
	suite_add_tcase(s, tc);
	return s;
}

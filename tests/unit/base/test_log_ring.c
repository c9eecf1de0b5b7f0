#include "shared/base/log_ring.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(a_full_ring_refuses_the_whole_line)
{
	struct log_ring *ring = calloc(1, sizeof(*ring));
	char line[1024], out[LOG_RING];
	size_t lines = 0;

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	ck_assert(log_ring_empty(ring));
	while (log_ring_put(ring, line, sizeof(line)))
		lines++;
	ck_assert_uint_eq(lines, LOG_RING / sizeof(line));
	ck_assert(!log_ring_put(ring, "\n", 1));
	ck_assert_uint_eq(log_ring_take(ring, out, sizeof(out)), LOG_RING);
	ck_assert(log_ring_empty(ring));
	ck_assert(log_ring_put(ring, "\n", 1));
	free(ring);
}
END_TEST

START_TEST(only_whole_lines_come_out_across_the_seam)
{
	struct log_ring *ring = calloc(1, sizeof(*ring));
	char line[700], out[1500];
	size_t put = 0, taken = 0;

	for (int round = 0; round < 2000; round++) {
		size_t len = 1 + (size_t)(round * 37) % sizeof(line), got;

		memset(line, 'a' + round % 26, len);
		line[len - 1] = '\n';
		put += log_ring_put(ring, line, len);
		if (round % 3 != 0)
			continue;
		got = log_ring_take(ring, out, sizeof(out));
		ck_assert(got == 0 || out[got - 1] == '\n');
		for (size_t i = 0; i < got; i++)
			taken += out[i] == '\n';
		/* a line is of one letter: nothing was mixed */
		for (size_t i = 1; i < got; i++)
			ck_assert(out[i] == out[i - 1] || out[i] == '\n' || out[i - 1] == '\n');
	}
	for (size_t got; (got = log_ring_take(ring, out, sizeof(out))) > 0;)
		for (size_t i = 0; i < got; i++)
			taken += out[i] == '\n';
	ck_assert_uint_eq(taken, put);
	ck_assert(log_ring_empty(ring));
	free(ring);
}
END_TEST

Suite *
log_ring_suite(void)
{
	Suite *s = suite_create("log_ring");
	TCase *tc = tcase_create("log_ring");

	tcase_add_test(tc, a_full_ring_refuses_the_whole_line);
	tcase_add_test(tc, only_whole_lines_come_out_across_the_seam);
	suite_add_tcase(s, tc);
	return s;
}

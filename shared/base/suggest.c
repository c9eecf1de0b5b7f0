#include "shared/base/suggest.h"

#include <stdint.h>
#include <string.h>

/* Levenshtein's distance, one row of his table at a time. */
size_t
suggest_distance(const char *a, const char *b)
{
	size_t row[SUGGEST_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > SUGGEST_MAX || b_len > SUGGEST_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

struct suggest
suggest_for(const char *asked)
{
	/* One slip in a short word, one more for every four letters; never a whole other word. */
	return (struct suggest){.asked = asked, .distance = strlen(asked) / 4 + 2};
}

void
suggest_offer(struct suggest *s, const char *name)
{
	size_t n = suggest_distance(s->asked, name);

	if (n < s->distance && n < strlen(s->asked)) {
		s->distance = n;
		s->best = name;
	}
}

#include "shared/template/suggest.h"

#include <string.h>

/* Insertions, deletions and replacements that turn a into b; both at most SUGGEST_MAX bytes. */
static size_t
edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[SUGGEST_MAX + 1];

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
	size_t asked_len = strlen(s->asked);
	size_t len = strlen(name);
	size_t n;

	if (asked_len > SUGGEST_MAX || len > SUGGEST_MAX)
		return;
	n = edits(s->asked, asked_len, name, len);
	if (n < s->distance && n < asked_len) {
		s->distance = n;
		s->best = name;
	}
}

/*
 * "Did you mean": the nearest of a list of names to one that is not among them.
 *
 *     struct suggest s = suggest_for(asked);
 *     for each name: suggest_offer(&s, name);
 *     if (s.best != NULL) ...
 */
#ifndef SHARED_BASE_SUGGEST_H
#define SHARED_BASE_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_MAX = 96 }; /* bytes; longer names are neither helped nor offered */

struct suggest {
	const char *asked;
	const char *best; /* NULL: nothing is near enough */
	size_t distance;  /* edits from asked to best; before the first, one more than allowed */
};

/* Starts a search; asked must outlive it. */
struct suggest suggest_for(const char *asked);

/* Considers a name; the first of the nearest wins. The name must outlive s. */
void suggest_offer(struct suggest *s, const char *name);

/* Insertions, deletions and replacements that turn a into b; SIZE_MAX if one is beyond SUGGEST_MAX.
 */
size_t suggest_distance(const char *a, const char *b);

#endif

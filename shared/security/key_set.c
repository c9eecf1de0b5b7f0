#include "shared/security/key_set.h"

#include <stdlib.h>
#include <string.h>

struct key_set {
	size_t count;
	struct key *keys[KEY_SET_MAX];
};

bool
key_set_new(OWNED struct key_set **out, struct err *e)
{
	struct key_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a key set");
	*out = set;
	return true;
}

void
key_set_free(struct key_set *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		key_free(set->keys[i]);
	free(set);
}

static ptrdiff_t
find_kid(const struct key_set *set, const char *kid)
{
	for (size_t i = 0; i < set->count; i++) {
		const char *own = key_kid(set->keys[i]);

		if (own != NULL && strcmp(own, kid) == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

bool
key_set_add(struct key_set *set, struct key *key, struct err *e)
{
	if (key_kid(key) != NULL && find_kid(set, key_kid(key)) >= 0)
		return err_set(e, ERR_CONFLICT, "two keys have one kid");
	if (set->count == KEY_SET_MAX)
		return err_set(e, ERR_LIMIT, "more than %d keys", KEY_SET_MAX);
	set->keys[set->count++] = key;
	return true;
}

size_t
key_set_count(const struct key_set *set)
{
	return set->count;
}

const struct key *
key_set_at(const struct key_set *set, size_t i)
{
	return set->keys[i];
}

static ptrdiff_t
find_only(const struct key_set *set, enum algorithm a)
{
	ptrdiff_t found = -1;

	for (size_t i = 0; i < set->count; i++) {
		if (key_algorithm(set->keys[i]) != a)
			continue;
		if (found >= 0)
			return -1;
		found = (ptrdiff_t)i;
	}
	return found;
}

ptrdiff_t
key_set_find(const struct key_set *set, const char *kid, enum algorithm a)
{
	if (set->count == 1 && key_kid(set->keys[0]) == NULL)
		return 0;
	return kid != NULL ? find_kid(set, kid) : find_only(set, a);
}

bool
key_set_overlaps(const struct key_set *a, const struct key_set *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (memcmp(key_fingerprint(a->keys[i]), key_fingerprint(b->keys[j]),
			            DIGEST_BYTES) == 0)
				return true;
	return false;
}

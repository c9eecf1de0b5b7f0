/*
 * The keys one class of tokens may be signed with. Filled while it is built, immutable afterwards:
 * a rotation replaces the set.
 */
#ifndef SHARED_SECURITY_KEY_SET_H
#define SHARED_SECURITY_KEY_SET_H

#include "shared/security/key.h"

enum { KEY_SET_MAX = 64 };

struct key_set;

/* An empty set. */
MUST_CHECK bool key_set_new(OWNED struct key_set **out, struct err *e);
void key_set_free(struct key_set *set); /* NULL is fine */

/* Owns key from now on, if it says true. ERR_CONFLICT: that kid is taken. ERR_LIMIT: it is full. */
MUST_CHECK bool key_set_add(struct key_set *set, struct key *key, struct err *e);

/* Its keys, 0 to count - 1. */
size_t key_set_count(const struct key_set *set);
BORROWED const struct key *key_set_at(const struct key_set *set, size_t i);

/*
 * The number of the key for a token with this kid (NULL: none) and this algorithm, or -1.
 * A kid must be some key's, byte for byte. Only a set of one key without a kid (a configured PEM)
 * does not ask for it. Without a kid exactly one key of that algorithm must be there (JK14).
 * The answer says which key to try, not that its algorithm fits.
 */
ptrdiff_t key_set_find(const struct key_set *set, const char *kid, enum algorithm a);

/* Have the two sets a key in common, under whatever name? */
bool key_set_overlaps(const struct key_set *a, const struct key_set *b);

AUTO_DEFINE(key_set, struct key_set, key_set_free)

#endif

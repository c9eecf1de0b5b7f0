/*
 * Tokens this loop has verified, so that the next request with one costs a look-up.
 *
 * Set-associative: a keyed hash chooses a set of eight, a hit compares the whole token, a full set
 * loses its least recently used entry. So memory is bounded by the number of entries, and nobody
 * outside can aim at a set. Only accepted tokens are kept, never refusals; each entry knows from
 * when and until when its token is good, and is asked each time (JT24). A look-up allocates
 * nothing.
 *
 * A token is good under the keys and rules it was checked under. Each entry carries their
 * generation; when those have moved on, the finder judges the entry anew, that one alone, and
 * either renews or drops it: so a withdrawn key or a revoked token ends at once, and a rotation
 * costs no storm of verifications.
 */
#ifndef SHARED_SECURITY_TOKEN_CACHE_H
#define SHARED_SECURITY_TOKEN_CACHE_H

#include "shared/security/digest.h"
#include "shared/security/security_context.h"

enum {
	TOKEN_CACHE_WAYS = 8,
	TOKEN_CACHE_ENTRIES_MAX = 1 << 20,
	TOKEN_CACHE_TOKEN_MAX = 8192 /* bytes; a longer token is not kept */
};

struct token_cache;

/* entries is rounded up to a power of two, at least TOKEN_CACHE_WAYS; ERR_LIMIT beyond the maximum.
 */
MUST_CHECK bool token_cache_new(size_t entries, OWNED struct token_cache **out, struct err *e);
void token_cache_free(struct token_cache *c); /* NULL is fine */

/* What is known of a token that was accepted. */
struct token_cache_fact {
	const struct security_context *context;
	int64_t from_s, until_s;                 /* good in [from_s, until_s) */
	uint64_t generation, rules;              /* under which it was judged last, and first */
	unsigned char fingerprint[DIGEST_BYTES]; /* of the key that signed it */
};

/* The fact of exactly this token if it is good at now_s, else NULL; until the next call. The caller
 * may renew its generation. Ref the context to keep it. */
BORROWED struct token_cache_fact *token_cache_find(
        struct token_cache *c, const char *token, size_t len, int64_t now_s);

/* Forgets a fact that was just found. */
void token_cache_drop(struct token_cache_fact *fact);

/*
 * Keeps a copy of the token and a reference to the fact's context. Without memory it keeps nothing,
 * which only costs the next request a verification.
 */
struct token_cache_entry {
	const char *token;
	size_t len;
	struct token_cache_fact fact;
};
void token_cache_put(struct token_cache *c, const struct token_cache_entry *entry);

AUTO_DEFINE(token_cache, struct token_cache, token_cache_free)

#endif

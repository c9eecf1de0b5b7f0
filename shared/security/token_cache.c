/*
 * Layout: a set is eight hashes, one cache line, beside its eight entries, so a miss reads one
 * line.
 *
 * The hash is SipHash-1-3 under a random key of this cache, over the token's length and its last 64
 * bytes. The end of a token is its signature: different for different tokens, and 384 bits that a
 * stranger does not know, so even reaching the comparison takes the token itself.
 */
#include "shared/security/token_cache.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/rand.h"
#include "shared/base/secret.h"
#include "shared/base/sip.h"

enum { HASHED_TAIL = 64 };

struct entry {
	char *token; /* NULL: empty */
	size_t len;
	uint64_t used; /* tick of its last use */
	struct token_cache_fact fact;
};

struct set {
	uint64_t hashes[TOKEN_CACHE_WAYS];
	struct entry entries[TOKEN_CACHE_WAYS];
};

struct token_cache {
	uint64_t key[2];
	uint64_t tick;
	size_t mask; /* sets - 1 */
	struct set sets[];
};

static size_t
sets_for(size_t entries)
{
	size_t sets = 1;

	while (sets * TOKEN_CACHE_WAYS < entries)
		sets *= 2;
	return sets;
}

bool
token_cache_new(size_t entries, OWNED struct token_cache **out, struct err *e)
{
	struct token_cache *c;
	size_t sets;

	if (entries > TOKEN_CACHE_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "a token cache of more than %d entries",
		        TOKEN_CACHE_ENTRIES_MAX);
	sets = sets_for(entries);
	c = calloc(1, sizeof(*c) + sets * sizeof(c->sets[0]));
	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a token cache");
	c->mask = sets - 1;
	rand_bytes(c->key, sizeof(c->key));
	*out = c;
	return true;
}

static void
clear(struct entry *entry)
{
	if (entry->token == NULL)
		return;
	secret_wipe(entry->token, entry->len);
	free(entry->token);
	security_context_unref(entry->fact.context);
	*entry = (struct entry){0};
}

void
token_cache_free(struct token_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i <= c->mask; i++)
		for (size_t way = 0; way < TOKEN_CACHE_WAYS; way++)
			clear(&c->sets[i].entries[way]);
	free(c);
}

static uint64_t
hash_of(const struct token_cache *c, const char *token, size_t len)
{
	size_t tail = len < HASHED_TAIL ? len : HASHED_TAIL;
	uint64_t words[HASHED_TAIL / sizeof(uint64_t)] = {0};
	struct sip sip = sip_start(c->key);

	memcpy(words, token + len - tail, tail);
	for (size_t i = 0; i < COUNT(words); i++)
		sip_word(&sip, words[i]);
	sip_word(&sip, len);
	return sip_end(&sip);
}

static struct entry *
entry_of(struct set *set, uint64_t hash, const char *token, size_t len)
{
	for (size_t way = 0; way < TOKEN_CACHE_WAYS; way++) {
		struct entry *entry = &set->entries[way];

		if (set->hashes[way] == hash && entry->token != NULL && entry->len == len &&
		        secret_equal(entry->token, token, len))
			return entry;
	}
	return NULL;
}

struct token_cache_fact *
token_cache_find(struct token_cache *c, const char *token, size_t len, int64_t now_s)
{
	uint64_t hash = hash_of(c, token, len);
	struct entry *entry = entry_of(&c->sets[hash & c->mask], hash, token, len);

	if (entry == NULL || now_s < entry->fact.from_s)
		return NULL;
	if (now_s >= entry->fact.until_s) {
		clear(entry);
		return NULL;
	}
	entry->used = ++c->tick;
	return &entry->fact;
}

void
token_cache_drop(struct token_cache_fact *fact)
{
	clear((struct entry *)((char *)fact - offsetof(struct entry, fact)));
}

/* An empty way has used 0, so it is always the least recently used. */
static size_t
victim(const struct set *set)
{
	size_t least = 0;

	for (size_t way = 1; way < TOKEN_CACHE_WAYS; way++)
		if (set->entries[way].used < set->entries[least].used)
			least = way;
	return least;
}

void
token_cache_put(struct token_cache *c, const struct token_cache_entry *added)
{
	uint64_t hash = hash_of(c, added->token, added->len);
	struct set *set = &c->sets[hash & c->mask];
	size_t way = victim(set);
	char *copy;

	if (added->len == 0 || added->len > TOKEN_CACHE_TOKEN_MAX ||
	        entry_of(set, hash, added->token, added->len) != NULL)
		return;
	copy = malloc(added->len);
	if (copy == NULL)
		return;
	memcpy(copy, added->token, added->len);
	clear(&set->entries[way]);
	set->hashes[way] = hash;
	set->entries[way] = (struct entry){
	        .token = copy, .len = added->len, .used = ++c->tick, .fact = added->fact};
	(void)security_context_ref(added->fact.context);
}

#include "shared/base/json_names.h"

#include <stdlib.h>

#include "shared/base/rand.h"

enum { FIRST_CAP = 64 };

struct sip {
	uint64_t v0, v1, v2, v3, word;
	unsigned filled; /* bytes in word */
	uint8_t len;
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
mix(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void
absorb(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	s->v0 ^= word;
}

static void
take_byte(struct sip *s, unsigned char byte)
{
	s->word |= (uint64_t)byte << (8 * s->filled);
	s->len++;
	if (++s->filled < 8)
		return;
	absorb(s, s->word);
	s->word = 0;
	s->filled = 0;
}

/* SipHash-1-3 over the owner and the unescaped bytes: a keyed hash made for tables. */
static uint64_t
hash(const uint64_t key[2], uint32_t owner, struct json_text name)
{
	struct sip s = {.v0 = key[0] ^ 0x736f6d6570736575,
	        .v1 = key[1] ^ 0x646f72616e646f6d,
	        .v2 = key[0] ^ 0x6c7967656e657261,
	        .v3 = key[1] ^ 0x7465646279746573};
	struct json_chars chars = json_chars_of(name);

	for (unsigned i = 0; i < 4; i++)
		take_byte(&s, (unsigned char)(owner >> (8 * i)));
	for (int c = json_chars_next(&chars); c >= 0; c = json_chars_next(&chars))
		take_byte(&s, (unsigned char)c);
	absorb(&s, s.word | (uint64_t)s.len << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* The slot of that name, or the free one where it belongs. */
static struct json_name *
slot_of(const struct json_names *names, const struct json_name *name)
{
	size_t mask = names->cap - 1, at = name->hash & mask;
	struct json_name *slot = &names->slots[at];

	while (slot->text.raw != NULL && (slot->hash != name->hash || slot->owner != name->owner ||
	                                         !json_text_same(slot->text, name->text))) {
		at = (at + 1) & mask;
		slot = &names->slots[at];
	}
	return slot;
}

static bool
grow(struct json_names *names)
{
	struct json_names larger = *names;

	larger.cap = names->cap == 0 ? FIRST_CAP : names->cap * 2;
	larger.slots = calloc(larger.cap, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < names->cap; i++)
		if (names->slots[i].text.raw != NULL)
			*slot_of(&larger, &names->slots[i]) = names->slots[i];
	free(names->slots);
	*names = larger;
	return true;
}

enum json_names_answer
json_names_add(struct json_names *names, uint32_t owner, struct json_text name)
{
	struct json_name wanted = {.text = name, .owner = owner};
	struct json_name *slot;

	if (names->cap == 0)
		rand_bytes(names->key, sizeof(names->key));
	if (names->count >= names->cap / 2 && !grow(names))
		return NAMES_NOMEM;
	wanted.hash = hash(names->key, owner, name);
	slot = slot_of(names, &wanted);
	if (slot->text.raw != NULL)
		return NAMES_TWICE;
	*slot = wanted;
	names->count++;
	return NAMES_NEW;
}

void
json_names_free(struct json_names *names)
{
	free(names->slots);
	*names = (struct json_names){0};
}

/*
 * SipHash-1-3: a keyed hash for tables that strangers fill. Who does not know the key cannot choose
 * where he lands. No MAC: it keeps no secret and proves nothing.
 */
#ifndef SHARED_BASE_SIP_H
#define SHARED_BASE_SIP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SIP_ROUNDS = 1, SIP_ROUNDS_END = 3 };

/* Begun with sip_start(), fed with words, asked once by sip_end(). */
struct sip {
	uint64_t v[4];
};

static inline struct sip
sip_start(const uint64_t key[2])
{
	return (struct sip){
	        {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                 key[0] ^ UINT64_C(0x6c7967656e657261),
                 key[1] ^ UINT64_C(0x7465646279746573)}
        };
}

static inline uint64_t
sip_rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
sip_rounds(struct sip *s, unsigned rounds)
{
	uint64_t *v = s->v;

	for (unsigned i = 0; i < rounds; i++) {
		v[0] += v[1];
		v[1] = sip_rotate(v[1], 13) ^ v[0];
		v[0] = sip_rotate(v[0], 32);
		v[2] += v[3];
		v[3] = sip_rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = sip_rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = sip_rotate(v[1], 17) ^ v[2];
		v[2] = sip_rotate(v[2], 32);
	}
}

static inline void
sip_word(struct sip *s, uint64_t word)
{
	s->v[3] ^= word;
	sip_rounds(s, SIP_ROUNDS);
	s->v[0] ^= word;
}

/* All of the bytes and their number. */
static inline void
sip_bytes(struct sip *s, const char *bytes, size_t len)
{
	uint64_t word;
	size_t at = 0;

	for (; len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		sip_word(s, word);
	}
	word = (uint64_t)len << 56;
	memcpy(&word, bytes + at, len - at);
	sip_word(s, word);
}

static inline uint64_t
sip_end(struct sip *s)
{
	s->v[2] ^= 0xff;
	sip_rounds(s, SIP_ROUNDS_END);
	return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

#endif

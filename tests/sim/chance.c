#include "tests/sim/chance.h"

#include <stddef.h>
#include <string.h>

/* SplitMix64: each state gives one number, so any seed is as good as any other. */
uint64_t
chance_next(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned
chance_below(struct chance *c, unsigned n)
{
	return (unsigned)(chance_next(c) % n);
}

bool
chance_of(struct chance *c, unsigned permille)
{
	return chance_below(c, 1000) < permille;
}

int64_t
chance_between(struct chance *c, int64_t least, int64_t most)
{
	return least + (int64_t)(chance_next(c) % (uint64_t)(most - least + 1));
}

/* What the product draws from: it has no argument to say which. */
static struct chance product;

void
chance_seed_product(uint64_t seed)
{
	product.state = ~seed;
}

void __wrap_rand_bytes(void *out, size_t len);
uint64_t __wrap_rand_u64(void);

void
__wrap_rand_bytes(void *out, size_t len)
{
	char *at = out;

	while (len > 0) {
		uint64_t n = chance_next(&product);
		size_t part = len < sizeof(n) ? len : sizeof(n);

		memcpy(at, &n, part);
		at += part;
		len -= part;
	}
}

uint64_t
__wrap_rand_u64(void)
{
	return chance_next(&product);
}

/* Numbers that depend on a seed and on nothing else (splitmix64). */
#ifndef TESTS_STORAGE_DICE_H
#define TESTS_STORAGE_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t
dice_roll(struct dice *d)
{
	uint64_t x = d->state += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

/* A number from 0 to n - 1; 0 if n is 0. */
static inline uint64_t
dice_below(struct dice *d, uint64_t n)
{
	return n > 0 ? dice_roll(d) % n : 0;
}

/* True once in n times. */
static inline bool
dice_one_in(struct dice *d, uint64_t n)
{
	return dice_below(d, n) == 0;
}

#endif

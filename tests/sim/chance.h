/*
 * All chance of a simulation comes from its seed: what the schedule draws, and what the product
 * asks the kernel for. rand.h's functions are replaced when the simulation is linked (sim.mk).
 */
#ifndef TESTS_SIM_CHANCE_H
#define TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

uint64_t chance_next(struct chance *c);
unsigned chance_below(struct chance *c, unsigned n); /* 0 to n - 1; n > 0 */
bool chance_of(struct chance *c, unsigned permille);
int64_t chance_between(struct chance *c, int64_t least, int64_t most);

/* From now on rand_bytes() and rand_u64() follow this seed. */
void chance_seed_product(uint64_t seed);

#endif

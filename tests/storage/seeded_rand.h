/* The product's random bytes, from a seed: this binary is linked with --wrap for
 * shared/base/rand.h. Until a seed is set they come from the kernel. */
#ifndef TESTS_STORAGE_SEEDED_RAND_H
#define TESTS_STORAGE_SEEDED_RAND_H

#include <stdint.h>

void seeded_rand_set(uint64_t seed);

#endif

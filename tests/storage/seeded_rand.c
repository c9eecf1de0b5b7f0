#include "tests/storage/seeded_rand.h"

#include <pthread.h>
#include <stddef.h>

#include "tests/storage/dice.h"

void __real_rand_bytes(void *out, size_t len);
void __wrap_rand_bytes(void *out, size_t len);
uint64_t __wrap_rand_u64(void);

static struct {
	pthread_mutex_t lock;
	bool set;
	struct dice dice;
} source = {.lock = PTHREAD_MUTEX_INITIALIZER};

void
seeded_rand_set(uint64_t seed)
{
	(void)pthread_mutex_lock(&source.lock);
	source.set = true;
	source.dice.state = seed;
	(void)pthread_mutex_unlock(&source.lock);
}

void
__wrap_rand_bytes(void *out, size_t len)
{
	unsigned char *at = out;

	(void)pthread_mutex_lock(&source.lock);
	if (!source.set)
		__real_rand_bytes(out, len);
	for (size_t i = 0; source.set && i < len; i++)
		at[i] = (unsigned char)dice_roll(&source.dice);
	(void)pthread_mutex_unlock(&source.lock);
}

uint64_t
__wrap_rand_u64(void)
{
	uint64_t n;

	__wrap_rand_bytes(&n, sizeof(n));
	return n;
}

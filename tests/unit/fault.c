/* Linked with -Wl,--wrap: this project's own calls come through here, and those of libcheck.a. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

static _Atomic unsigned countdown; /* the code under test may have threads */

void
fault_allocation(unsigned nth)
{
	atomic_store(&countdown, nth);
}

static int
fails_now(void)
{
	unsigned left = atomic_load(&countdown);

	while (left > 0)
		if (atomic_compare_exchange_weak(&countdown, &left, left - 1))
			return left == 1;
	return 0;
}

void *
__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

char *
__wrap_strdup(const char *text)
{
	return fails_now() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t len)
{
	return fails_now() ? NULL : __real_strndup(text, len);
}

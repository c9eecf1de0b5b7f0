/*
 * A library that runs out of memory in the middle of a signature check must not have said yes, so
 * its allocations fail too. They bypass the switch for ours: OpenSSL makes thousands while it reads
 * a key, and tolerates the loss of many. It takes such functions only before its first allocation,
 * hence a constructor.
 */
#include "tests/unit/security/openssl_fault.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);

static atomic_uint made, failing; /* some tests have threads */

void
openssl_fault(unsigned nth)
{
	atomic_store(&failing, nth);
	atomic_store(&made, 0);
}

unsigned
openssl_fault_count(void)
{
	return atomic_load(&made);
}

static bool
fails_now(void)
{
	return atomic_fetch_add(&made, 1) + 1 == atomic_load(&failing);
}

static void *
take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails_now() ? NULL : __real_malloc(size);
}

static void *
retake(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails_now() ? NULL : __real_realloc(old, size);
}

static void
drop(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

__attribute__((constructor)) static void
route_allocations(void)
{
	if (CRYPTO_set_mem_functions(take, retake, drop) != 1) {
		(void)fprintf(stderr, "openssl_fault: OpenSSL has allocated already\n");
		abort();
	}
}

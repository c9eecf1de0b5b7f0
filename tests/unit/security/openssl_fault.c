/*
 * OpenSSL's allocations through ours, so that fault_allocation() reaches them too (CR9): a library
 * that runs out of memory in the middle of a signature check must not have said yes. OpenSSL takes
 * such functions only before its first allocation, hence a constructor.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

static void *
take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(size);
}

static void *
retake(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(old, size);
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

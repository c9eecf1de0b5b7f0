/*
 * malloc for the whole process: what OpenSSL, SQLite, libcurl, libyaml, libtomlplusplus, libevent
 * and the C library allocate comes through here. A sanitizer has its own malloc and keeps it.
 */
#include <errno.h>
#include <stdlib.h>

#include "tests/torture/fault.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
bool
fault_reaches_libraries(void)
{
	return false;
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

bool
fault_reaches_libraries(void)
{
	return true;
}

static bool
starves(void)
{
	const bool hit = fault_hits(FAULT_LIBRARY, "an allocation", NULL);

	if (hit)
		errno = ENOMEM;
	return hit;
}

#define EVERYBODYS __attribute__((visibility("default")))

EVERYBODYS void *
malloc(size_t size)
{
	return starves() ? NULL : __libc_malloc(size);
}

EVERYBODYS void *
calloc(size_t count, size_t size)
{
	return starves() ? NULL : __libc_calloc(count, size);
}

EVERYBODYS void *
realloc(void *old, size_t size)
{
	return starves() ? NULL : __libc_realloc(old, size);
}
#endif

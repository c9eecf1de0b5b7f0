/*
 * Linked with -Wl,--wrap: this project's own calls come through here, and those of libcheck.a.
 * Allocations stand below; the calls that may fail, in tests/torture/calls_*.def.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/torture/fault.h"
#include "tests/unit/unit.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

extern const char __executable_start[];

/* The code under test may have threads. */
static _Atomic unsigned countdown[FAULT_KINDS];
static atomic_bool lasting, failed, aborts;
static _Atomic(const char *) last = "nothing";
static _Thread_local volatile bool spared; /* a call that "cannot" come back here, does */

void
fault_arm(enum fault_kind kind, unsigned nth, bool for_good)
{
	atomic_store(&failed, false);
	atomic_store(&lasting, for_good);
	atomic_store(&countdown[kind], nth);
}

bool
fault_disarm(void)
{
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		atomic_store(&countdown[kind], 0);
	return atomic_load(&failed);
}

const char *
fault_last(void)
{
	return atomic_load(&last);
}

void
fault_spare_this_thread(bool on)
{
	spared = on;
}

void
fault_allocation(unsigned nth)
{
	fault_arm(FAULT_ALLOCATION, nth, false);
}

/* TORTURE_SITES names a file that collects where in this program something failed. */
static void
note(const char *name, const void *site)
{
	static _Thread_local bool inside;
	const char *path = getenv("TORTURE_SITES");
	FILE *f;

	atomic_store(&last, name);
	atomic_store(&failed, true);
	if (path == NULL || site == NULL || inside)
		return;
	inside = true;
	f = fopen(path, "ae");
	if (f != NULL) {
		(void)fprintf(f, "%s %lx\n", name,
		        (unsigned long)((uintptr_t)site - (uintptr_t)__executable_start));
		(void)fclose(f);
	}
	inside = false;
}

bool
fault_is_armed(enum fault_kind kind)
{
	return atomic_load(&countdown[kind]) > 0;
}

bool
fault_hits(enum fault_kind kind, const char *name, const void *site)
{
	unsigned left = atomic_load(&countdown[kind]);
	const int before = errno;

	if (spared)
		return false;
	while (left > 0) {
		const unsigned next = left == 1 && atomic_load(&lasting) ? 1 : left - 1;

		if (!atomic_compare_exchange_weak(&countdown[kind], &left, next))
			continue;
		if (left == 1)
			note(name, site);
		errno = before;
		return left == 1;
	}
	return false;
}

void
fault_aborts_clients(bool on)
{
	atomic_store(&aborts, on);
}

int
fault_accept_errno(void)
{
	return atomic_load(&aborts) ? ECONNABORTED : EMFILE;
}

int
fault_errno(int fd)
{
	const bool was_spared = spared;
	struct stat s;
	bool known;

	spared = true; /* this call of ours is nobody's */
	known = fstat(fd, &s) == 0;
	spared = was_spared;
	if (!known || (s.st_mode & S_IFMT) == 0) /* an anonymous inode */
		return -1;
	return S_ISSOCK(s.st_mode) ? ECONNRESET : S_ISFIFO(s.st_mode) ? EPIPE : EIO;
}

static bool
starves(const char *name, const void *site)
{
	const bool hit = fault_hits(FAULT_ALLOCATION, name, site);

	if (hit)
		errno = ENOMEM;
	return hit;
}
#define STARVES(name) starves(name, __builtin_return_address(0))

void *
__wrap_malloc(size_t size)
{
	return STARVES("malloc") ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return STARVES("calloc") ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return STARVES("realloc") ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return STARVES("reallocarray") ? NULL : __real_reallocarray(old, count, size);
}

char *
__wrap_strdup(const char *text)
{
	return STARVES("strdup") ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t len)
{
	return STARVES("strndup") ? NULL : __real_strndup(text, len);
}

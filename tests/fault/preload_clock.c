/* The wall clock of a daemon under test, moved or frozen by the control file; the monotonic one is
 * left alone. */
#include <dlfcn.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>

#include "shared/base/attr.h"
#include "tests/fault/preload.h"

#define EXPORT __attribute__((visibility("default")))

enum { US_PER_S = 1000000 };

static int
real_clock(clockid_t which, struct timespec *out)
{
	static int (*real)(clockid_t, struct timespec *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	return real(which, out);
}

static bool
is_wall(clockid_t which)
{
	return which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE || which == CLOCK_TAI;
}

EXPORT int
clock_gettime(clockid_t which, struct timespec *out)
{
	struct preload_control *c = preload_control();
	const int rc = real_clock(which, out);
	long long us;

	if (rc != 0 || c == NULL || !is_wall(which))
		return rc;
	us = atomic_load(&c->frozen_us);
	if (us == 0)
		us = out->tv_sec * (long long)US_PER_S + out->tv_nsec / 1000 +
		     atomic_load(&c->wall_offset_us);
	out->tv_sec = us / US_PER_S;
	out->tv_nsec = us % US_PER_S * 1000;
	return 0;
}

EXPORT int
gettimeofday(struct timeval *out, void *zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

EXPORT time_t
time(time_t *out)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

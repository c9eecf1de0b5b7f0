/*
 * How long tests wait for what must happen: TIME_SCALE times longer where programs are slower than
 * themselves, under sanitizers and valgrind (tests/sane.sh sets it). What must not happen before
 * some time is never scaled.
 */
#ifndef TESTS_LIB_PATIENCE_H
#define TESTS_LIB_PATIENCE_H

#include <stdlib.h>

enum { PATIENCE_SCALE_MAX = 100 };

/* ms, scaled. */
static inline int
patience_ms(int ms)
{
	const char *scale = getenv("TIME_SCALE");
	long times = scale != NULL ? strtol(scale, NULL, 10) : 1;

	if (times < 1)
		times = 1;
	return ms * (int)(times < PATIENCE_SCALE_MAX ? times : PATIENCE_SCALE_MAX);
}

#endif

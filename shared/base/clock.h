/*
 * The two clocks, and the one way we print a time.
 *
 * Wall time (Unix microseconds) judges tokens and is shown to people; monotonic
 * time judges leases, deadlines and ages. Code that decides takes a time as an
 * argument; only loops, stores and mains read a clock.
 */
#ifndef SHARED_BASE_CLOCK_H
#define SHARED_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT = 28 }; /* "2026-11-22T02:24:15.123456Z" and its NUL */

/* Microseconds since 1970 in UTC, and since some moment before this process started. */
int64_t clock_wall_us(void);
int64_t clock_mono_us(void);

/* RFC 3339 in UTC with six decimals; times outside the years 1 to 9999 become the nearest. */
void clock_text(int64_t wall_us, char out[CLOCK_TEXT]);

/*
 * The reverse; accepts 0 to 9 decimals (finer than microseconds are cut off) and a missing Z.
 * Other offsets, leap seconds and days that do not exist are no such time: false, nothing set.
 */
bool clock_parse(const char *text, size_t len, int64_t *wall_us);

#endif

/*
 * When a handler process that died may be started again, and whether its group is healthy. Pure:
 * times come in as monotonic microseconds.
 *
 * The delay doubles with each failure in a row. A group with too many failures inside the window is
 * unhealthy until the oldest of them has left it.
 */
#ifndef WORKER_RUNNER_RESTART_H
#define WORKER_RUNNER_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum { RESTART_FAILURES = 5 }; /* this many inside the window are unhealthy */

struct restart_policy {
	int64_t least_us, most_us; /* delay: 1 s to 60 s */
	int64_t window_us;         /* a minute */
};

struct restart {
	int64_t failed_us[RESTART_FAILURES]; /* the latest ones, a ring; 0: none */
	unsigned next, streak;
};

/* Counts one failure; returns how long to wait before the next start. */
int64_t restart_failed(struct restart *r, const struct restart_policy *p, int64_t now_us);
/* A process did its work: the next failure is the first of a row again. */
void restart_worked(struct restart *r);
bool restart_healthy(const struct restart *r, const struct restart_policy *p, int64_t now_us);

#endif

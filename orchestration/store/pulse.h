/*
 * How the store is doing, written by its threads and read by store_probe() without waiting for any
 * of them.
 */
#ifndef ORCHESTRATION_STORE_PULSE_H
#define ORCHESTRATION_STORE_PULSE_H

#include <pthread.h>
#include <stdatomic.h>

#include "orchestration/store/store.h"

struct pulse {
	atomic_llong
	        since_us; /* monotonic: when the round began that is being worked on; 0: idle */
	atomic_llong commits, operations, rollbacks;
	atomic_int parked;
	atomic_bool fatal, degraded;
	pthread_mutex_t lock; /* of the text */
	char error[240];
};

void pulse_init(struct pulse *p);
void pulse_fail(struct pulse *p, const struct err *e);                      /* remembers the text */
void pulse_read(struct pulse *p, int64_t now_us, struct store_health *out); /* all but depths */

#endif

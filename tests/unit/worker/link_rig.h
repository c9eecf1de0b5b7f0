/*
 * A link between an orchestration played by the test and a runner that only writes down what it is
 * told. One a test; Check forks each.
 */
#ifndef TESTS_UNIT_WORKER_LINK_RIG_H
#define TESTS_UNIT_WORKER_LINK_RIG_H

#include <pthread.h>

#include "tests/unit/worker/fake_orchestration.h"
#include "tests/unit/worker/rig.h"
#include "worker/link.h"

enum { LINK_RIG_EVENTS = 32 };

extern struct link_rig {
	struct fake *fake;
	struct link *link;
	struct link_settings settings;
	char token_path[64]; /* of a file that link_rig_stop() removes */
	const char *callables;
	bool refuses; /* the runner takes no step */
	pthread_mutex_t lock;
	char events[LINK_RIG_EVENTS][160];
	unsigned count, taken; /* events */
} rig;

void link_rig_begin(void); /* everything but the link itself: a fixture */
void link_rig_start(void);
void link_rig_stop(void);

/* What the runner was told, in order: "offer <step> <attempt>". The next must come in time. */
const char *link_rig_event(void);
void link_rig_record(const char *what, const char *step, int64_t number);

/* The frame of a step, as rig_step() reads it; static, the last two live. */
const char *link_rig_frame(unsigned n, int64_t attempt);
/* The runner says that the step is finished; result NULL: dropped. */
void link_rig_finish(unsigned n, int64_t attempt, const char *result);
/* Items of held, cancel, lost; and of an answer's results. */
void link_rig_ref(char out[128], unsigned n, int64_t attempt);
void link_rig_status(char out[128], unsigned n, int64_t attempt, const char *status);
bool link_rig_has(const struct fake_request *r, const char *text);

/* Registered, and given step 1 attempt 1; returns the poll that is parked after it. */
struct fake_request link_rig_with_step(int lease_ms, int beat_ms);

#endif

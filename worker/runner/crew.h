/*
 * The handler processes of one pool: keeps the configured number running, restarts with backoff.
 * All on the runner's loop.
 */
#ifndef WORKER_RUNNER_CREW_H
#define WORKER_RUNNER_CREW_H

#include "worker/runner/handler_process.h"

struct crew;

struct crew_ears {
	void (*ready)(const struct frame *f, void *arg); /* a process announced what it handles */
	void (*room)(void *arg);                         /* an attempt can be given */
	/* A process has gone. failed: the answer is how long to wait before the next start. */
	int64_t (*gone)(bool failed, bool worked, void *arg);
	void *arg;
};

/* Starts nothing yet. handler is borrowed, ears are copied. */
MUST_CHECK bool crew_new(struct workshop *shop, const struct handler_settings *handler,
        const struct crew_ears *ears, OWNED struct crew **out, struct err *e);
void crew_free(struct crew *c); /* after crew_gone() */

/* Starts all its processes; and looks after them, once a tick. */
void crew_start(struct crew *c);
void crew_tick(struct crew *c);

bool crew_settled(const struct crew *c); /* every process was ready or failed once */
size_t crew_ready(const struct crew *c); /* processes */
size_t crew_busy(const struct crew *c);  /* attempts */

/* False: no process has room now. */
MUST_CHECK bool crew_give(struct crew *c, struct attempt *a);
bool crew_stop(struct crew *c, const char *step, int64_t attempt, enum stop why, int64_t grace_us);
void crew_stop_all(struct crew *c, enum stop why, int64_t grace_us);

/* No more starts; processes are asked to leave and killed after within_us. */
void crew_end(struct crew *c, int64_t within_us);
bool crew_gone(const struct crew *c);

#endif

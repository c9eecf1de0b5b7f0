/*
 * One persistent handler process: JSON lines on its fd 3 and fd 4, anything it prints is log.
 *
 *   STARTING --ready--> READY --drain--> DRAINING
 *       any of them --kill--> DYING --its end--> gone()
 *
 * Exactly one result or error ends a step; a second one, or one with an unknown id, is logged and
 * dropped. A line that is no frame cannot be attributed: with one step at work it is that step's
 * fault (INVALID_RESULT, RESULT_TOO_LARGE), with several the process is killed. A step that does
 * not stop within its grace takes the process with it; the other steps of that process are
 * released unburnt. All on the runner's loop.
 */
#ifndef WORKER_RUNNER_HANDLER_PROCESS_H
#define WORKER_RUNNER_HANDLER_PROCESS_H

#include "worker/runner/attempt.h"
#include "worker/runner/children.h"

struct handler_process;

/* What its owner hears. */
struct handler_process_ears {
	/* Its ready frame, whose "handlers" may limit what it takes. */
	void (*ready)(struct handler_process *p, const struct frame *f, void *arg);
	/* A step ended, so there is room. */
	void (*room)(struct handler_process *p, void *arg);
	/* It has ended and p is freed after this; failed: on its own account. */
	void (*gone)(struct handler_process *p, bool failed, void *arg);
	void *arg;
};

/* Starts it. handler is borrowed for its life; number tells the processes of a handler apart. */
MUST_CHECK bool handler_process_new(struct workshop *shop, const struct handler_settings *handler,
        size_t number, const struct handler_process_ears *ears, OWNED struct handler_process **out,
        struct err *e);

/* How many more steps it takes now. */
size_t handler_process_room(const struct handler_process *p);
size_t handler_process_busy(const struct handler_process *p);
bool handler_process_ready(const struct handler_process *p);
bool handler_process_worked(const struct handler_process *p); /* has it ever answered a step? */

/* Takes the attempt; there must be room. */
void handler_process_give(struct handler_process *p, struct attempt *a);
/* The attempt with this step and number, or NULL. */
BORROWED struct attempt *handler_process_find(
        const struct handler_process *p, const char *step, int64_t attempt);
/* Asks the handler to stop it; kills the process after grace_us. */
void handler_process_stop(
        struct handler_process *p, struct attempt *a, enum stop why, int64_t grace_us);
/* All its attempts. */
void handler_process_stop_all(struct handler_process *p, enum stop why, int64_t grace_us);

/* Heartbeat; once a tick. */
void handler_process_tick(struct handler_process *p);
/* Says drain and closes its input; kills it if it is still there after within_us. */
void handler_process_drain(struct handler_process *p, int64_t within_us);

#endif

/*
 * One attempt of a step inside the runner, from the moment the worker took it to its report.
 *
 * An attempt ends exactly once, in attempt_end(). Who holds it (a pool's queue, a handler process,
 * an exec run) may first ask it to stop for a reason; the reason then decides what the report says,
 * whatever the handler still answers inside its grace:
 *
 *   none           what the handler said
 *   cancelled      cancelled, with the result kept if one came
 *   timed out      error handler_timeout, retryable
 *   released       a result, or an error for good, if one still came; else given back unburnt
 *   lost           nothing: the orchestration has taken the step away
 *   not supported  error NOT_SUPPORTED, permanent
 */
#ifndef WORKER_RUNNER_ATTEMPT_H
#define WORKER_RUNNER_ATTEMPT_H

#include "shared/runtime/loop.h"
#include "worker/runner/frame.h"
#include "worker/runner/output.h"
#include "worker/runner/settings.h"
#include "worker/step_report.h"

enum stop {
	STOP_NONE = 0,
	STOP_CANCELLED,
	STOP_TIMED_OUT,
	STOP_RELEASED,
	STOP_LOST,
	STOP_NOT_SUPPORTED
};

/* Takes the report. Called on the runner's loop. */
typedef void (*report_fn)(OWNED struct step_report *report, void *arg);

/* What all pools of one runner share. */
struct workshop {
	struct loop *loop;
	const struct runner_settings *settings;
	struct children *children;
	report_fn report;
	void *arg;
};

struct attempt {
	struct mail mail; /* how it reaches the runner's loop */
	struct attempt *next;
	struct workshop *shop;
	const struct handler_settings *handler; /* once a pool has it */
	void *holder; /* the process or run that has it; NULL in a queue */
	struct step *step;
	struct step_report *report;
	struct output output;
	enum stop stop;
	char unsupported[16];     /* what the handler asked for, with STOP_NOT_SUPPORTED */
	struct loop_timer *timer; /* the timeout, then the grace; from its start */
	int64_t started_us;       /* 0: not yet */
	uint64_t frame_end;       /* in what its process was written; see feeder_taken() */
	int64_t due_us;           /* when its timer runs out */
};

/* step is taken on success. From any thread. */
MUST_CHECK bool attempt_new(
        struct workshop *shop, struct step *step, OWNED struct attempt **out, struct err *e);
/* Reports and frees it. */
void attempt_end(struct attempt *a);
void attempt_free(struct attempt *a); /* without a report; NULL is fine */

/* Its clock runs from now: on_due(arg) is called when its time is over. */
MUST_CHECK bool attempt_start(struct attempt *a, loop_fn on_due, void *arg, struct err *e);
/* The first reason stays, but "lost" overrides all. The timer counts the grace from now, and a
 * later call can only shorten it. True for the first call: the handler is to be told. */
bool attempt_stop(struct attempt *a, enum stop why, int64_t grace_us);
int64_t attempt_deadline_wall_us(const struct attempt *a);
const char *stop_name(enum stop why);

/* ---- what a handler's frame says, put into the report ---- */
void attempt_result(struct attempt *a, const struct json *doc, const struct json_node *result);
void attempt_error_frame(struct attempt *a, const struct frame *f);
/* How its process ended without an answer. */
void attempt_crashed(struct attempt *a, int status, int signal_number);
/* Appends a log or progress frame to the attempt's log. */
void attempt_note(struct attempt *a, const struct frame *f);

/* ---- lists of attempts, linked by next ---- */
/* The attempt with this id, or with this step and number; NULL without one. */
BORROWED struct attempt *attempt_by_id(struct attempt *list, const char *id);
BORROWED struct attempt *attempt_by_step(struct attempt *list, const char *step, int64_t number);
/* Takes a, which must be in it, out of the list. */
void attempt_unlink(BORROWED struct attempt **list, struct attempt *a);

AUTO_DEFINE(attempt, struct attempt, attempt_free)

#endif

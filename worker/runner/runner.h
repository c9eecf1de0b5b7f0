/*
 * The runner: everything that happens to a step on this machine, on one loop of its own.
 *
 * The link hands steps in; each comes back exactly once as a report. Handlers are pools of
 * persistent processes or one process an attempt; a step goes to the pool that offers its callable.
 * The runner never decides to try again: that is the orchestration's business.
 */
#ifndef WORKER_RUNNER_RUNNER_H
#define WORKER_RUNNER_RUNNER_H

#include "worker/runner/handler_pool.h"

struct runner;

struct runner_ears {
	report_fn report; /* on the runner's loop; takes the report */
	loop_fn changed;  /* on the runner's loop: runner_callables() answers differently now */
	void *arg;
};

/* settings are borrowed for its life. Becomes a subreaper. */
MUST_CHECK bool runner_new(const struct runner_settings *settings, const struct runner_ears *ears,
        OWNED struct runner **out, struct err *e);
MUST_CHECK bool runner_start(struct runner *r, struct err *e);
/* Ends all handlers (within stop_us, then by force), sweeps, joins; every step at work is reported.
 * What is offered after that is reported released by runner_free(). */
void runner_end(struct runner *r);
void runner_free(struct runner *r); /* ends it first; NULL is fine */

/* ---- from any thread ---- */
/* step is taken on success; its report will come. */
MUST_CHECK bool runner_offer(struct runner *r, struct step *step, struct err *e);
/* Stops one attempt, if it is still here. False: no memory, ask again. */
MUST_CHECK bool runner_stop(struct runner *r, const char *step, int64_t attempt, enum stop why);
/* Stops all steps, by force after grace_us; they are reported released unless they still answer. */
void runner_release_all(struct runner *r, int64_t grace_us);
/* Starts nothing more; what waits is released, what runs goes on. */
void runner_drain(struct runner *r);

/* ---- questions, from any thread ---- */
/* Has every handler process had its chance to say what it handles? */
bool runner_settled(const struct runner *r);
/* Are all handlers healthy? */
bool runner_healthy(const struct runner *r);
/* Appends what can be run now, a JSON array of callables; check buf_ok(). */
void runner_callables(struct runner *r, struct buf *out);
size_t runner_handlers(const struct runner *r);
BORROWED const struct handler_settings *runner_handler(const struct runner *r, size_t n);
BORROWED const struct handler_pool_numbers *runner_numbers(const struct runner *r, size_t n);

AUTO_DEFINE(runner, struct runner, runner_free)

#endif

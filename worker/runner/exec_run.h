/*
 * One attempt of an exec handler: a process of its own that reads its input from a file or stdin,
 * writes its result to a file and says by its exit code how it went.
 *
 *   TASKER_INPUT   file with the step's input; stdin is the same
 *   TASKER_FRAME   file with the whole step frame: dependencies, config
 *   TASKER_RESULT  where to write the result, JSON; missing or empty is {}
 *   exit 0 done · 75 failed, try again · 65 or 78 failed for good · other: failed, try again ·
 *   killed by a signal: crashed, try again
 */
#ifndef WORKER_RUNNER_EXEC_RUN_H
#define WORKER_RUNNER_EXEC_RUN_H

#include "worker/runner/attempt.h"
#include "worker/runner/children.h"

struct exec_run;

/* The run is over: takes the attempt, whose report is ready. shim_failed: the handler could not
 * even be started. */
typedef void (*exec_gone_fn)(OWNED struct attempt *a, bool shim_failed, void *arg);

/* Starts it; a is taken on success. On failure it is still the caller's. */
MUST_CHECK bool exec_run_new(struct attempt *a, exec_gone_fn gone, void *arg,
        OWNED struct exec_run **out, struct err *e);

/* SIGTERM to its group, SIGKILL after grace_us. */
void exec_run_stop(struct exec_run *run, enum stop why, int64_t grace_us);

#endif

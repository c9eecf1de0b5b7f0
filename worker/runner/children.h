/*
 * The processes this worker has started, and the ones they left behind.
 *
 * Each handler process runs in a session of its own and carries a mark in its environment
 * (TASKER_RUN=<boot>.<n>). It is killed as a group. What escaped the group (a double fork with
 * setsid) is re-parented to the worker, which is a subreaper; a sweep finds such orphans by their
 * mark and kills those whose handler has ended. A process without our mark is never touched. Used
 * on one thread.
 */
#ifndef WORKER_RUNNER_CHILDREN_H
#define WORKER_RUNNER_CHILDREN_H

#include <sys/types.h>

#include "shared/base/err.h"
#include "worker/runner/environment.h"
#include "worker/runner/settings.h"

enum { CHILD_FDS = 5, CHILDREN_MAX = 65536 };

struct children;

struct child {
	pid_t pid;
	int pidfd; /* readable when it has ended */
};

/* How it ended. */
struct child_end {
	int status; /* exit status; with a signal 0 */
	int signal; /* 0: none */
};

struct child_start {
	const struct handler_settings *handler;
	struct environment *env; /* TASKER_RUN is added */
	int fds[CHILD_FDS];      /* what becomes 0 to 4 there; -1: 0 reads nothing, others closed */
	size_t fd_count;         /* 3, or 5 with the frame pipes */
};

/* Makes the calling process a subreaper. settings is borrowed. */
MUST_CHECK bool children_new(
        const struct runner_settings *settings, OWNED struct children **out, struct err *e);
void children_free(struct children *c); /* the processes must have been reaped */

/* Starts the handler's command through the shim. The fds stay the caller's. */
MUST_CHECK bool children_start(
        struct children *c, const struct child_start *start, struct child *out, struct err *e);
void child_signal(const struct child *child, int signal_number); /* to its whole group */
/* After pidfd became readable: kills what is left of the group, collects it, closes pidfd. */
struct child_end children_reap(struct children *c, struct child *child);

/* Kills and collects orphans; true if some were found, so that it is worth looking again. It reads
 * all of /proc, so it looks only after a process has ended or found some the last time, or always.
 */
bool children_sweep(struct children *c, bool always);

/* A pipe: *ours is non-blocking, *theirs above the numbers children use; both close on exec. */
MUST_CHECK bool child_pipe(bool we_write, int *ours, int *theirs, struct err *e);

AUTO_DEFINE(children, struct children, children_free)

#endif

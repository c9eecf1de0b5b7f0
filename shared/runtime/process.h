/*
 * What both daemons' mains share: signals, how a daemon ends, and the port file.
 *
 *   SIGTERM, SIGINT   once: drain; a second one, or the end of the grace time: force
 *   SIGHUP            reload
 *   SIGPIPE           ignored
 */
#ifndef SHARED_RUNTIME_PROCESS_H
#define SHARED_RUNTIME_PROCESS_H

#include "shared/runtime/loop.h"

/* First thing in main, before any thread: blocks the signals above, ignores SIGPIPE, and keeps
 * secrets out of core files and other users' eyes (CF6; not under sanitizers, which need both). */
void process_prepare(void);

struct process_hooks {
	loop_fn drain;  /* stop taking work, finish what runs, then loop_stop() the service loop */
	loop_fn force;  /* end now; drain may not have finished */
	loop_fn reload; /* NULL: SIGHUP is ignored */
	void *arg;
	int64_t grace_us; /* from drain to force */
};

struct process;

/* Watches the signals on the service loop. hooks are copied. */
MUST_CHECK bool process_new(struct loop *loop, const struct process_hooks *hooks,
        OWNED struct process **out, struct err *e);
void process_free(struct process *p);           /* before its loop */
bool process_draining(const struct process *p); /* on the service loop */

/* Writes "8080\n" under path: a reader sees the whole file or none. */
MUST_CHECK bool process_port_file(const char *path, int port, struct err *e);

AUTO_DEFINE(process, struct process, process_free)

#endif

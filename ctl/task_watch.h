/*
 * Following a task to its end.
 *
 * A terminal shows one tree of steps that changes in place; a file or pipe gets one line a change,
 * so that a log stays a log. JSON is printed once, at the end. A daemon that is away for a moment
 * is waited for.
 */
#ifndef CTL_TASK_WATCH_H
#define CTL_TASK_WATCH_H

#include "ctl/api.h"

enum {
	WATCH_FIRST_MS = 100, /* between two looks; half as much again each time, up to */
	WATCH_LATER_MS = 500,
	WATCH_LOST_MAX = 20, /* looks in a row without an answer, once there was one */
};

/* Until it ends or --timeout is over. quiet: shows only how it ended. */
enum exit_status task_watch(struct ctl *ctl, const char *task, bool quiet);

#endif

/*
 * What the runner is told by the configuration, in its own units. Plain data, borrowed for the
 * runner's life. Every duration is an argument, so tests run a minute of supervision in a second.
 */
#ifndef WORKER_RUNNER_SETTINGS_H
#define WORKER_RUNNER_SETTINGS_H

#include <stddef.h>

#include "worker/runner/restart.h"

enum handler_kind { HANDLER_PROCESS, HANDLER_EXEC };

struct handler_settings {
	const char *name;
	enum handler_kind kind;
	const char *const *command;   /* NULL-terminated */
	const char *const *callables; /* exact names or "ns.*" */
	size_t callable_count;
	size_t processes, slots; /* exec: their product run at once */
	int64_t timeout_us;      /* of a step that names none */
	int64_t grace_us;        /* between being asked to stop and being killed */
	int64_t start_timeout_us;
	int64_t heartbeat_us;   /* 0: no pings, only liveness counts */
	const char *cwd;        /* NULL: the worker's */
	const char *const *env; /* "NAME=value", NULL-terminated; NULL: none */
};

struct runner_settings {
	const char *shim;   /* path of tasker-exec */
	const char *worker; /* its id */
	const char *boot;   /* unique to this start: marks handler processes in their environment */
	const char *scratch; /* folder for the files of exec attempts */
	size_t frame_bytes, result_bytes, log_bytes;
	unsigned json_depth;
	size_t json_nodes;
	int64_t tick_us; /* supervision: heartbeats, health, sweeping of orphans */
	int64_t stop_us; /* what an idle handler gets to leave after drain and end of file */
	struct restart_policy restart;
	const struct handler_settings *handlers;
	size_t handler_count;
};

/* 64 KiB of log an attempt, frames of 2 MiB, results of 1 MiB, 1 s, 2 s, restarts 1 s to 60 s. */
extern const struct runner_settings runner_settings_default;

/* Does "ns.*" or an exact name cover this callable? */
bool callable_matches(const char *pattern, const char *callable);

#endif

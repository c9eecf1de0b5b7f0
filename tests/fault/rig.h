/*
 * The pair under faults: both daemons with a short lease, the demo's templates, and this folder's
 * handler in place of the demo's. The orchestration keeps one port over all its lives, below the
 * range that the system gives to clients, so that no client can sit on it while it is down.
 */
#ifndef TESTS_FAULT_RIG_H
#define TESTS_FAULT_RIG_H

#include "tests/e2e/pair.h"

enum { RIG_LEASE_MS = 1500, RIG_BEAT_MS = 300, RIG_SHUTDOWN_MS = 480 /* of a worker */ };

#define RIG_BOOK "executions" /* in the pair's folder */
#define RIG_KEY "X-API-Key: " PAIR_API_KEY "\r\n"

struct rig {
	struct pair pair;
	struct daemon second; /* another worker, if rig_second_worker() was called */
};

/* Starts both daemons, or only the orchestration, which reads the demo's templates itself. False
 * with the logs on stderr. */
MUST_CHECK bool rig_start(struct rig *r, bool without_worker);
/* All by SIGTERM; true: each exited with 0. The folder stays until rig_remove(). */
MUST_CHECK bool rig_stop(struct rig *r);
void rig_remove(struct rig *r);

/* SIGKILL, and the next life on the same port. How long it took from its start until
 * /health/ready said 200, in milliseconds; -1: it did not within 10 s. */
MUST_CHECK int rig_restart_orchestration(struct rig *r);

/* The next life of a daemon of the pair that is dead; as above. */
MUST_CHECK int rig_revive(const struct rig *r, struct daemon *d);

/* SIGKILL. How many of its handlers are still there a second later; none is right. */
MUST_CHECK size_t rig_kill_worker(struct rig *r);
/* The next life of the worker, with the same id and another boot. */
MUST_CHECK bool rig_start_worker(struct rig *r);
/* A second worker, "second", whose handlers write into the same book. */
MUST_CHECK bool rig_second_worker(struct rig *r);

/* One request to the orchestration with the API key, on a new connection. */
struct wire_reply rig_call(
        const struct rig *r, const char *method, const char *path, const char *body);
/* Creates a task of demo/linear whose steps take so long; its id, owned, or NULL. */
OWNED char *rig_linear(const struct rig *r, int ms);
/* Waits for an attempt in the book, 0 for any: true once it has begun. */
MUST_CHECK bool rig_begins(
        const struct rig *r, const char *task, const char *step, int attempt, int within_ms);

/* `tasker-orchestration db check`: its exit status, with what it said on stderr if not 0. */
int rig_check(const struct rig *r);

#endif

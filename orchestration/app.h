/*
 * The orchestration daemon: what its handlers are given, and its life from configuration to drain.
 */
#ifndef ORCHESTRATION_APP_H
#define ORCHESTRATION_APP_H

#include "orchestration/identity/revocation_feed.h"
#include "orchestration/identity/session_table.h"
#include "orchestration/policy/scope.h"
#include "orchestration/store/store.h"
#include "shared/daemon/common.h"
#include "shared/daemon/daemon_start.h"

struct app {
	struct daemon_common common; /* first: the handlers of shared/daemon look here */
	struct store *store;
	struct session_table *sessions;
	struct revocation_feed *revocations;
	enum ownership ownership;
	size_t step_result_max; /* bytes; limits.step_result_bytes */
	int64_t stuck_ms;       /* the store's writer is stuck after so long without progress */
};

/*
 * Runs the daemon on this thread until it is told to end; returns its exit code. config is borrowed
 * for the whole run.
 */
int app_run(const struct daemon_start *start);

/* Everything --check-config can know without touching the store: keys, templates, addresses. */
MUST_CHECK bool app_check(const struct config *config, struct err *e);

#endif

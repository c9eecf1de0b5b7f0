/*
 * Where tasks live. A table of domain operations over a file (SQLite) or a server.
 *
 * One operation = load facts, let the engine decide, write, in one transaction of the store's only
 * writer; many operations share a commit. An operation is answered after its commit, so what was
 * answered is never lost; a transition happens once. Reads have a thread and a snapshot of their
 * own and see everything answered before they were submitted.
 *
 * Operations queue in lanes, results and heartbeats > claims > cancels > creates, each with a bound
 * (BUSY beyond it) and every operation with a deadline (TIMEOUT when it passes in the queue).
 */
#ifndef ORCHESTRATION_STORE_STORE_H
#define ORCHESTRATION_STORE_STORE_H

#include "orchestration/store/store_op.h"

struct store; /* opaque: its threads and connections are in store.c */

enum store_lane { LANE_RESULT, LANE_CLAIM, LANE_CANCEL, LANE_CREATE, LANE_READ, STORE_LANES };

/* Start from store_settings_default() and change what is configured. */
struct store_settings {
	const char *url; /* "sqlite:///abs/path", "sqlite:relative" */
	int64_t lease_ms, beat_ms;
	int max_lease_losses;
	bool jitter;                  /* of retry delays; tests switch it off */
	int64_t identity_retention_s; /* a finished task's identity is free after it; 0: never */
	int lane_max[STORE_LANES];    /* operations */
	int64_t lane_bytes_max;       /* memory of all that is queued in one lane */
	int64_t answer_bytes_max;     /* memory of answered reads that are not freed yet */
	int batch_max;                /* operations a commit */
	int64_t batch_ms;             /* no further operation joins a batch that is older */
	int64_t deadline_ms;          /* of operations that bring none */
	int64_t busy_ms;              /* how long to wait for another's database lock */
	int64_t wait_max_ms;          /* the longest a poll is parked */
	size_t frame_bytes_max; /* of a step's frame; a step whose input is larger fails for good */
	int64_t unheld_ms;      /* an attempt this fresh is not taken back for not being listed */
	int sessions_max;
	int64_t session_keep_ms; /* an unseen session is closed after it */
	/* Clocks; a test's own must be followed by store_wake(). */
	int64_t (*wall_us)(void *arg);
	int64_t (*mono_us)(void *arg);
	void *clock_arg;
	void *medium; /* of a backend that keeps its rows in no file; else unused */
	/* Called before each write statement; true makes it fail like a full disk. NULL: none. */
	bool (*fault)(void *arg, const char *statement);
	void *fault_arg;
};

/* What holds without any configuration, with the real clocks. */
struct store_settings store_settings_default(void);

/*
 * Opens, migrates (SQLite) and starts. Every lease gets a full term. Refuses a second instance
 * (ERR_BUSY), a foreign file or a schema that needs a newer program (ERR_CONFLICT).
 */
MUST_CHECK bool store_open(const struct store_settings *s, OWNED struct store **out, struct err *e);

/* Answers everything still queued (BUSY) or parked (empty), ends the threads; NULL is fine. */
void store_close(struct store *store);

/* Lends op to the store. From any thread. */
void store_submit(struct store *store, struct store_op *op);

/* The client of a submitted poll is gone: it comes back soon, without steps if none were given
 * yet. Only from op's home and before its delivery. */
void store_unpark(struct store *store, struct store_op *op);

/* Answers all parked polls, and from now on parks none. */
void store_drain(struct store *store);

/* A settings clock has moved: look at timers again. */
void store_wake(struct store *store);

struct store_health {
	bool fatal;          /* a failed fsync: nothing is acknowledged any more, leave with 74 */
	bool degraded;       /* the last transaction failed (disk full?); reads go on */
	int64_t progress_ms; /* since the writer last finished a round, 0 while it is idle */
	int64_t commits, operations, rollbacks;
	int lane_depth[STORE_LANES];
	int parked;
	char last_error[240]; /* "" while there was none */
};

/* Cheap, from any thread. */
void store_probe(struct store *store, struct store_health *out);

/* Offline work, for `tasker-orchestration db ...`. Findings go to report (one line each). */
MUST_CHECK bool store_migrate(const char *url, struct buf *report, struct err *e);
MUST_CHECK bool store_check(const char *url, struct buf *report, bool *sound, struct err *e);
MUST_CHECK bool store_backup(const char *url, const char *to_path, struct err *e);

AUTO_DEFINE(store, struct store, store_close)

#endif

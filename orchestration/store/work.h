/*
 * The writer's desk: its connection, what it remembers, and the batch it is working on.
 *
 * A batch is a transaction. What an operation does to the database happens at once; what it does to
 * memory is noted as an effect and applied after the commit, so a rolled back batch leaves memory
 * as it was. The exceptions are safe to lose: a lease renewed, a rank remembered, a row cached
 * (caches are emptied by a rollback).
 *
 * do_*.c hold the operations, change.c writes what the engine decided, match.c gives steps to
 * polls. All of them return false only for a fault of the storage or of memory: the batch is then
 * rolled back. A refusal is an outcome, decided before the operation's first write.
 */
#ifndef ORCHESTRATION_STORE_WORK_H
#define ORCHESTRATION_STORE_WORK_H

#include "orchestration/engine/frame.h"
#include "orchestration/store/op.h"
#include "orchestration/store/plan.h"
#include "orchestration/store/session.h"
#include "shared/security/digest.h"

enum {
	TIMERS_MAX = 256,  /* retries, and lost steps, in one round; the rest in the next */
	OWNERS_MAX = 4096, /* remembered; past it they are looked up anew */
	POLL_BYTES_MAX = 16 * 1024 * 1024, /* of frames in one answer */
};

enum effect_kind {
	EFFECT_HOLD,   /* the session holds the lease */
	EFFECT_DROP,   /* and no longer */
	EFFECT_CANCEL, /* it is to be told that the attempt is cancelled */
	EFFECT_POLLED, /* the poll counts as the session's newest */
	EFFECT_OPEN,   /* `fresh` is a session, or takes the place of the one with its id */
	EFFECT_END,    /* the session is over */
};

struct effect {
	enum effect_kind kind;
	int64_t session;
	struct lease lease; /* HOLD, DROP, CANCEL */
	struct uuid poll;   /* POLLED, with lease.poll as its number */
	struct session *fresh;
};

struct owner_entry;

struct work {
	const struct store_settings *settings;
	const struct backend_ops *ops;
	struct backend *db;

	struct plans *plans;
	struct owner_entry **owners; /* by hash of tenant and owner */
	struct sessions sessions;
	struct routes routes;
	struct totals totals;
	struct uuid_source ids;
	struct digest *digest;
	struct buf frame, results; /* kept between frames */
	int64_t next_retry;        /* wall; 0: none waits */
	uint64_t revocation_version;
	size_t route_turn; /* which route is asked first */
	bool draining;
	bool routes_stale, totals_stale; /* to be read again when the next transaction begins */

	/* Polls that may be given steps: parked ones and this batch's, who waits longest first. */
	struct store_op *waiting_first, *waiting_last;
	size_t waiting_count;

	/* Of this batch. */
	int64_t wall_us, mono_us;
	uint64_t batch;
	bool open, counted; /* a transaction; totals changed */
	struct effect *effects;
	size_t effect_count, effect_cap;
};

MUST_CHECK bool work_open(struct work *w, const struct store_settings *s,
        const struct backend_ops *ops, struct err *e);
void work_close(struct work *w); /* no poll may wait any more */
/* Begins the batch's transaction unless it is open. */
MUST_CHECK bool work_begin(struct work *w, struct err *e);
/* Commits, if anything was written, and applies the effects. */
MUST_CHECK bool work_commit(struct work *w, bool *wrote, struct err *e);
void work_rollback(struct work *w);
MUST_CHECK bool work_effect(struct work *w, const struct effect *effect, struct err *e);
MUST_CHECK bool work_owner(struct work *w, const struct principal *who, int64_t *tenant,
        int64_t *owner, struct err *e);
uint64_t work_random(const struct work *w); /* for jitter; settings may switch it off */

#endif

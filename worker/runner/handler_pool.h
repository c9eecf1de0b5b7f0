/*
 * One [[handlers]] entry at work: a queue of attempts in front of handler processes or exec runs.
 *
 * A pool whose handler fails too often is unhealthy: it offers nothing, and gives its queue back
 * unburnt, until its failures are old. All on the runner's loop, but for the numbers in
 * struct handler_pool_numbers, which any thread may read.
 */
#ifndef WORKER_RUNNER_HANDLER_POOL_H
#define WORKER_RUNNER_HANDLER_POOL_H

#include <stdatomic.h>

#include "worker/runner/attempt.h"

struct handler_pool;

struct handler_pool_numbers {
	atomic_bool healthy;
	atomic_uint processes; /* ready; exec: running */
	atomic_uint queued, running;
	atomic_uint starts;
};

/* changed: what it offers, or whether it is settled, is no longer what it was. */
MUST_CHECK bool handler_pool_new(struct workshop *shop, const struct handler_settings *handler,
        loop_fn changed, void *arg, OWNED struct handler_pool **out, struct err *e);
void handler_pool_free(struct handler_pool *pool); /* after its end */

/* Starts its processes; and looks after them and its health, once a tick. */
void handler_pool_start(struct handler_pool *pool);
void handler_pool_tick(struct handler_pool *pool);

/* Has every process had its first chance to be ready? Exec pools always. */
bool handler_pool_settled(const struct handler_pool *pool);
/* Does it take this callable now, and did its configuration ever mean to? */
bool handler_pool_offers(const struct handler_pool *pool, const char *callable);
bool handler_pool_covers(const struct handler_pool *pool, const char *callable);
/* What it offers now; n counts from 0, NULL past the last. */
BORROWED const char *handler_pool_offer(const struct handler_pool *pool, size_t n);

/* Takes the attempt: runs it, queues it, or releases it. */
void handler_pool_take(struct handler_pool *pool, struct attempt *a);
/* Stops the attempt with this step and number; false if it is not here. */
bool handler_pool_stop(struct handler_pool *pool, const char *step, int64_t attempt, enum stop why);
/* All of them; those that wait are released at once. */
void handler_pool_stop_all(struct handler_pool *pool, enum stop why, int64_t grace_us);
/* Takes nothing more; the queue is released. Idle processes stay until handler_pool_end(). */
void handler_pool_drain(struct handler_pool *pool);
/* Ends processes and runs; handler_pool_ended() is true when the last has gone. */
void handler_pool_end(struct handler_pool *pool);
bool handler_pool_ended(const struct handler_pool *pool);

/* They live as long as the pool. */
BORROWED const struct handler_pool_numbers *handler_pool_numbers(const struct handler_pool *pool);
BORROWED const struct handler_settings *handler_pool_handler(const struct handler_pool *pool);

#endif

#include "worker/runner/handler_pool.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/log.h"
#include "worker/runner/crew.h"
#include "worker/runner/exec_run.h"

enum { OFFERS_MAX = 256, OFFER_BYTES = 256 };

struct handler_pool {
	struct workshop *shop;
	const struct handler_settings *handler;
	loop_fn changed;
	void *arg;
	struct restart restart;
	bool draining, ending, settled;
	bool dispatching; /* dispatch() is on the stack: a step that ends at once must not nest it
	                   */
	char (*offers)[OFFER_BYTES];
	size_t offer_count;
	struct attempt *queue, **tail;
	struct crew *crew;    /* process */
	struct attempt *runs; /* exec: attempts at work, linked by next; holder is the run */
	struct handler_pool_numbers numbers;
};

const struct handler_pool_numbers *
handler_pool_numbers(const struct handler_pool *pool)
{
	return &pool->numbers;
}

const struct handler_settings *
handler_pool_handler(const struct handler_pool *pool)
{
	return pool->handler;
}

static size_t
runs_count(const struct handler_pool *pool)
{
	size_t n = 0;

	for (const struct attempt *a = pool->runs; a != NULL; a = a->next)
		n++;
	return n;
}

static void
publish(struct handler_pool *pool)
{
	const size_t running = pool->crew != NULL ? crew_busy(pool->crew) : runs_count(pool);
	const size_t processes = pool->crew != NULL ? crew_ready(pool->crew) : running;
	unsigned queued = 0;

	for (const struct attempt *a = pool->queue; a != NULL; a = a->next)
		queued++;
	atomic_store(&pool->numbers.queued, queued);
	atomic_store(&pool->numbers.running, (unsigned)running);
	atomic_store(&pool->numbers.processes, (unsigned)processes);
}

/* ---- what it offers ---- */

bool
handler_pool_covers(const struct handler_pool *pool, const char *callable)
{
	for (size_t i = 0; i < pool->handler->callable_count; i++)
		if (callable_matches(pool->handler->callables[i], callable))
			return true;
	return pool->handler->callable_count == 0;
}

static bool
healthy(const struct handler_pool *pool)
{
	return atomic_load(&pool->numbers.healthy) && !pool->draining;
}

const char *
handler_pool_offer(const struct handler_pool *pool, size_t n)
{
	return healthy(pool) && n < pool->offer_count ? pool->offers[n] : NULL;
}

bool
handler_pool_offers(const struct handler_pool *pool, const char *callable)
{
	for (size_t i = 0; i < pool->offer_count; i++)
		if (callable_matches(pool->offers[i], callable))
			return healthy(pool);
	return false;
}

static void
add_offer(struct handler_pool *pool, const char *name)
{
	if (pool->offer_count == OFFERS_MAX || strlen(name) >= OFFER_BYTES) {
		LOG(WARN, "handler.too_many_callables", TEXT_F("handler", pool->handler->name));
		return;
	}
	memcpy(pool->offers[pool->offer_count++], name, strlen(name) + 1);
}

static void
offer_configured(struct handler_pool *pool)
{
	pool->offer_count = 0;
	for (size_t i = 0; i < pool->handler->callable_count; i++)
		add_offer(pool, pool->handler->callables[i]);
}

/* What a process announces, as far as the configuration lets it. */
static void
offer_announced(struct handler_pool *pool, const struct frame *f)
{
	const struct json_node *list = frame_member(f, "handlers");

	if (list == NULL || json_kind(list) != JSON_ARRAY) {
		offer_configured(pool);
		return;
	}
	pool->offer_count = 0;
	for (const struct json_node *n = json_first(f->doc, list); n != NULL;
	        n = json_next(f->doc, n)) {
		char *name = json_string_copy(f->doc, n, OFFER_BYTES - 1);

		if (name != NULL && handler_pool_covers(pool, name))
			add_offer(pool, name);
		free(name);
	}
}

/* ---- health ---- */

static void
release_queue(struct handler_pool *pool)
{
	while (pool->queue != NULL) {
		struct attempt *a = pool->queue;

		pool->queue = a->next;
		a->next = NULL;
		attempt_end(a);
	}
	pool->tail = &pool->queue;
	publish(pool);
}

static void
judge(struct handler_pool *pool)
{
	const bool now = restart_healthy(
	        &pool->restart, &pool->shop->settings->restart, loop_mono_us(pool->shop->loop));
	const bool before = atomic_exchange(&pool->numbers.healthy, now);

	if (now == before)
		return;
	LOG(WARN, now ? "handler.healthy" : "handler.unhealthy",
	        TEXT_F("handler", pool->handler->name));
	if (!now)
		release_queue(pool);
	pool->changed(pool->arg);
}

static int64_t
failed(struct handler_pool *pool)
{
	const int64_t wait = restart_failed(
	        &pool->restart, &pool->shop->settings->restart, loop_mono_us(pool->shop->loop));

	judge(pool);
	return wait;
}

static void
judge_settled(struct handler_pool *pool)
{
	if (pool->settled || !crew_settled(pool->crew))
		return;
	pool->settled = true;
	pool->changed(pool->arg);
}

/* ---- work ---- */

static void on_run_gone(OWNED struct attempt *a, bool shim_failed, void *arg);

/* False: no room now. An attempt that cannot be started is released. */
static bool
run(struct handler_pool *pool, struct attempt *a)
{
	struct exec_run *held;
	struct err e;

	if (runs_count(pool) >= pool->handler->processes * pool->handler->slots)
		return false;
	atomic_fetch_add(&pool->numbers.starts, 1);
	if (exec_run_new(a, on_run_gone, pool, &held, &e)) {
		a->next = pool->runs;
		pool->runs = a;
		return true;
	}
	LOG(ERROR, "handler.not_started", TEXT_F("handler", pool->handler->name),
	        TEXT_F("why", e.text));
	attempt_end(a);
	(void)failed(pool);
	return true;
}

static void
dispatch(struct handler_pool *pool)
{
	if (pool->dispatching)
		return;
	pool->dispatching = true;
	while (pool->queue != NULL) {
		struct attempt *a = pool->queue;
		struct attempt *rest = a->next;

		a->next = NULL;
		pool->queue = rest;
		if (rest == NULL)
			pool->tail = &pool->queue;
		if (pool->crew != NULL ? crew_give(pool->crew, a) : run(pool, a))
			continue;
		a->next = pool->queue;
		pool->queue = a;
		if (rest == NULL)
			pool->tail = &a->next;
		break;
	}
	pool->dispatching = false;
	publish(pool);
}

static void
on_run_gone(OWNED struct attempt *a, bool shim_failed, void *arg)
{
	struct handler_pool *pool = arg;

	attempt_unlink(&pool->runs, a);
	attempt_end(a);
	if (shim_failed)
		(void)failed(pool);
	dispatch(pool);
	if (pool->ending)
		pool->changed(pool->arg);
}

static void
on_crew_ready(const struct frame *f, void *arg)
{
	struct handler_pool *pool = arg;

	atomic_fetch_add(&pool->numbers.starts, 1);
	offer_announced(pool, f);
	judge_settled(pool);
	pool->changed(pool->arg);
	dispatch(pool);
}

static void
on_crew_room(void *arg)
{
	dispatch(arg);
}

static int64_t
on_crew_gone(bool it_failed, bool worked, void *arg)
{
	struct handler_pool *pool = arg;
	int64_t wait = 0;

	if (worked)
		restart_worked(&pool->restart);
	if (it_failed)
		wait = failed(pool);
	judge_settled(pool);
	publish(pool);
	if (pool->ending)
		pool->changed(pool->arg);
	return wait;
}

void
handler_pool_take(struct handler_pool *pool, struct attempt *a)
{
	a->handler = pool->handler;
	if (!healthy(pool)) {
		attempt_end(a);
		return;
	}
	a->next = NULL;
	*pool->tail = a;
	pool->tail = &a->next;
	dispatch(pool);
}

/* One that waits ends at once: nobody has to be asked. */
static void
drop_queued(struct handler_pool *pool, struct attempt *a, enum stop why)
{
	attempt_unlink(&pool->queue, a);
	for (pool->tail = &pool->queue; *pool->tail != NULL; pool->tail = &(*pool->tail)->next)
		;
	(void)attempt_stop(a, why, 0);
	attempt_end(a);
	publish(pool);
}

bool
handler_pool_stop(struct handler_pool *pool, const char *step, int64_t attempt, enum stop why)
{
	struct attempt *a = attempt_by_step(pool->queue, step, attempt);

	if (a != NULL) {
		drop_queued(pool, a, why);
		return true;
	}
	if (pool->crew != NULL)
		return crew_stop(pool->crew, step, attempt, why, pool->handler->grace_us);
	a = attempt_by_step(pool->runs, step, attempt);
	if (a != NULL)
		exec_run_stop(a->holder, why, pool->handler->grace_us);
	return a != NULL;
}

void
handler_pool_stop_all(struct handler_pool *pool, enum stop why, int64_t grace_us)
{
	release_queue(pool);
	if (pool->crew != NULL)
		crew_stop_all(pool->crew, why, grace_us);
	for (struct attempt *a = pool->runs; a != NULL; a = a->next)
		exec_run_stop(a->holder, why, grace_us);
}

void
handler_pool_drain(struct handler_pool *pool)
{
	pool->draining = true;
	release_queue(pool);
}

void
handler_pool_end(struct handler_pool *pool)
{
	pool->draining = pool->ending = true;
	handler_pool_stop_all(pool, STOP_RELEASED, 0);
	if (pool->crew != NULL)
		crew_end(pool->crew, pool->shop->settings->stop_us);
}

bool
handler_pool_ended(const struct handler_pool *pool)
{
	return pool->runs == NULL && (pool->crew == NULL || crew_gone(pool->crew));
}

bool
handler_pool_settled(const struct handler_pool *pool)
{
	return pool->settled;
}

void
handler_pool_tick(struct handler_pool *pool)
{
	if (pool->crew != NULL)
		crew_tick(pool->crew);
	judge(pool);
}

void
handler_pool_start(struct handler_pool *pool)
{
	if (pool->crew != NULL)
		crew_start(pool->crew);
}

bool
handler_pool_new(struct workshop *shop, const struct handler_settings *handler, loop_fn changed,
        void *arg, OWNED struct handler_pool **out, struct err *e)
{
	struct handler_pool *pool = calloc(1, sizeof(*pool));
	const struct crew_ears ears = {
	        .ready = on_crew_ready, .room = on_crew_room, .gone = on_crew_gone, .arg = pool};

	if (pool == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a handler");
	pool->shop = shop;
	pool->handler = handler;
	pool->changed = changed;
	pool->arg = arg;
	pool->tail = &pool->queue;
	atomic_store(&pool->numbers.healthy, true);
	pool->offers = calloc(OFFERS_MAX, OFFER_BYTES);
	if (pool->offers == NULL) {
		handler_pool_free(pool);
		return err_set(e, ERR_NOMEM, "out of memory for a handler");
	}
	if (handler->kind == HANDLER_PROCESS) {
		if (!crew_new(shop, handler, &ears, &pool->crew, e)) {
			handler_pool_free(pool);
			return false;
		}
	} else {
		offer_configured(pool);
		pool->settled = true;
	}
	*out = pool;
	return true;
}

void
handler_pool_free(struct handler_pool *pool)
{
	if (pool == NULL)
		return;
	crew_free(pool->crew);
	free(pool->offers);
	free(pool);
}

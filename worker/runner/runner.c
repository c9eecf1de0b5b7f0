#include "worker/runner/runner.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json_out.h"
#include "shared/base/log.h"
#include "worker/runner/children.h"

enum {
	CALLABLES_MAX = 1024 * 1024,
	SWEEP_ALWAYS_TICKS = 10, /* orphans that end by themselves are collected this often */
	LAST_SWEEPS = 8,
	/* Beyond this many times stop_us something cannot be killed; then it is left to its
	 * parent-death signal. */
	END_PATIENCE = 4,
};

enum order { ORDER_BEGIN, ORDER_RELEASE_ALL, ORDER_DRAIN, ORDER_END, ORDER_COUNT };

struct standing_order {
	struct mail mail;
	struct runner *runner;
	atomic_bool posted;
	_Atomic int64_t grace_us;
};

struct runner {
	struct workshop shop;
	struct runner_ears ears;
	struct loop *loop;
	struct loop_timer *tick;
	struct children *children;
	struct handler_pool **pools;
	size_t pool_count;
	unsigned ticks;
	bool started, draining;
	int64_t ending_us; /* when to give up waiting; 0: not ending */
	atomic_bool settled;
	pthread_mutex_t lock; /* for callables */
	struct buf callables;
	struct standing_order orders[ORDER_COUNT];
};

/* ---- what it offers ---- */

static void
list_callables(const struct runner *r, struct buf *out)
{
	struct json_out w = json_out_on(out);
	const char *name;

	json_open(&w, NULL, '[');
	for (size_t i = 0; i < r->pool_count; i++)
		for (size_t n = 0; (name = handler_pool_offer(r->pools[i], n)) != NULL; n++)
			json_put_text(&w, NULL, name);
	json_close(&w, ']');
}

/* True if the answer is another one now. */
static bool
renew_callables(struct runner *r)
{
	AUTO(buf) struct buf now = BUF(CALLABLES_MAX);
	const struct buf none = BUF(CALLABLES_MAX);
	bool same;

	list_callables(r, &now);
	if (!buf_ok(&now))
		return false;
	(void)pthread_mutex_lock(&r->lock);
	same = now.len == r->callables.len && memcmp(now.data, r->callables.data, now.len) == 0;
	if (!same) {
		buf_free(&r->callables);
		r->callables = now;
		now = none;
	}
	(void)pthread_mutex_unlock(&r->lock);
	return !same;
}

static bool
all(const struct runner *r, bool (*is)(const struct handler_pool *pool))
{
	for (size_t i = 0; i < r->pool_count; i++)
		if (!is(r->pools[i]))
			return false;
	return true;
}

static void
finish_when_ended(struct runner *r)
{
	const bool patient = loop_mono_us(r->loop) < r->ending_us;

	if (r->ending_us == 0 || (patient && !all(r, handler_pool_ended)))
		return;
	for (unsigned i = 0; i < LAST_SWEEPS && children_sweep(r->children, true); i++)
		;
	loop_stop(r->loop);
}

static void
on_changed(void *arg)
{
	struct runner *r = arg;
	const bool settled = all(r, handler_pool_settled);
	bool news = atomic_exchange(&r->settled, settled) != settled;

	if (renew_callables(r))
		news = true;
	if (news && r->ending_us == 0)
		r->ears.changed(r->ears.arg);
	finish_when_ended(r);
}

static void
on_tick(void *arg)
{
	struct runner *r = arg;

	for (size_t i = 0; i < r->pool_count; i++)
		handler_pool_tick(r->pools[i]);
	(void)children_sweep(r->children, ++r->ticks % SWEEP_ALWAYS_TICKS == 0);
	loop_timer_set(r->tick, r->shop.settings->tick_us);
	finish_when_ended(r);
}

/* ---- steps ---- */

static struct handler_pool *
pool_for(const struct runner *r, const char *callable,
        bool (*fits)(const struct handler_pool *pool, const char *callable))
{
	for (size_t i = 0; i < r->pool_count; i++)
		if (fits(r->pools[i], callable))
			return r->pools[i];
	return NULL;
}

static bool
is_unsettled(const struct handler_pool *pool, const char *callable)
{
	return handler_pool_covers(pool, callable) && !handler_pool_settled(pool);
}

static bool
is_unwell(const struct handler_pool *pool, const char *callable)
{
	return handler_pool_covers(pool, callable) &&
	       !atomic_load(&handler_pool_numbers(pool)->healthy);
}

/* A handler that is not well, or has not yet said what it handles, may still take it elsewhere or
 * later, whichever of those that cover it that is; one that nobody means to have is a mistake of
 * the template. */
static void
refuse(struct runner *r, struct attempt *a)
{
	struct handler_pool *unsettled = pool_for(r, a->step->handler, is_unsettled);

	if (r->draining)
		attempt_end(a);
	else if (unsettled != NULL)
		handler_pool_take(unsettled, a);
	else if (pool_for(r, a->step->handler, is_unwell) != NULL)
		attempt_end(a);
	else {
		step_report_error(a->report, "handler_not_found", false,
		        "no handler of this worker takes %s", a->step->handler);
		attempt_end(a);
	}
}

static void
on_offer(struct mail *mail)
{
	struct attempt *a = (struct attempt *)mail; /* its first member */
	struct runner *r = a->holder;
	struct handler_pool *pool = pool_for(r, a->step->handler, handler_pool_offers);

	a->holder = NULL;
	if (pool != NULL)
		handler_pool_take(pool, a);
	else
		refuse(r, a);
}

bool
runner_offer(struct runner *r, struct step *step, struct err *e)
{
	struct attempt *a;

	if (!attempt_new(&r->shop, step, &a, e))
		return false;
	a->holder = r;
	a->mail.deliver = on_offer;
	loop_post(r->loop, &a->mail);
	return true;
}

struct stop_order {
	struct mail mail;
	struct runner *runner;
	enum stop why;
	int64_t attempt;
	char step[UUID_TEXT];
};

static void
on_stop(struct mail *mail)
{
	struct stop_order *order = (struct stop_order *)mail;
	struct runner *r = order->runner;

	for (size_t i = 0; i < r->pool_count; i++)
		if (handler_pool_stop(r->pools[i], order->step, order->attempt, order->why))
			break;
	free(order);
}

bool
runner_stop(struct runner *r, const char *step, int64_t attempt, enum stop why)
{
	struct stop_order *order = calloc(1, sizeof(*order));

	if (order == NULL)
		return false;
	order->mail.deliver = on_stop;
	order->runner = r;
	order->why = why;
	order->attempt = attempt;
	(void)strncpy(order->step, step, sizeof(order->step) - 1);
	loop_post(r->loop, &order->mail);
	return true;
}

/* ---- standing orders: their mail is part of the runner, so they cannot fail ---- */

static void
carry_out(struct runner *r, enum order what, int64_t grace_us)
{
	for (size_t i = 0; i < r->pool_count; i++) {
		switch (what) {
		case ORDER_BEGIN:
			handler_pool_start(r->pools[i]);
			break;
		case ORDER_RELEASE_ALL:
			handler_pool_stop_all(r->pools[i], STOP_RELEASED, grace_us);
			break;
		case ORDER_DRAIN:
			handler_pool_drain(r->pools[i]);
			break;
		case ORDER_END:
			handler_pool_end(r->pools[i]);
			break;
		case ORDER_COUNT:
			break;
		}
	}
}

static void
on_order(struct mail *mail)
{
	struct standing_order *order = (struct standing_order *)mail;
	struct runner *r = order->runner;
	const enum order what = (enum order)(order - r->orders);

	atomic_store(&order->posted, false);
	if (what == ORDER_BEGIN)
		loop_timer_set(r->tick, r->shop.settings->tick_us);
	if (what == ORDER_DRAIN || what == ORDER_END)
		r->draining = true;
	if (what == ORDER_END)
		r->ending_us = loop_mono_us(r->loop) + END_PATIENCE * r->shop.settings->stop_us +
		               r->shop.settings->tick_us;
	carry_out(r, what, atomic_load(&order->grace_us));
	finish_when_ended(r);
}

static void
give(struct runner *r, enum order what, int64_t grace_us)
{
	struct standing_order *order = &r->orders[what];

	atomic_store(&order->grace_us, grace_us);
	if (!atomic_exchange(&order->posted, true))
		loop_post(r->loop, &order->mail);
}

void
runner_release_all(struct runner *r, int64_t grace_us)
{
	give(r, ORDER_RELEASE_ALL, grace_us);
}

void
runner_drain(struct runner *r)
{
	give(r, ORDER_DRAIN, 0);
}

/* ---- questions ---- */

bool
runner_settled(const struct runner *r)
{
	return atomic_load(&r->settled);
}

bool
runner_healthy(const struct runner *r)
{
	for (size_t i = 0; i < r->pool_count; i++)
		if (!atomic_load(&handler_pool_numbers(r->pools[i])->healthy))
			return false;
	return true;
}

void
runner_callables(struct runner *r, struct buf *out)
{
	(void)pthread_mutex_lock(&r->lock);
	buf_add(out, r->callables.data, r->callables.len);
	(void)pthread_mutex_unlock(&r->lock);
}

size_t
runner_handlers(const struct runner *r)
{
	return r->pool_count;
}

const struct handler_settings *
runner_handler(const struct runner *r, size_t n)
{
	return handler_pool_handler(r->pools[n]);
}

const struct handler_pool_numbers *
runner_numbers(const struct runner *r, size_t n)
{
	return handler_pool_numbers(r->pools[n]);
}

/* ---- life ---- */

static bool
pools_new(struct runner *r, struct err *e)
{
	const size_t count = r->shop.settings->handler_count;

	r->pools = calloc(count + 1, sizeof(struct handler_pool *));
	if (r->pools == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for handlers");
	for (; r->pool_count < count; r->pool_count++)
		if (!handler_pool_new(&r->shop, &r->shop.settings->handlers[r->pool_count],
		            on_changed, r, &r->pools[r->pool_count], e))
			return false;
	return true;
}

bool
runner_new(const struct runner_settings *settings, const struct runner_ears *ears,
        OWNED struct runner **out, struct err *e)
{
	AUTO(runner) struct runner *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the runner");
	(void)pthread_mutex_init(&r->lock, NULL);
	r->callables = BUF(CALLABLES_MAX);
	r->ears = *ears;
	for (size_t i = 0; i < ORDER_COUNT; i++)
		r->orders[i] = (struct standing_order){.mail.deliver = on_order, .runner = r};
	if (!loop_new("runner", &r->loop, e) || !children_new(settings, &r->children, e) ||
	        !loop_timer_new(r->loop, on_tick, r, &r->tick, e))
		return false;
	r->shop = (struct workshop){.loop = r->loop,
	        .settings = settings,
	        .children = r->children,
	        .report = ears->report,
	        .arg = ears->arg};
	if (!pools_new(r, e))
		return false;
	atomic_store(&r->settled, all(r, handler_pool_settled));
	(void)renew_callables(r);
	*out = TAKE(r);
	return true;
}

bool
runner_start(struct runner *r, struct err *e)
{
	if (!loop_start(r->loop, e))
		return false;
	r->started = true;
	give(r, ORDER_BEGIN, 0);
	return true;
}

void
runner_end(struct runner *r)
{
	if (!r->started)
		return;
	r->started = false;
	give(r, ORDER_END, 0);
	loop_join(r->loop);
}

void
runner_free(struct runner *r)
{
	if (r == NULL)
		return;
	runner_end(r);
	/* Steps offered while it ended come back released. */
	r->draining = true;
	for (size_t i = 0; i < r->pool_count; i++)
		handler_pool_drain(r->pools[i]);
	loop_timer_free(r->tick);
	for (size_t i = 0; i < r->pool_count; i++)
		handler_pool_free(r->pools[i]);
	r->pool_count = 0;
	loop_free(r->loop);
	free(r->pools);
	children_free(r->children);
	buf_free(&r->callables);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

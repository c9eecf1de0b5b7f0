#include "worker/desk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct desk {
	struct fetch *fetch;
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct held_table table;
	bool parked; /* news ends the request under way */
	bool changed, draining, ending, left;
	loop_fn drained;
	void *drained_arg;
	struct link_status status;
};

bool
desk_new(size_t slots, struct fetch *fetch, OWNED struct desk **out, struct err *e)
{
	struct desk *d = calloc(1, sizeof(*d));
	pthread_condattr_t monotonic;

	if (d == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the link");
	if (!held_table_init(&d->table, slots, e)) {
		free(d);
		return false;
	}
	d->fetch = fetch;
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&d->news, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	*out = d;
	return true;
}

void
desk_free(struct desk *d)
{
	if (d == NULL)
		return;
	held_table_free(&d->table);
	(void)pthread_cond_destroy(&d->news);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

static void
enter(struct desk *d)
{
	(void)pthread_mutex_lock(&d->lock);
}

static void
leave(struct desk *d)
{
	d->status.held = d->table.count;
	(void)pthread_mutex_unlock(&d->lock);
}

/* Under the lock. One wake is enough for one parked poll. */
static void
tell(struct desk *d)
{
	(void)pthread_cond_broadcast(&d->news);
	if (d->parked)
		fetch_wake(d->fetch);
	d->parked = false;
}

void
desk_report(struct desk *d, OWNED struct step_report *report)
{
	struct held *h;

	enter(d);
	h = held_table_find(&d->table, report->step, report->attempt);
	if (h != NULL && h->report == NULL) {
		if (report->outcome == OUTCOME_DROPPED)
			held_table_remove(&d->table, h);
		else
			h->report = TAKE(report);
	}
	tell(d);
	leave(d);
	step_report_free(report);
}

void
desk_change(struct desk *d)
{
	enter(d);
	d->changed = true;
	tell(d);
	leave(d);
}

void
desk_drain(struct desk *d, loop_fn done, void *arg)
{
	enter(d);
	d->draining = true;
	d->drained = done;
	d->drained_arg = arg;
	tell(d);
	leave(d);
}

void
desk_end(struct desk *d)
{
	enter(d);
	d->ending = true;
	tell(d);
	leave(d);
}

void
desk_leave(struct desk *d)
{
	enter(d);
	d->left = true;
	tell(d);
	leave(d);
}

struct link_status
desk_status(struct desk *d)
{
	struct link_status s;

	enter(d);
	s = d->status;
	leave(d);
	return s;
}

/* Under the lock. */
static unsigned
now(const struct desk *d)
{
	return (d->changed ? (unsigned)DESK_CHANGED : 0) |
	       (d->draining ? (unsigned)DESK_DRAINING : 0) |
	       (d->ending ? (unsigned)DESK_ENDING : 0) |
	       (held_table_running(&d->table) < d->table.count ? (unsigned)DESK_FINISHED : 0) |
	       (d->table.count == 0 ? (unsigned)DESK_IDLE : 0) |
	       (d->left ? (unsigned)DESK_LEFT : 0);
}

unsigned
desk_look(struct desk *d)
{
	unsigned is;

	enter(d);
	is = now(d);
	leave(d);
	return is;
}

unsigned
desk_wait(struct desk *d, unsigned wanted, int64_t until_us)
{
	const struct timespec until = {
	        .tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
	unsigned is;

	enter(d);
	while (((is = now(d)) & wanted) == 0)
		if (pthread_cond_timedwait(&d->news, &d->lock, &until) == ETIMEDOUT) {
			is = now(d);
			break;
		}
	leave(d);
	return is;
}

bool
desk_take_change(struct desk *d)
{
	bool changed;

	enter(d);
	changed = d->changed;
	d->changed = false;
	leave(d);
	return changed;
}

size_t
desk_running(struct desk *d)
{
	size_t n;

	enter(d);
	n = held_table_running(&d->table);
	leave(d);
	return n;
}

loop_fn
desk_take_drained(struct desk *d, void **arg)
{
	loop_fn fn = NULL;

	enter(d);
	if (d->draining && d->table.count == 0) {
		fn = d->drained;
		*arg = d->drained_arg;
		d->drained = NULL;
	}
	leave(d);
	return fn;
}

size_t
desk_write_poll(struct desk *d, struct link_poll *p, struct buf *out)
{
	size_t results;

	enter(d);
	p->draining = d->draining || d->ending;
	results = link_poll_write(p, d->table.items, d->table.count, out);
	leave(d);
	return results;
}

bool
desk_park(struct desk *d)
{
	bool park;

	enter(d);
	park = (now(d) & (DESK_CHANGED | DESK_ENDING | DESK_FINISHED)) == 0;
	d->parked = park;
	leave(d);
	return park;
}

void
desk_unpark(struct desk *d)
{
	enter(d);
	d->parked = false;
	leave(d);
}

bool
desk_hold(struct desk *d, const char *step, int64_t attempt)
{
	bool ok;

	enter(d);
	ok = held_table_find(&d->table, step, attempt) == NULL &&
	     held_table_add(&d->table, step, attempt);
	leave(d);
	return ok;
}

void
desk_let_go(struct desk *d, const char *step, int64_t attempt)
{
	struct held *h;

	enter(d);
	h = held_table_find(&d->table, step, attempt);
	if (h != NULL)
		held_table_remove(&d->table, h);
	leave(d);
}

void
desk_acknowledge(struct desk *d, uint64_t accepted, uint64_t stale)
{
	enter(d);
	held_table_acknowledge(&d->table);
	d->status.polls++;
	d->status.accepted += accepted;
	d->status.stale += stale;
	leave(d);
}

void
desk_unsend(struct desk *d)
{
	enter(d);
	held_table_unsend(&d->table);
	leave(d);
}

size_t
desk_reduce(struct desk *d, const char *why)
{
	size_t dropped;

	enter(d);
	dropped = held_table_reduce(&d->table, why);
	leave(d);
	return dropped;
}

void
desk_answered(struct desk *d, int64_t now_us, bool registration)
{
	enter(d);
	d->status.connected = true;
	d->status.answered_us = now_us;
	d->status.registrations += registration;
	leave(d);
}

void
desk_unanswered(struct desk *d)
{
	enter(d);
	d->status.connected = false;
	d->status.failures++;
	leave(d);
}

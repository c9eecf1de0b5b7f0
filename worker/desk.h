/*
 * What the link's thread shares with the rest of the worker: the table of what is held, what else
 * is new, and how to be told of it. One lock inside; every function may be called from any thread,
 * though the second half only makes sense on the link's.
 */
#ifndef WORKER_DESK_H
#define WORKER_DESK_H

#include "shared/fetch/fetch.h"
#include "shared/runtime/loop.h"
#include "worker/held_table.h"

struct desk;

struct link_status {
	bool connected; /* the last request was answered */
	size_t held;
	uint64_t registrations, polls, failures; /* answered, answered, not */
	uint64_t accepted, stale;                /* results */
	int64_t answered_us;                     /* monotonic; 0: never */
};

/* fetch is borrowed: a poll that is parked there ends when there is news. */
MUST_CHECK bool desk_new(size_t slots, struct fetch *fetch, OWNED struct desk **out, struct err *e);
void desk_free(struct desk *d); /* NULL is fine */

/* ---- for the rest of the worker ---- */
void desk_report(struct desk *d, OWNED struct step_report *report);
void desk_change(struct desk *d); /* the handlers are others now */
void desk_drain(struct desk *d, loop_fn done, void *arg);
void desk_end(struct desk *d);
struct link_status desk_status(struct desk *d);

/* ---- for the link's thread ---- */
enum {
	DESK_CHANGED = 1,  /* the handlers, since desk_take_change() */
	DESK_DRAINING = 2, /* no more steps are wanted */
	DESK_ENDING = 4,
	DESK_FINISHED = 8, /* a result waits to be sent */
	DESK_IDLE = 16,    /* nothing is held */
	DESK_LEFT = 32,    /* the link's thread has ended */
};
/* What is so now. */
unsigned desk_look(struct desk *d);
/* The same, once one of wanted is so or at that monotonic moment. */
unsigned desk_wait(struct desk *d, unsigned wanted, int64_t until_us);
void desk_leave(struct desk *d); /* the last thing the link's thread does */
bool desk_take_change(struct desk *d);
size_t desk_running(struct desk *d);
/* What is to be called now that draining is over, once; else NULL. */
loop_fn desk_take_drained(struct desk *d, BORROWED void **arg);

/* As link_poll_write(), with what the desk knows. */
size_t desk_write_poll(struct desk *d, struct link_poll *p, struct buf *out);
/* From now on news ends the poll under way; false if there is news already. */
MUST_CHECK bool desk_park(struct desk *d);
void desk_unpark(struct desk *d);
/* False: it is held already, or there is no place. */
MUST_CHECK bool desk_hold(struct desk *d, const char *step, int64_t attempt);
void desk_let_go(struct desk *d, const char *step, int64_t attempt);
/* See held_table. */
void desk_acknowledge(struct desk *d, uint64_t accepted, uint64_t stale);
void desk_unsend(struct desk *d);
size_t desk_reduce(struct desk *d, const char *why);
void desk_answered(struct desk *d, int64_t now_us, bool registration);
void desk_unanswered(struct desk *d);

AUTO_DEFINE(desk, struct desk, desk_free)

#endif

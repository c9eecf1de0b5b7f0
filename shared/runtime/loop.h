/*
 * An event loop on a thread of its own, and the mailbox by which other threads reach it.
 *
 * Loops share nothing: what one must tell another travels as a struct mail. Mail is embedded in
 * the message, so posting allocates nothing and cannot fail. Mail is delivered in posting order of
 * each sender; what is still queued when the loop ends is delivered before loop_free() returns, so
 * a message's owner always gets it back.
 */
#ifndef SHARED_RUNTIME_LOOP_H
#define SHARED_RUNTIME_LOOP_H

#include <stdint.h>

#include "shared/base/err.h"

struct event_base;
struct loop;
struct loop_timer;

struct mail {
	struct mail *next;
	void (*deliver)(struct mail *mail); /* runs on the loop; mail may be freed by it */
};

/* name is for logs and the thread's name (15 bytes shown). */
MUST_CHECK bool loop_new(const char *name, OWNED struct loop **out, struct err *e);
void loop_free(struct loop *loop); /* stops and joins first; NULL is fine */

MUST_CHECK bool loop_start(struct loop *loop, struct err *e); /* on a new thread */
void loop_run(struct loop *loop);  /* on this thread, until loop_stop() */
void loop_stop(struct loop *loop); /* from any thread */
/* Waits for its thread, then delivers on this one what is queued; again, what came since. */
void loop_join(struct loop *loop);

/* From any thread; mail is the loop's until it is delivered. */
void loop_post(struct loop *loop, struct mail *mail);
/* The same for several, linked by next from the newest to the oldest, with one wake-up. */
void loop_post_all(struct loop *loop, struct mail *newest, struct mail *oldest);
/* On the loop's own thread: delivered when it has nothing more to do in this iteration. So what an
 * iteration's events ask of another thread reaches it together. */
void loop_post_late(struct loop *loop, struct mail *mail);

/* For registering events, on the loop's thread or before it runs. */
BORROWED struct event_base *loop_base(struct loop *loop);

/* The loop's idea of now, refreshed once an iteration: monotonic and wall microseconds. */
int64_t loop_mono_us(const struct loop *loop);
int64_t loop_wall_us(const struct loop *loop);

/* One-shot timers, on their own loop only; never early, usually within some milliseconds. Free them
 * before their loop. */
typedef void (*loop_fn)(void *arg);
MUST_CHECK bool loop_timer_new(
        struct loop *loop, loop_fn fn, void *arg, OWNED struct loop_timer **out, struct err *e);
void loop_timer_set(struct loop_timer *t, int64_t after_us); /* again: moves it */
void loop_timer_cancel(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/*
 * fn runs on the loop when the signal arrives (SIGTERM, SIGINT, SIGHUP); freed with the loop. The
 * signal is blocked in the calling thread and in every thread started from then on, so call it
 * (or process_prepare()) before any other thread exists.
 */
MUST_CHECK bool loop_signal(
        struct loop *loop, int signal_number, loop_fn fn, void *arg, struct err *e);

AUTO_DEFINE(loop, struct loop, loop_free)

#endif

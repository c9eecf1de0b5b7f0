/*
 * How a loop hears from other threads.
 *
 * The mailbox is a stack with one atomic head. A sender pushes its mail with compare-and-swap; only
 * the one that found the box empty writes the eventfd, so a burst costs one system call. The loop
 * reads the eventfd first and then takes the whole stack with one exchange, so mail pushed in
 * between wakes it again and nothing is ever left lying. Reversing the stack restores the order of
 * each sender.
 *
 * Nobody but the loop's own thread touches libevent: bases are made without locks, and loop_stop()
 * is a flag plus that same eventfd. epoll's change list stays off: it would tell the kernel of a
 * closed descriptor an iteration late, when another loop may have accepted its number; and nothing
 * here changes a registration once a request, so there is nothing to save.
 *
 * Signals are read from a signalfd. They stay blocked in every thread, so no handler ever
 * interrupts anything.
 */
#include "shared/runtime/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "shared/base/clock.h"

/* One reading an iteration; behind a pointer, so that a const loop can still be asked the time. */
struct reading {
	bool taken;
	int64_t mono_us, wall_us;
};

struct signal_watch {
	struct signal_watch *next;
	int fd;
	loop_fn fn;
	void *arg;
	struct event readable;
};

struct loop {
	char name[16];
	struct event_base *base;
	int wake_fd;
	struct event woken;
	_Atomic(struct mail *) box;
	struct mail *later, **later_end; /* of this iteration, in order */
	atomic_bool stop;
	bool started;
	pthread_t thread;
	struct signal_watch *signals;
	struct reading *reading;
};

struct loop_timer {
	struct loop *loop;
	struct event expiry;
	int64_t due_us;
	loop_fn fn;
	void *arg;
};

static void
deliver_list(struct mail *mail)
{
	while (mail != NULL) {
		struct mail *next = mail->next;

		mail->next = NULL;
		mail->deliver(mail);
		mail = next;
	}
}

/* Delivers what is in the box now; true if there was any. */
static bool
deliver(struct loop *loop)
{
	struct mail *newest = atomic_exchange_explicit(&loop->box, NULL, memory_order_acquire);
	struct mail *oldest = NULL;

	if (newest == NULL)
		return false;
	while (newest != NULL) {
		struct mail *older = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = older;
	}
	deliver_list(oldest);
	return true;
}

/* Delivers what was left for the end of the iteration; true if there was any. */
static bool
deliver_late(struct loop *loop)
{
	struct mail *first = loop->later;

	loop->later = NULL;
	loop->later_end = &loop->later;
	deliver_list(first);
	return first != NULL;
}

/* Until nothing is left: delivery may post again. */
static void
deliver_all(struct loop *loop)
{
	bool more;

	do {
		more = deliver(loop);
		more = deliver_late(loop) || more;
	} while (more);
}

static void
wake(struct loop *loop)
{
	const uint64_t one = 1;
	ssize_t n;

	do {
		n = write(loop->wake_fd, &one, sizeof(one));
	} while (n < 0 && errno == EINTR);
	/* EAGAIN means the counter is full: then it is readable, which is all we want. */
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	if (read((int)fd, &count, sizeof(count)) < 0)
		assert(errno == EAGAIN || errno == EINTR);
	(void)deliver(arg);
}

static struct event_base *
base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config == NULL)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

bool
loop_new(const char *name, OWNED struct loop **out, struct err *e)
{
	AUTO(loop) struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a loop");
	loop->wake_fd = -1;
	loop->later_end = &loop->later;
	(void)strncpy(loop->name, name, sizeof(loop->name) - 1);
	loop->reading = calloc(1, sizeof(*loop->reading));
	if (loop->reading == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a loop");
	loop->base = base_new();
	if (loop->base == NULL)
		return err_set(e, ERR_NOMEM, "libevent gave no event base");
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0)
		return err_set(e, ERR_IO, "eventfd: %s", strerror(errno));
	if (event_assign(&loop->woken, loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake,
	            loop) != 0 ||
	        event_add(&loop->woken, NULL) != 0)
		return err_set(e, ERR_NOMEM, "libevent cannot watch an eventfd");

	*out = TAKE(loop);
	return true;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->started) {
		loop_stop(loop);
		loop_join(loop);
	}
	deliver_all(loop);
	while (loop->signals != NULL) {
		struct signal_watch *watch = loop->signals;

		loop->signals = watch->next;
		(void)event_del(&watch->readable);
		(void)close(watch->fd);
		free(watch);
	}
	if (loop->wake_fd >= 0) {
		if (event_initialized(&loop->woken))
			(void)event_del(&loop->woken);
		(void)close(loop->wake_fd);
	}
	if (loop->base != NULL)
		event_base_free(loop->base);
	free(loop->reading);
	free(loop);
}

void
loop_run(struct loop *loop)
{
	while (!atomic_load_explicit(&loop->stop, memory_order_acquire)) {
		(void)event_base_loop(loop->base, EVLOOP_ONCE);
		while (deliver_late(loop))
			;
		loop->reading->taken = false;
	}
}

static void *
thread_main(void *arg)
{
	struct loop *loop = arg;

	(void)pthread_setname_np(pthread_self(), loop->name);
	loop_run(loop);
	return NULL;
}

bool
loop_start(struct loop *loop, struct err *e)
{
	sigset_t all, before;
	int rc;

	assert(!loop->started);
	loop->reading->taken = false;
	(void)sigfillset(&all);
	/* The new thread inherits the mask: no signal is ever delivered to it. */
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&loop->thread, NULL, thread_main, loop);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return err_set(e, ERR_IO, "starting thread %s: %s", loop->name, strerror(rc));
	loop->started = true;
	return true;
}

void
loop_stop(struct loop *loop)
{
	atomic_store_explicit(&loop->stop, true, memory_order_release);
	wake(loop);
}

void
loop_join(struct loop *loop)
{
	if (loop->started) {
		(void)pthread_join(loop->thread, NULL);
		loop->started = false;
		loop->reading->taken = false;
	}
	deliver_all(loop); /* its owners can still act on it: nothing of theirs is freed yet */
}

void
loop_post_all(struct loop *loop, struct mail *newest, struct mail *oldest)
{
	struct mail *top = atomic_load_explicit(&loop->box, memory_order_relaxed);

	do {
		oldest->next = top;
	} while (!atomic_compare_exchange_weak_explicit(
	        &loop->box, &top, newest, memory_order_release, memory_order_relaxed));
	if (top == NULL)
		wake(loop);
}

void
loop_post(struct loop *loop, struct mail *mail)
{
	loop_post_all(loop, mail, mail);
}

void
loop_post_late(struct loop *loop, struct mail *mail)
{
	mail->next = NULL;
	*loop->later_end = mail;
	loop->later_end = &mail->next;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

static const struct reading *
look(const struct loop *loop)
{
	struct reading *reading = loop->reading;

	if (!reading->taken) {
		reading->mono_us = clock_mono_us();
		reading->wall_us = clock_wall_us();
		reading->taken = true;
	}
	return reading;
}

int64_t
loop_mono_us(const struct loop *loop)
{
	return look(loop)->mono_us;
}

int64_t
loop_wall_us(const struct loop *loop)
{
	return look(loop)->wall_us;
}

static void
arm(struct loop_timer *t, int64_t after_us)
{
	const struct timeval tv = {.tv_sec = after_us / 1000000, .tv_usec = after_us % 1000000};

	/* Without memory for libevent's heap the timer looks again in the next iteration. */
	if (event_add(&t->expiry, &tv) != 0)
		event_active(&t->expiry, EV_TIMEOUT, 1);
}

static void
on_expiry(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;
	const int64_t left = t->due_us - loop_mono_us(t->loop);

	(void)fd;
	(void)what;
	/* libevent reads a coarse clock and may come some milliseconds early; we never do. */
	if (left > 0)
		arm(t, left);
	else
		t->fn(t->arg);
}

bool
loop_timer_new(
        struct loop *loop, loop_fn fn, void *arg, OWNED struct loop_timer **out, struct err *e)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a timer");
	t->loop = loop;
	t->fn = fn;
	t->arg = arg;
	if (evtimer_assign(&t->expiry, loop->base, on_expiry, t) != 0) {
		free(t);
		return err_set(e, ERR_INTERNAL, "libevent refused a timer");
	}
	*out = t;
	return true;
}

void
loop_timer_set(struct loop_timer *t, int64_t after_us)
{
	if (after_us < 0)
		after_us = 0;
	t->due_us = loop_mono_us(t->loop) + after_us;
	arm(t, after_us);
}

void
loop_timer_cancel(struct loop_timer *t)
{
	(void)event_del(&t->expiry);
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	(void)event_del(&t->expiry);
	free(t);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signal_watch *watch = arg;
	struct signalfd_siginfo info;

	(void)what;
	if (read((int)fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		watch->fn(watch->arg);
}

bool
loop_signal(struct loop *loop, int signal_number, loop_fn fn, void *arg, struct err *e)
{
	struct signal_watch *watch = calloc(1, sizeof(*watch));
	sigset_t set;

	if (watch == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a signal watch");
	watch->fn = fn;
	watch->arg = arg;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal_number);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	watch->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (watch->fd < 0) {
		free(watch);
		return err_set(e, ERR_IO, "signalfd for %s: %s", strsignal(signal_number),
		        strerror(errno));
	}
	if (event_assign(&watch->readable, loop->base, watch->fd, EV_READ | EV_PERSIST, on_signal,
	            watch) != 0 ||
	        event_add(&watch->readable, NULL) != 0) {
		(void)close(watch->fd);
		free(watch);
		return err_set(e, ERR_NOMEM, "libevent cannot watch a signalfd");
	}
	watch->next = loop->signals;
	loop->signals = watch;
	return true;
}

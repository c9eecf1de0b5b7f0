#include "orchestration/store/ledger.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { US_PER_S = 1000000, NS_PER_US = 1000 };

struct ledger {
	pthread_mutex_t lock;
	pthread_cond_t relieved;
	size_t max, bytes;
	size_t users; /* holders, and the reader */
	bool waiting, closed;
};

bool
ledger_new(size_t max, OWNED struct ledger **out, struct err *e)
{
	struct ledger *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (l == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a ledger");
	l->max = max;
	l->users = 1;
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&l->relieved, &attr);
	(void)pthread_condattr_destroy(&attr);
	*out = l;
	return true;
}

/* One user less; the last one takes it with him. */
static void
leave(struct ledger *l, size_t bytes)
{
	bool last;

	(void)pthread_mutex_lock(&l->lock);
	assert(l->users > 0 && l->bytes >= bytes);
	l->bytes -= bytes;
	last = --l->users == 0;
	if (l->waiting && l->bytes < l->max)
		(void)pthread_cond_signal(&l->relieved);
	(void)pthread_mutex_unlock(&l->lock);
	if (!last)
		return;
	(void)pthread_cond_destroy(&l->relieved);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

void
ledger_free(struct ledger *l)
{
	if (l != NULL)
		leave(l, 0);
}

void
ledger_hold(struct ledger *l, size_t bytes)
{
	(void)pthread_mutex_lock(&l->lock);
	l->bytes += bytes;
	l->users++;
	(void)pthread_mutex_unlock(&l->lock);
}

void
ledger_release(struct ledger *l, size_t bytes)
{
	leave(l, bytes);
}

bool
ledger_is_full(struct ledger *l)
{
	bool full;

	(void)pthread_mutex_lock(&l->lock);
	full = l->bytes >= l->max;
	(void)pthread_mutex_unlock(&l->lock);
	return full;
}

void
ledger_wait(struct ledger *l, int64_t until_us)
{
	const struct timespec at = {.tv_sec = (time_t)(until_us / US_PER_S),
	        .tv_nsec = (long)(until_us % US_PER_S) * NS_PER_US};

	(void)pthread_mutex_lock(&l->lock);
	l->waiting = true;
	while (l->bytes >= l->max && !l->closed)
		if (pthread_cond_timedwait(&l->relieved, &l->lock, &at) != 0)
			break;
	l->waiting = false;
	(void)pthread_mutex_unlock(&l->lock);
}

void
ledger_close(struct ledger *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->closed = true;
	(void)pthread_cond_signal(&l->relieved);
	(void)pthread_mutex_unlock(&l->lock);
}

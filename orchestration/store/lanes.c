#include "orchestration/store/lanes.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { SHARES = 8, US_PER_S = 1000000, NS_PER_US = 1000 };

struct lanes {
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	struct op_list queue[STORE_LANES];
	size_t bytes[STORE_LANES];
	int max[STORE_LANES];
	size_t bytes_max;
	bool asleep, woken, closed;
};

bool
lanes_new(const struct store_settings *s, OWNED struct lanes **out, struct err *e)
{
	struct lanes *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (l == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for queues");
	for (int i = 0; i < STORE_LANES; i++)
		l->max[i] = s->lane_max[i];
	l->bytes_max = (size_t)s->lane_bytes_max;
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&l->wanted, &attr);
	(void)pthread_condattr_destroy(&attr);
	*out = l;
	return true;
}

void
lanes_free(struct lanes *l)
{
	if (l == NULL)
		return;
	for (int i = 0; i < STORE_LANES; i++)
		assert(l->queue[i].first == NULL);
	(void)pthread_cond_destroy(&l->wanted);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

/* With the lock held. Once is enough, however long the sleeper takes to get up. */
static void
rouse(struct lanes *l)
{
	if (l->asleep)
		(void)pthread_cond_signal(&l->wanted);
	l->asleep = false;
}

bool
lanes_put(struct lanes *l, enum store_lane lane, struct store_op *op)
{
	bool fits;

	(void)pthread_mutex_lock(&l->lock);
	fits = !l->closed && l->queue[lane].count < (size_t)l->max[lane] &&
	       l->bytes[lane] + op->state->bytes <= l->bytes_max;
	if (fits) {
		l->bytes[lane] += op->state->bytes;
		op_list_add(&l->queue[lane], op);
		rouse(l);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return fits;
}

static bool
is_empty(const struct lanes *l)
{
	for (int i = 0; i < STORE_LANES; i++)
		if (l->queue[i].first != NULL)
			return false;
	return true;
}

/* What the lanes after this one may claim of a batch. */
static size_t
reserved(const struct lanes *l, int lane, size_t max)
{
	size_t sum = 0;

	for (int i = lane + 1; i < STORE_LANES; i++) {
		size_t share = max / SHARES;

		sum += l->queue[i].count < share ? l->queue[i].count : share;
	}
	return sum;
}

static void
take(struct lanes *l, size_t max, struct op_list *out)
{
	for (int i = 0; i < STORE_LANES; i++) {
		size_t kept = reserved(l, i, max);

		while (l->queue[i].first != NULL && out->count + kept < max) {
			struct store_op *op = op_list_take(&l->queue[i]);

			l->bytes[i] -= op->state->bytes;
			op_list_add(out, op);
		}
	}
}

static bool
sleep_until(struct lanes *l, int64_t until_us)
{
	struct timespec at = {.tv_sec = (time_t)(until_us / US_PER_S),
	        .tv_nsec = (long)(until_us % US_PER_S) * NS_PER_US};
	int rc;

	l->asleep = true;
	rc = until_us == 0 ? pthread_cond_wait(&l->wanted, &l->lock)
	                   : pthread_cond_timedwait(&l->wanted, &l->lock, &at);
	l->asleep = false;
	return rc == 0;
}

bool
lanes_take(struct lanes *l, int64_t until_us, size_t max, struct op_list *out)
{
	bool going;

	(void)pthread_mutex_lock(&l->lock);
	while (is_empty(l) && !l->woken && !l->closed)
		if (!sleep_until(l, until_us))
			break;
	going = !(l->closed && is_empty(l));
	l->woken = false;
	take(l, max, out);
	(void)pthread_mutex_unlock(&l->lock);
	return going;
}

void
lanes_wake(struct lanes *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->woken = true;
	rouse(l);
	(void)pthread_mutex_unlock(&l->lock);
}

void
lanes_close(struct lanes *l)
{
	(void)pthread_mutex_lock(&l->lock);
	l->closed = true;
	rouse(l);
	(void)pthread_mutex_unlock(&l->lock);
}

void
lanes_depth(struct lanes *l, int out[STORE_LANES])
{
	(void)pthread_mutex_lock(&l->lock);
	for (int i = 0; i < STORE_LANES; i++)
		out[i] = (int)l->queue[i].count;
	(void)pthread_mutex_unlock(&l->lock);
}

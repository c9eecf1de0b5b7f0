/*
 * A cell holds the time at which its bucket is full. A request moves that time on by the interval
 * between two requests, beginning at now if it has passed; it may be made while the time then lies
 * at most a burst of intervals ahead.
 *
 * Nanoseconds, and the interval is rounded up, so a rate is never exceeded by rounding. The rate is
 * one word, the interval below the burst, so that both change together: at most one second is
 * 10^9 ns and fits 32 bits, and a burst of a million such seconds is 10^15 ns.
 *
 * No cell lies further ahead than its ceiling: a burst, what loops that ask at once can owe, and
 * how far their clocks may differ. A cell beyond it was written under another rate and is brought
 * down when it is next seen; so a smaller burst after a reload locks nobody out for what the larger
 * one lent.
 */
#include "shared/gate/rate_limit.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/rand.h"
#include "shared/base/sip.h"

enum { DEBT = 64 /* requests: one for each loop there may be */ };

static const int64_t second_ns = 1000000000;
static const int64_t skew_ns = INT64_C(10000000000); /* a loop reads its clock once a turn */

struct pace {
	int64_t interval_ns, burst_ns; /* interval 0: off */
};

static struct pace
pace_of(const struct rate_limit *l)
{
	const uint64_t rate = atomic_load_explicit(&l->rate, memory_order_relaxed);
	const int64_t interval = (int64_t)(rate & UINT32_MAX);

	return (struct pace){interval, interval * (int64_t)(rate >> 32)};
}

/* A time that can be added to; before the clock's start is at its start. */
static int64_t
ns_of(int64_t us)
{
	const int64_t last = INT64_MAX / 2 / 1000;

	return us <= 0 ? 0 : us > last ? last * 1000 : us * 1000;
}

static _Atomic int64_t *
cell_of(struct rate_limit *l, size_t row, uint64_t who)
{
	return &l->cells[row][who >> 32 * row & (RATE_LIMIT_CELLS - 1)];
}

/* When the cell is full: now if that has passed, the ceiling if it lies beyond. */
static int64_t
full_at(int64_t cell, int64_t now, const struct pace *pace)
{
	const int64_t ceiling = now + pace->burst_ns + DEBT * pace->interval_ns + skew_ns;

	return cell < now ? now : cell > ceiling ? ceiling : cell;
}

static int64_t
look(_Atomic int64_t *cell, int64_t now, const struct pace *pace)
{
	int64_t found = atomic_load_explicit(cell, memory_order_relaxed);
	const int64_t full = full_at(found, now, pace);

	if (found > full) /* unless another loop has written it since: then that stands */
		(void)atomic_compare_exchange_strong_explicit(
		        cell, &found, full, memory_order_relaxed, memory_order_relaxed);
	return full;
}

void
rate_limit_set(struct rate_limit *l, struct rate rate)
{
	const uint32_t per_second =
	        rate.per_second < RATE_LIMIT_MAX ? rate.per_second : RATE_LIMIT_MAX;
	uint32_t burst = rate.burst < RATE_LIMIT_MAX ? rate.burst : RATE_LIMIT_MAX;
	uint64_t interval = 0;

	if (burst == 0)
		burst = per_second;
	if (per_second > 0)
		interval = ((uint64_t)second_ns + per_second - 1) / per_second;
	atomic_store_explicit(&l->rate, interval == 0 ? 0 : (uint64_t)burst << 32 | interval,
	        memory_order_relaxed);
}

bool
rate_limit_is_on(const struct rate_limit *l)
{
	return atomic_load_explicit(&l->rate, memory_order_relaxed) != 0;
}

bool
rate_limit_asks(struct rate_limit *l, uint64_t who, int64_t now_us, int64_t *wait_us)
{
	const struct pace pace = pace_of(l);
	const int64_t now = ns_of(now_us);
	int64_t full = INT64_MAX, ahead;

	if (pace.interval_ns == 0)
		return true;
	for (size_t row = 0; row < RATE_LIMIT_ROWS; row++) {
		const int64_t one = look(cell_of(l, row, who), now, &pace);

		full = one < full ? one : full;
	}
	ahead = full + pace.interval_ns - (now + pace.burst_ns);
	if (ahead <= 0)
		return true;
	*wait_us = (ahead + 999) / 1000;
	return false;
}

void
rate_limit_spend(struct rate_limit *l, uint64_t who, int64_t now_us)
{
	const struct pace pace = pace_of(l);
	const int64_t now = ns_of(now_us);

	if (pace.interval_ns == 0)
		return;
	for (size_t row = 0; row < RATE_LIMIT_ROWS; row++) {
		_Atomic int64_t *cell = cell_of(l, row, who);
		int64_t found = atomic_load_explicit(cell, memory_order_relaxed), next;

		do /* ends: a failure is another loop's success */
			next = full_at(found, now, &pace) + pace.interval_ns;
		while (!atomic_compare_exchange_weak_explicit(
		        cell, &found, next, memory_order_relaxed, memory_order_relaxed));
	}
}

bool
rate_limit_take(struct rate_limit *l, uint64_t who, int64_t now_us, int64_t *wait_us)
{
	if (!rate_limit_asks(l, who, now_us, wait_us))
		return false;
	rate_limit_spend(l, who, now_us);
	return true;
}

bool
rate_limits_new(OWNED struct rate_limits **out, struct err *e)
{
	struct rate_limits *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the rate limits");
	for (size_t i = 0; i < COUNT(l->key); i++)
		l->key[i] = rand_u64();
	*out = l;
	return true;
}

void
rate_limits_free(struct rate_limits *l)
{
	free(l);
}

uint64_t
rate_limits_text(const struct rate_limits *l, const char *text)
{
	struct sip sip = sip_start(l->key);

	sip_bytes(&sip, text, strlen(text));
	return sip_end(&sip);
}

uint64_t
rate_limits_number(const struct rate_limits *l, uint64_t number)
{
	struct sip sip = sip_start(l->key);

	sip_word(&sip, number);
	return sip_end(&sip);
}

const char *
rate_scope_name(enum rate_scope scope)
{
	static const char *const names[RATE__COUNT] = {"principal", "address", "verification"};

	return names[scope];
}

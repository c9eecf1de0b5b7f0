/*
 * Times, counted in buckets that are a 32nd of an octave wide: memory is fixed, and a percentile is
 * too high by 3 % at most. A plain struct, zero when empty.
 */
#ifndef TESTS_NET_HISTOGRAM_H
#define TESTS_NET_HISTOGRAM_H

#include <stdint.h>

#include "shared/base/attr.h"

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BUCKETS = 32 * HISTOGRAM_STEPS };

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t total, max;
};

/* Values below 32 have a bucket each, then 32 to an octave. */
static inline unsigned
histogram_bucket(uint64_t value)
{
	unsigned octave = 0;

	while (value >= 2 * HISTOGRAM_STEPS && octave < 30) {
		value >>= 1;
		octave++;
	}
	if (value >= 2 * HISTOGRAM_STEPS)
		return HISTOGRAM_BUCKETS - 1;
	return octave * HISTOGRAM_STEPS + (unsigned)value;
}

static inline void
histogram_add(struct histogram *h, int64_t value)
{
	const uint64_t v = value > 0 ? (uint64_t)value : 0;

	h->counts[histogram_bucket(v)]++;
	h->total++;
	if (v > h->max)
		h->max = v;
}

static inline void
histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->counts[i] += from->counts[i];
	to->total += from->total;
	if (from->max > to->max)
		to->max = from->max;
}

/* The upper end of the bucket in which that share of all values, 0.99, is reached; 0 when empty. */
static inline int64_t
histogram_at(const struct histogram *h, double share)
{
	const uint64_t wanted = (uint64_t)((double)h->total * share);
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && h->total > 0; i++) {
		const unsigned octave = i < HISTOGRAM_STEPS ? 0 : i / HISTOGRAM_STEPS - 1;
		const uint64_t end = (uint64_t)(i - octave * HISTOGRAM_STEPS + 1) << octave;

		seen += h->counts[i];
		if (seen > wanted)
			return (int64_t)(end - 1 < h->max ? end - 1 : h->max);
	}
	return (int64_t)h->max;
}

#endif

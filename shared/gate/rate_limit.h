/*
 * How many requests a principal or an address may make, and how much work a stranger may cause:
 * token buckets, shared by the loops of a daemon without a lock (LM4, LM5).
 *
 * A bucket is one number: the time at which it would be full again (GCRA). Buckets lie in a fixed
 * table of two rows. Each request is spent in both of its cells, and the one that is full sooner is
 * believed. So memory is bounded whoever comes; the hash is keyed, so nobody can choose whom he
 * shares cells with; and a collision of both makes a limit stricter, never laxer.
 *
 * Asking and spending are two steps. Loops that ask at the same instant may each get the last
 * request of a bucket, at most one a loop; it is owed, not forgiven, so the rate holds.
 */
#ifndef SHARED_GATE_RATE_LIMIT_H
#define SHARED_GATE_RATE_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/attr.h"
#include "shared/base/err.h"

enum {
	RATE_LIMIT_ROWS = 2,
	RATE_LIMIT_CELLS = 8192, /* a row; a power of two */
	RATE_LIMIT_MAX = 1000000 /* requests a second, and a burst */
};

/* per_second 0: no limit. burst 0: what a second gives. Larger than RATE_LIMIT_MAX is the same as
 * it. */
struct rate {
	uint32_t per_second, burst;
};

struct rate_limit {
	_Atomic uint64_t rate;                                    /* see rate_limit.c; 0: off */
	_Atomic int64_t cells[RATE_LIMIT_ROWS][RATE_LIMIT_CELLS]; /* nanoseconds */
};

/* All zero is off, with full buckets; a limit is large, so its owner keeps it in place. */

/* From any thread, while others ask. What was spent stays spent, as far as the new burst reaches.
 */
void rate_limit_set(struct rate_limit *l, struct rate rate);
bool rate_limit_is_on(const struct rate_limit *l);

/*
 * May who (a keyed hash) make a request at now_us (monotonic)? Takes nothing. If not, *wait_us is
 * how long to wait until it may, at least 1.
 */
MUST_CHECK bool rate_limit_asks(
        struct rate_limit *l, uint64_t who, int64_t now_us, int64_t *wait_us);
/* One request of who has been made, whether it might or not. */
void rate_limit_spend(struct rate_limit *l, uint64_t who, int64_t now_us);
/* Both: spends only what may be. */
MUST_CHECK bool rate_limit_take(
        struct rate_limit *l, uint64_t who, int64_t now_us, int64_t *wait_us);

/* The limits of a daemon; the names are those of the metric's label. */
enum rate_scope { RATE_PRINCIPAL, RATE_ADDRESS, RATE_VERIFICATION, RATE__COUNT };

struct rate_limits {
	uint64_t key[2]; /* secret: of the hashes */
	struct rate_limit of[RATE__COUNT];
};

/* Everything off. */
MUST_CHECK bool rate_limits_new(OWNED struct rate_limits **out, struct err *e);
void rate_limits_free(struct rate_limits *l); /* NULL is fine */

/* Who a text (an owner) or a number (admission_address()) is to these limits. */
uint64_t rate_limits_text(const struct rate_limits *l, const char *text);
uint64_t rate_limits_number(const struct rate_limits *l, uint64_t number);

/* "principal" ... */
const char *rate_scope_name(enum rate_scope scope);

AUTO_DEFINE(rate_limits, struct rate_limits, rate_limits_free)

#endif

/*
 * Where a request meets the limits of rate_limit.h, and its 429; for the gate alone. What a limit
 * refuses is answered here and takes nothing from any bucket.
 */
#ifndef SHARED_GATE_THROTTLE_H
#define SHARED_GATE_THROTTLE_H

#include "shared/gate/request_state.h"

/* Has its address made too many requests? Then it is answered, and req is gone. */
MUST_CHECK bool throttle_address(struct request *req);

/* Before its credential is judged: has its address brought so many bad tokens that one more is not
 * looked at? Then only a known token is, and the verdict of another is DENY_BUSY. */
void throttle_strangers(struct request *req);
/* Counts a token of its address that was looked at for nothing. */
void throttle_failed(const struct request *req, const struct authentication *result);
/* Answers DENY_BUSY. */
void throttle_unverified(struct request *req);

/* Has its principal made too many requests that were granted? Then it is answered. */
MUST_CHECK bool throttle_principal(struct request *req);

#endif

/*
 * Creates, as many as a daemon takes or at a fixed rate whatever it takes: one thread, many kept
 * connections, one request at a time on each.
 */
#ifndef TESTS_NET_OFFER_H
#define TESTS_NET_OFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/net/histogram.h"

struct offer_settings {
	int port;
	const char *headers; /* whole lines: who asks */
	const char *ns, *name;
	size_t connections;
	double per_s; /* 0: each connection asks again as soon as it is answered */
	double seconds;
};

/* What came of the requests that were due after the first fifth of the time. */
struct offered {
	double seconds;
	uint64_t due, created;
	uint64_t refused; /* 503 */
	uint64_t unsent;  /* no connection was free when they were due */
	uint64_t failed;  /* anything else */
	uint64_t without_retry_after;
	struct histogram created_us, refused_us; /* from when they were due */
};

/* False: it cannot connect. */
MUST_CHECK bool offer(const struct offer_settings *settings, struct offered *out);

#endif

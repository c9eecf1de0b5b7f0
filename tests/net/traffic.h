/*
 * Well-behaved clients: a few kept connections that send requests at a fixed rate, with tokens of
 * several users, and time each from the moment it was due. So a server that is slow for a while is
 * seen to be slow, however few requests were sent meanwhile.
 *
 * Creates are tasks of the demo, each with a context that no other has; reads are of a task that
 * was created before, or of a given path.
 */
#ifndef TESTS_NET_TRAFFIC_H
#define TESTS_NET_TRAFFIC_H

#include <stdbool.h>

#include "tests/net/histogram.h"

enum { TRAFFIC_THREADS = 2 };

struct traffic;

struct traffic_settings {
	int port;
	double creates_per_s, reads_per_s; /* of all threads together */
	size_t head_start; /* tasks created before that, as fast as they are answered, untimed */
	const char *read_path; /* NULL: the last task; borrowed */
	int step_ms;           /* a step takes up to that */
	uint64_t seed;
};

/* token_maker_prepare() was called. NULL: no memory, or no thread. */
OWNED struct traffic *traffic_start(const struct traffic_settings *settings);
/* No more requests; the threads are joined. */
void traffic_stop(struct traffic *t);
void traffic_free(struct traffic *t); /* NULL is fine */

struct traffic_numbers {
	uint64_t created, read;
	uint64_t failed; /* any other reply than 201 to a create and 200 to a read, or none */
};
/* While it runs they are a moment old. */
struct traffic_numbers traffic_numbers(const struct traffic *t);

/* After traffic_stop(): microseconds from when a request was due to its reply. */
void traffic_times(const struct traffic *t, struct histogram *out);
/* After traffic_stop(): the ids of the created tasks, BORROWED one by one in an array that is the
 * caller's. */
OWNED const char **traffic_ids(const struct traffic *t, size_t *count);
/* After traffic_stop(): waits until every created task is complete; false with the first that is
 * not on stderr. */
MUST_CHECK bool traffic_completes(struct traffic *t, int within_ms);

#endif

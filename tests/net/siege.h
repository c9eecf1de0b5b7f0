/*
 * A daemon under bad clients, with normal traffic beside them: what the tests of F11 share. The
 * pair is the rig's; limits come by the environment, which wins over its files.
 */
#ifndef TESTS_NET_SIEGE_H
#define TESTS_NET_SIEGE_H

#include "tests/fault/rig.h"
#include "tests/net/crowd.h"
#include "tests/net/meter.h"
#include "tests/net/traffic.h"

enum {
	SIEGE_EXACT_MS = 500, /* how far from its time a deadline may be; later, by what the
	                       * machine was seen to delay a thread twice, but no more than */
	SIEGE_LATE_MS = 500,
	SIEGE_P99_MS = 1000, /* of the traffic, on whatever machine */
	SIEGE_RSS_KIB = 256 * 1024,
};

struct siege_limits {
	int head_ms, body_ms, idle_ms, write_ms;
};

struct siege {
	struct rig rig;
	struct traffic *traffic;
	struct siege_limits limits;
	struct meter before;
	size_t crowd; /* of each kind */
	bool is_long; /* NET_LONG is set */
	int port;     /* of the daemon besieged */
	pid_t pid;
	char large[256]; /* a request with the largest reply there is */
};

/* Sets a limit of both daemons, in the environment. */
void siege_limit(const char *name, int value);
/* Starts the pair, the worker only if that is the daemon besieged, and the traffic. */
void siege_start(struct siege *s, bool worker);
/* A crowd against that daemon; port is filled in, and count if it is 0. */
OWNED struct crowd *siege_crowd(const struct siege *s, struct crowd_settings how);
/* Each of the crowd was ended, with that status, between those times; frees it. */
void siege_expect(struct crowd *c, const char *what, int status, int from_ms, int to_ms);
/* The traffic was answered throughout, 99 in 100 within p99_ms, and memory is within its bound.
 * Stops everything and removes the folder. */
void siege_finish(struct siege *s, const char *what, int p99_ms);

#endif

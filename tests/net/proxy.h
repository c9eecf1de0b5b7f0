/*
 * A network that misbehaves, between clients and a server on loopback: one listening socket, one
 * thread, and a fault for each direction that can be changed at any moment.
 *
 * Bytes are held back, never lost, as TCP does it: what stops goes on when the fault ends, unless
 * an end has given up meanwhile. The end of a stream is held back like its bytes. So STOP in both
 * directions is a cut cable, and STOP in one is a route that is broken one way.
 */
#ifndef TESTS_NET_PROXY_H
#define TESTS_NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"

enum { PROXY_PAIRS = 64 /* connections at once; more wait */ };

enum proxy_kind {
	PROXY_PASS,
	PROXY_DRIP,   /* amount bytes a second, one at a time */
	PROXY_DELAY,  /* each byte is amount ms late */
	PROXY_STOP,   /* nothing moves */
	PROXY_CUT,    /* after some bytes, 0 to amount of them, both sides see a regular end */
	PROXY_RESET,  /* the same with a reset, and counted from behind the first head */
	PROXY_REFUSE, /* amount in a hundred new connections are reset at once; the others pass */
};

struct proxy_fault {
	enum proxy_kind kind;
	unsigned amount;
};

struct proxy;

/* Listens on a free port of 127.0.0.1. seed decides what chance decides. NULL: it cannot. */
OWNED struct proxy *proxy_new(uint64_t seed);
void proxy_free(struct proxy *p); /* with its connections; NULL is fine */

/* Where clients connect to, and where it does. */
int proxy_port(const struct proxy *p);
void proxy_to(struct proxy *p, int port); /* until then it refuses everybody */

/* From now on, for old and new connections: up is from client to server. */
void proxy_set(struct proxy *p, struct proxy_fault up, struct proxy_fault down);

struct proxy_numbers {
	uint64_t accepted, refused, cut; /* connections */
	uint64_t up, down;               /* bytes forwarded */
};
struct proxy_numbers proxy_numbers(struct proxy *p);

#endif

/*
 * Many clients that behave badly all in the same way, driven by one thread: each sends the first
 * bytes of a script at once and the rest in drips, reads what comes or nothing at all, and waits
 * for its end. When each was connected, answered and closed is kept.
 *
 * They come from an address of loopback of their own, so that what a daemon allows one address is
 * not taken from others.
 */
#ifndef TESTS_NET_CROWD_H
#define TESTS_NET_CROWD_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/net/histogram.h"

struct crowd;

struct crowd_settings {
	int port;
	size_t count;
	const char *from;   /* "127.0.0.2" */
	const char *script; /* borrowed */
	size_t len, at_once;
	size_t drip; /* bytes every drip_ms after that; 0: nothing more */
	int drip_ms;
	bool deaf; /* reads nothing, with a small receive buffer */
};

/* Connects all of them, 10 s at most. NULL: no memory, or no thread. */
OWNED struct crowd *crowd_start(const struct crowd_settings *settings);
void crowd_free(struct crowd *c); /* closes those that are left; NULL is fine */

struct crowd_numbers {
	size_t connected, refused; /* refused: the connection itself failed */
	size_t ended;              /* by the daemon */
	size_t answered;           /* with any status line */
};
struct crowd_numbers crowd_numbers(struct crowd *c);
/* Waits until all that were connected have been ended; false: within_ms is over. */
MUST_CHECK bool crowd_ends(struct crowd *c, int within_ms);

/* After crowd_ends(): how many of the ended were answered with that status last; 0: with none. */
size_t crowd_status(const struct crowd *c, int status);
/* After crowd_ends(): milliseconds from a connection's beginning to its status line; and to its
 * end. */
void crowd_answer_times(const struct crowd *c, struct histogram *out);
void crowd_end_times(const struct crowd *c, struct histogram *out);

/* The longest that a wait of the crowd's own thread took beyond its time: what the machine did to
 * others that wait meanwhile. */
int crowd_late_ms(const struct crowd *c);

struct flood {
	size_t tried, connected;
	int took_ms;
};
/* Connects that many times at that rate, and resets each connection at once. */
struct flood crowd_flood(int port, const char *from, size_t count, size_t per_s);

#endif

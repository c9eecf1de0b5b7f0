/*
 * Lines from one thread to the log writer: a bounded ring of bytes with one producer and
 * one consumer, without locks. Only whole lines go in and come out.
 */
#ifndef SHARED_BASE_LOG_RING_H
#define SHARED_BASE_LOG_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { LOG_RING = 262144 }; /* bytes; a power of two */

struct log_ring {
	_Atomic size_t head; /* bytes ever put in; the producer moves it */
	_Atomic size_t tail; /* bytes ever taken out; the consumer moves it */
	_Atomic bool taken;  /* a thread owns it; given back when that thread ends */
	struct log_ring *next;
	char bytes[LOG_RING];
};

/* Puts a line with its newline; false, and nothing put, when the whole of it has no room. */
bool log_ring_put(struct log_ring *ring, const char *line, size_t len);

/* Moves as many whole lines as fit into out; the bytes moved, 0 if none are queued. */
size_t log_ring_take(struct log_ring *ring, char *out, size_t room);
bool log_ring_empty(const struct log_ring *ring);

#endif

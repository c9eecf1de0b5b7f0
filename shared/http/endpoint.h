/* One loop's end of the server: it accepts, and owns its connections and all they share. */
#ifndef SHARED_HTTP_ENDPOINT_H
#define SHARED_HTTP_ENDPOINT_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>

#include "shared/http/admission.h"
#include "shared/http/deadline.h"
#include "shared/http/pool.h"
#include "shared/http/reply.h"
#include "shared/http/transport.h"

enum { ENDPOINT_SCRATCH = 16384 };

struct http_server {
	int fd, port;
	struct http_limits limits;
	struct admission admission;
	atomic_size_t unsent; /* memory of replies that their readers have not taken whole */
	bool has_tls;         /* settled before the first endpoint */
	pthread_mutex_t lock; /* of what follows */
	struct tls_context *tls;
};

struct endpoint_counters {
	_Atomic uint64_t connections_open, connections_total, requests_total, refused_total,
	        exchanges_open;
};

struct http_endpoint {
	struct http_server *server;
	const struct http_limits *limits;
	struct loop *loop;
	struct http_callbacks callbacks;
	struct event listener;
	struct loop_timer *relisten, *expiry;
	int64_t expiry_us; /* what expiry is set for */
	struct deadlines deadlines;
	struct pool blocks, exchanges;
	struct endpoint_counters counters;
	loop_fn drained;
	void *drained_arg;
	int spare_fd; /* given up to turn a client away when descriptors run out */
	bool listening, draining, closed;
	struct reply_writer writer;
	char scratch[ENDPOINT_SCRATCH];
};

struct connection;

/* What a new connection on fd speaks through; false without memory, and fd is the caller's. */
MUST_CHECK bool http_server_transport(struct http_server *s, int fd, struct transport *out);

/* The deadline of c from now on. */
void endpoint_deadline(
        struct http_endpoint *ep, struct connection *c, enum deadline_kind kind, int64_t at_us);

/* While there are more unsent bytes than the server may hold, cuts the connections of this loop
 * that have stalled for longest, up to c, the latest. */
void endpoint_relieve(struct http_endpoint *ep, const struct connection *c);

/* A connection or an exchange has ended: there may be room again, or nothing left to wait for. */
void endpoint_connection_ended(struct http_endpoint *ep);
void endpoint_exchange_ended(struct http_endpoint *ep);

/* Counters are written by the loop alone and read by anyone. */
static inline void
count(_Atomic uint64_t *counter, int64_t by)
{
	atomic_store_explicit(counter,
	        atomic_load_explicit(counter, memory_order_relaxed) + (uint64_t)by,
	        memory_order_relaxed);
}

#endif

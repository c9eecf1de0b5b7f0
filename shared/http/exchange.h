/*
 * What the server keeps of one request and its reply. It outlives its connection if the owner is
 * slow: then c is NULL and the reply is dropped.
 */
#ifndef SHARED_HTTP_EXCHANGE_H
#define SHARED_HTTP_EXCHANGE_H

#include <netinet/in.h>

#include "shared/http/chunked.h"
#include "shared/http/input.h"
#include "shared/http/server.h"

struct connection;

/* A reply on its way out: the head, then the body. */
struct output {
	const char *head; /* in the endpoint's writer during the first write, then in kept */
	size_t head_len;
	char *kept; /* what the first write left of the head */
	struct buf body;
	size_t body_at;
};

struct exchange {
	struct http_endpoint *ep;
	struct connection *c; /* NULL: it is gone */
	void *user;
	int64_t started_us;
	bool known;   /* on_head has been called, so on_done will be */
	bool told;    /* the owner knows that the client went */
	bool reading; /* exchange_read_body() was called */
	bool whole;   /* the body has been read or dropped to its end */
	bool replied;
	int status;
	uint64_t sent;
	struct input kept; /* holds the head's bytes once on_head has returned */
	struct chunked chunks;
	struct buf body;
	uint64_t body_received; /* on the wire, for the minimum rate */
	struct output out;
	size_t unsent; /* what of out counts as the server's unsent bytes */
	char peer[INET6_ADDRSTRLEN];
	struct http_head head; /* last: it is large, and only its parser writes it */
};

/* One from the endpoint's pool, all zero but the head's fields; NULL without memory. */
MUST_CHECK OWNED struct exchange *exchange_new(struct http_endpoint *ep, struct connection *c);

/* Its reply went out or was dropped: tells the owner and takes it back. */
void exchange_end(struct exchange *x);

#endif

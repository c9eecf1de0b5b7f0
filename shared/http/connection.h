/*
 * One client: reads a request, hands it to its owner, writes the reply, and so on.
 *
 *   HEAD ── on_head ──► OWNER ── exchange_read_body ──► BODY ── on_body ──► OWNER
 *    ▲                    │ exchange_reply                │ refused
 *    └──── all written ── SEND ◄──────────────────────────┘
 *                         └ the last one ──► LINGER ──► closed
 *
 * Requests of one connection are served one after the other, so replies cannot overtake (HP14).
 * What is read ahead meanwhile is bounded by limits.memory; then reading pauses and only the
 * client's hanging up is watched. connection_run() is the one place where things advance and, at
 * its end, the one place where a connection is freed: callbacks that re-enter it return at once.
 */
#ifndef SHARED_HTTP_CONNECTION_H
#define SHARED_HTTP_CONNECTION_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "shared/http/deadline.h"
#include "shared/http/exchange.h"
#include "shared/http/transport.h"

enum phase { PHASE_HEAD = 0, PHASE_OWNER, PHASE_BODY, PHASE_SEND, PHASE_LINGER };

enum watch { WATCH_NOTHING = 0, WATCH_READ, WATCH_HANGUP };

enum {
	DROP_MAX = 16384,   /* of an unread body, and the connection lives on */
	LINGER_MAX = 65536, /* bytes, and then it closes */
	LINGER_US = 2000000
};

struct connection {
	struct deadline due; /* first: a deadline that is due is its connection */
	struct transport io;
	struct event readable, writable;
	struct http_endpoint *ep;
	struct exchange *x; /* the request in progress, or NULL */
	struct input in;
	int64_t born_us;
	int64_t since_us; /* when the phase, or in SEND the last progress, began */
	int64_t reply_us; /* when the reply began */
	uint64_t address;
	size_t scanned;  /* of the head being read */
	size_t lingered; /* bytes thrown away */
	size_t requests;
	enum phase phase;
	enum watch watch;
	bool writing;  /* writable is armed */
	bool yielding; /* other connections come first, though there is input */
	bool running;
	bool broken; /* to be freed */
	bool eof;    /* all that the client sent has been read */
	bool hung_up;
	bool last; /* close after this reply */
	char peer[INET6_ADDRSTRLEN];
};

/* Takes fd, which counts as address in the server's admission; false (fd closed) without memory. */
MUST_CHECK bool connection_new(
        struct http_endpoint *ep, int fd, uint64_t address, const char peer[INET6_ADDRSTRLEN]);

/* Goes on as far as possible, and frees c if that was its end. */
void connection_run(struct connection *c);

/* Its deadline is due. */
void connection_expired(struct connection *c);

/* Closes it unless it has a request in progress; by force in any case. */
void connection_drain(struct connection *c, bool force);

/* ---- for one another: connection.c, body.c, send.c, exchange.c ---- */

/* Starts the reply of c->x and writes what the socket takes. */
void connection_send(struct connection *c, const struct http_reply *r);
/* Goes on writing. */
void connection_flush(struct connection *c);
/* Replies with a refusal of the server itself, and closes. */
void connection_refuse(struct connection *c, int status, const char *reason);

/* The owner wants the body of c->x. */
void body_begin(struct connection *c, size_t max);
/* Uses what has arrived; true if anything changed. */
bool body_step(struct connection *c);
/* Reads more of it from the socket. */
void body_receive(struct connection *c);
/* Its deadline, or the next look at its rate, is due. */
void body_expired(struct connection *c);
int64_t body_tick_us(const struct http_limits *limits);
/* Is there a body that nobody has read? */
bool body_unread(const struct exchange *x);
/* Throws an unread body away if that is short work; true if the next request follows. */
bool body_drop(struct connection *c);

#endif

/*
 * The wire: one listening socket shared by N loops, connections, exchanges. Knows nothing of
 * routes, credentials or JSON; the gate decides through the callbacks below.
 *
 * An exchange is one request and its one reply. It is used on its own loop only. After on_head the
 * owner must end it exactly once with exchange_reply(), now or later; until then it stays valid
 * even if the connection dies (the reply is then dropped). Order of replies on a pipelined
 * connection is the server's business (HP14).
 */
#ifndef SHARED_HTTP_SERVER_H
#define SHARED_HTTP_SERVER_H

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/http/head.h"
#include "shared/http/tls_context.h"
#include "shared/runtime/loop.h"

struct http_server;   /* the listening socket and the limits; shared by the loops */
struct http_endpoint; /* one loop's end of it: its connections */
struct exchange;

struct http_callbacks {
	/* A checked head has arrived. Either exchange_reply() (no byte of the body is read; see
	 * there), or exchange_read_body() and on_body follows; at once or later. */
	void (*on_head)(struct exchange *x, void *arg);
	/* The whole body, unchunked, is in exchange_body(). */
	void (*on_body)(struct exchange *x, void *arg);
	/* The parser, a deadline or a limit refuses (400 408 413 414 431 501 503 505): write the
	 * reply's body, application/problem+json; the server sends it and closes. reason is a fixed
	 * sentence. A bad head was no exchange: no other callback knows of it. A bad body ends its
	 * exchange: on_done follows, on_body and on_gone do not. */
	void (*on_refused)(int status, const char *reason, struct buf *body, void *arg);
	/* The client has gone, or has closed its sending side, before the reply (optional: NULL).
	 * The exchange must still be replied to, here or later; who only closed its sending side
	 * gets that reply. */
	void (*on_gone)(struct exchange *x, void *arg);
	/* After the last byte of a reply went out or was dropped, or the client went away inside
	 * its body (status 0): for the access log, and to free what exchange_set_user() holds
	 * (optional). Called once for each on_head, perhaps inside exchange_reply(); x and its head
	 * are gone when it returns. */
	void (*on_done)(struct exchange *x, void *arg);
	void *arg;
};

/* An extra field of a reply; with a control character in its value it is dropped (HP16). */
struct reply_field {
	const char *name, *value;
};

struct http_reply {
	int status;
	const char *content_type;         /* NULL: no body is described */
	const struct reply_field *fields; /* copied before exchange_reply() returns */
	size_t field_count;
	struct buf *body; /* taken: emptied; NULL for none. HEAD sends its length only */
	bool close;
};

/*
 * address is "127.0.0.1:8080", "[::1]:0" ...; or fd ≥ 0 is an inherited listening socket, taken on
 * success (then address may be NULL). ERR_BUSY: the port is taken; ERR_LIMIT: limits that cannot
 * work. The connections limit 0 means from RLIMIT_NOFILE (soft raised to hard, minus 64).
 */
MUST_CHECK bool http_server_new(const char *address, int fd, const struct http_limits *limits,
        OWNED struct http_server **out, struct err *e);
void http_server_free(struct http_server *s);      /* after its endpoints */
int http_server_port(const struct http_server *s); /* 0 on a unix socket */
/* Speaks TLS with t, taken. First before there are endpoints, then from any thread (TL6). */
void http_server_tls(struct http_server *s, OWNED struct tls_context *t);

/* Starts accepting on this loop. Call on the loop's thread or before it runs. */
MUST_CHECK bool http_endpoint_new(struct http_server *s, struct loop *loop,
        const struct http_callbacks *callbacks, OWNED struct http_endpoint **out, struct err *e);
/* Stops accepting, closes idle connections, lets running exchanges finish; drained is called on the
 * loop, from a stack of its own, when none is left (LM11). A second call with force closes the rest
 * at once: then drained does not wait for owners. Call it from mail or a timer, not in a callback.
 */
void http_endpoint_drain(struct http_endpoint *ep, bool force, loop_fn drained, void *arg);
/* After its loop ended: nothing is accepted any more, and each reply that still comes is its
 * connection's last, so no further request begins. Waits for nobody. */
void http_endpoint_stop(struct http_endpoint *ep);
/* On its loop or after it ended, not in a callback. Exchanges with owners stay valid. */
void http_endpoint_free(struct http_endpoint *ep);
struct http_stats {
	uint64_t connections_open, connections_total, requests_total, refused_total, exchanges_open;
};
struct http_stats http_endpoint_stats(const struct http_endpoint *ep); /* any thread */

/* ---- one exchange; what is borrowed is valid until on_done returns ---- */
BORROWED const struct http_head *exchange_head(const struct exchange *x);
BORROWED struct loop *exchange_loop(struct exchange *x);
BORROWED const char *exchange_peer(const struct exchange *x); /* "192.0.2.1" */
uint64_t exchange_address(const struct exchange *x);   /* as admission_address(); 0: it has gone */
int64_t exchange_started_us(const struct exchange *x); /* monotonic, when its head was complete */
bool exchange_alive(const struct exchange *x);         /* is the client still there? */

/*
 * Go on and read the body, of at most max bytes: sends 100 if the client waits for it (Expect).
 * Until on_body the exchange is the server's; on_body may run before this returns. More than max is
 * refused through on_refused (413). Nothing of the body is kept before this call.
 */
void exchange_read_body(struct exchange *x, size_t max);
BORROWED const char *exchange_body(
        const struct exchange *x, size_t *len); /* NUL follows; until the reply */

/*
 * Ends the exchange. If its body was never read: with no body or at most 16 KiB of it already
 * buffered whole the connection lives on (those bytes are dropped unparsed); otherwise the server
 * shuts its sending side, drains at most 64 KiB or 2 s, and closes (design §3).
 */
void exchange_reply(struct exchange *x, const struct http_reply *reply);

/* The owner's own pointer, for callbacks. */
void exchange_set_user(struct exchange *x, void *user);
void *exchange_user(const struct exchange *x);
int exchange_status(const struct exchange *x); /* of the reply, in on_done */
uint64_t exchange_sent(const struct exchange *x);

#endif

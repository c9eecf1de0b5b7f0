#include "shared/http/endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/http/connection.h"

enum {
	ACCEPT_BATCH = 4, /* a turn, so that loops which share the socket share the clients */
	RELISTEN_US = 100000,
	BLOCKS_KEPT = 64, /* of each kind, in this loop's pools */
};

/* ---- deadlines ---- */

static void
expiry_set(struct http_endpoint *ep, int64_t at_us)
{
	ep->expiry_us = at_us;
	if (at_us != INT64_MAX)
		loop_timer_set(ep->expiry, at_us - loop_mono_us(ep->loop));
}

void
endpoint_deadline(
        struct http_endpoint *ep, struct connection *c, enum deadline_kind kind, int64_t at_us)
{
	deadline_set(&ep->deadlines, &c->due, kind, at_us);
	if (at_us < ep->expiry_us)
		expiry_set(ep, at_us);
}

static void
on_expiry(void *arg)
{
	struct http_endpoint *ep = arg;
	const int64_t now = loop_mono_us(ep->loop);
	struct deadline *due;

	ep->expiry_us = INT64_MAX;
	/* Each look moves its deadline ahead or ends the connection, so this ends. */
	while ((due = deadlines_due(&ep->deadlines, now)) != NULL)
		connection_expired((struct connection *)due);
	expiry_set(ep, deadlines_next_us(&ep->deadlines));
}

void
endpoint_relieve(struct http_endpoint *ep, const struct connection *c)
{
	const size_t most = ep->limits->unsent;

	while (atomic_load_explicit(&ep->server->unsent, memory_order_relaxed) > most) {
		/* They are listed in the order of their last progress. */
		struct connection *first =
		        (struct connection *)deadlines_first(&ep->deadlines, DEADLINE_WRITE);

		if (first == NULL || first == c || first->running)
			return;
		connection_expired(first);
	}
}

/* ---- accepting ---- */

static void
listen_on(struct http_endpoint *ep)
{
	if (ep->listening || ep->draining)
		return;
	if (event_add(&ep->listener, NULL) == 0)
		ep->listening = true;
	else
		loop_timer_set(ep->relisten, RELISTEN_US);
}

/* Until a connection ends here, or a while has passed: the event would fire at once again. */
static void
listen_off(struct http_endpoint *ep)
{
	(void)event_del(&ep->listener);
	ep->listening = false;
	loop_timer_set(ep->relisten, RELISTEN_US);
}

/* While draining nobody listens again: then the same timer tells that it is over, so that drained
 * never runs inside somebody's reply. */
static void
on_relisten(void *arg)
{
	struct http_endpoint *ep = arg;
	const loop_fn drained = ep->drained;

	ep->drained = NULL;
	if (!ep->draining)
		listen_on(ep);
	else if (drained != NULL)
		drained(ep->drained_arg);
}

/* Without a descriptor left, the spare one lets a waiting client see a close instead of silence. */
static void
turn_away(struct http_endpoint *ep)
{
	int fd;

	if (ep->spare_fd < 0)
		return;
	(void)close(ep->spare_fd);
	fd = accept4(ep->server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		(void)close(fd);
	ep->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
peer_text(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN])
{
	const void *bytes = &((const struct sockaddr_in *)address)->sin_addr;

	if (address->ss_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
	memset(out, 0, INET6_ADDRSTRLEN);
	if (inet_ntop(address->ss_family, bytes, out, INET6_ADDRSTRLEN) == NULL)
		memcpy(out, "local", sizeof("local")); /* a unix socket */
}

/* Accepts one client; false if there is none, or no room, for now. */
static bool
accept_one(struct http_endpoint *ep)
{
	struct admission *admission = &ep->server->admission;
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	char peer[INET6_ADDRSTRLEN];
	uint64_t key;
	int fd;

	if (admission_is_full(admission)) {
		listen_off(ep);
		return false;
	}
	fd = accept4(
	        ep->server->fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return false;
		if (errno == EMFILE || errno == ENFILE)
			turn_away(ep);
		listen_off(ep);
		return false;
	}
	key = admission_address((const struct sockaddr *)&address);
	if (admission_enter(admission, key) != ADMISSION_ENTERED) {
		(void)close(fd);
		count(&ep->counters.refused_total, 1);
		return true;
	}
	peer_text(&address, peer);
	return connection_new(ep, fd, key, peer);
}

static void
on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < ACCEPT_BATCH; i++)
		if (!accept_one(arg))
			return;
}

/* ---- its ends ---- */

static void
release(struct http_endpoint *ep)
{
	pool_clear(&ep->blocks);
	pool_clear(&ep->exchanges);
	free(ep);
}

static uint64_t
value(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
settle(struct http_endpoint *ep)
{
	if (value(&ep->counters.exchanges_open) > 0 || value(&ep->counters.connections_open) > 0)
		return;
	if (ep->closed)
		release(ep);
	else if (ep->drained != NULL)
		loop_timer_set(ep->relisten, 0);
}

void
endpoint_connection_ended(struct http_endpoint *ep)
{
	if (!ep->closed)
		listen_on(ep);
	settle(ep);
}

void
endpoint_exchange_ended(struct http_endpoint *ep)
{
	settle(ep);
}

static bool
start(struct http_endpoint *ep, struct err *e)
{
	if (!loop_timer_new(ep->loop, on_relisten, ep, &ep->relisten, e) ||
	        !loop_timer_new(ep->loop, on_expiry, ep, &ep->expiry, e))
		return false;
	if (event_assign(&ep->listener, loop_base(ep->loop), ep->server->fd, EV_READ | EV_PERSIST,
	            on_acceptable, ep) != 0 ||
	        event_add(&ep->listener, NULL) != 0)
		return err_set(e, ERR_NOMEM, "libevent cannot watch the listening socket");
	ep->listening = true;
	return true;
}

bool
http_endpoint_new(struct http_server *s, struct loop *loop, const struct http_callbacks *callbacks,
        OWNED struct http_endpoint **out, struct err *e)
{
	struct http_endpoint *ep = calloc(1, sizeof(*ep));

	if (ep == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for an endpoint");
	ep->server = s;
	ep->limits = &s->limits;
	ep->loop = loop;
	ep->callbacks = *callbacks;
	ep->expiry_us = INT64_MAX;
	ep->blocks = POOL(INPUT_BLOCK, BLOCKS_KEPT);
	ep->exchanges = POOL(sizeof(struct exchange), BLOCKS_KEPT);
	ep->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	deadlines_init(&ep->deadlines);
	if (!start(ep, e)) {
		http_endpoint_free(ep);
		return err_while(e, "starting an endpoint");
	}
	*out = ep;
	return true;
}

static void
close_all(struct http_endpoint *ep)
{
	for (size_t kind = 0; kind < DEADLINE_KINDS; kind++) {
		struct deadline *first;

		while ((first = deadlines_first(&ep->deadlines, (enum deadline_kind)kind)) != NULL)
			connection_drain((struct connection *)first, true);
	}
}

static void
close_waiting(struct http_endpoint *ep, enum deadline_kind kind)
{
	struct deadline *first;

	/* Each is closed, or has a request now and is in another list. */
	while ((first = deadlines_first(&ep->deadlines, kind)) != NULL)
		connection_drain((struct connection *)first, false);
}

void
http_endpoint_stop(struct http_endpoint *ep)
{
	if (ep->listening)
		(void)event_del(&ep->listener);
	ep->listening = false;
	ep->draining = true;
}

void
http_endpoint_drain(struct http_endpoint *ep, bool force, loop_fn drained, void *arg)
{
	http_endpoint_stop(ep);
	loop_timer_cancel(ep->relisten);
	ep->drained = drained;
	ep->drained_arg = arg;
	if (force) {
		close_all(ep);
		loop_timer_set(ep->relisten, 0);
		return;
	}
	close_waiting(ep, DEADLINE_IDLE);
	close_waiting(ep, DEADLINE_FRESH);
	close_waiting(ep, DEADLINE_HANDSHAKE);
	settle(ep);
}

void
http_endpoint_free(struct http_endpoint *ep)
{
	if (ep == NULL)
		return;
	http_endpoint_stop(ep);
	ep->drained = NULL;
	close_all(ep);
	if (ep->spare_fd >= 0)
		(void)close(ep->spare_fd);
	loop_timer_free(ep->relisten);
	loop_timer_free(ep->expiry);
	/* Requests whose owners still work keep it alive until their replies. */
	ep->closed = true;
	settle(ep);
}

struct http_stats
http_endpoint_stats(const struct http_endpoint *ep)
{
	return (struct http_stats){
	        .connections_open = value(&ep->counters.connections_open),
	        .connections_total = value(&ep->counters.connections_total),
	        .requests_total = value(&ep->counters.requests_total),
	        .refused_total = value(&ep->counters.refused_total),
	        .exchanges_open = value(&ep->counters.exchanges_open),
	};
}

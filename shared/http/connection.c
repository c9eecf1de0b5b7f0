#include "shared/http/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/http/endpoint.h"

/* ---- its end ---- */

/* Who owns the exchange decides what happens to it. */
static void
abandon_exchange(struct connection *c)
{
	struct exchange *x = c->x;
	const struct http_callbacks *callbacks = &c->ep->callbacks;

	c->x = NULL;
	if (x == NULL)
		return;
	x->c = NULL;
	if (c->phase != PHASE_OWNER) {
		exchange_end(x);
		return;
	}
	if (!x->told && callbacks->on_gone != NULL) {
		x->told = true;
		callbacks->on_gone(x, callbacks->arg);
	}
}

static void
connection_free(struct connection *c)
{
	struct http_endpoint *ep = c->ep;

	(void)event_del(&c->readable);
	(void)event_del(&c->writable);
	c->io.kind->close(&c->io);
	abandon_exchange(c);
	input_release(&c->in, &ep->blocks);
	deadline_remove(&c->due);
	admission_leave(&ep->server->admission, c->address);
	count(&ep->counters.connections_open, -1);
	free(c);
	endpoint_connection_ended(ep);
}

/* ---- receiving ---- */

/* The block being read into and the one that a request in progress holds share the memory. */
static size_t
input_most(const struct connection *c)
{
	return c->ep->limits->memory / 2;
}

static void
received(struct connection *c, enum transport_verdict v, size_t n)
{
	switch (v) {
	case TRANSPORT_OK:
		if (c->phase == PHASE_HEAD && c->in.len == 0)
			c->since_us = loop_mono_us(c->ep->loop);
		c->in.len += n;
		break;
	case TRANSPORT_AGAIN:
		break;
	case TRANSPORT_EOF:
		c->eof = true;
		break;
	case TRANSPORT_BROKEN:
		c->broken = true;
		break;
	}
}

static void
receive_input(struct connection *c)
{
	enum transport_verdict v;
	bool was_ready;
	char *room;
	size_t len, n = 0;

	switch (input_room(&c->in, &c->ep->blocks, input_most(c), &room, &len)) {
	case INPUT_ROOM:
		was_ready = c->io.ready;
		v = c->io.kind->read(&c->io, room, len, &n);
		if (!was_ready && c->io.ready)
			c->since_us = loop_mono_us(c->ep->loop);
		received(c, v, n);
		break;
	case INPUT_FULL:
		break;
	case INPUT_NO_MEMORY:
		c->broken = true;
		break;
	}
}

/* Bytes after the last reply: read so that no reset overtakes it, and thrown away (HP15). */
static void
receive_nothing(struct connection *c)
{
	size_t n = 0;

	switch (c->io.kind->read(&c->io, c->ep->scratch, sizeof(c->ep->scratch), &n)) {
	case TRANSPORT_OK:
		c->lingered += n;
		c->broken = c->lingered > LINGER_MAX;
		break;
	case TRANSPORT_AGAIN:
		break;
	case TRANSPORT_EOF:
	case TRANSPORT_BROKEN:
		c->broken = true;
		break;
	}
}

static void
receive(struct connection *c)
{
	switch (c->phase) {
	case PHASE_HEAD:
	case PHASE_OWNER:
	case PHASE_SEND:
		receive_input(c);
		break;
	case PHASE_BODY:
		if (c->in.len == 0)
			body_receive(c);
		break;
	case PHASE_LINGER:
		receive_nothing(c);
		break;
	}
}

/* ---- steps ---- */

/* on_head has returned and the owner keeps the request: the head's bytes become the exchange's, so
 * that they stay where they are, and what follows them moves to a block of its own. */
static bool
detach_head(struct connection *c)
{
	struct input rest = c->in;

	c->x->kept = c->in;
	c->in = (struct input){0};
	return rest.len == 0 ||
	       input_add(&c->in, &c->ep->blocks, rest.len, input_text(&rest), rest.len);
}

static void
start_exchange(struct connection *c, struct exchange *x, size_t consumed)
{
	struct http_endpoint *ep = c->ep;

	c->x = x;
	c->requests++;
	c->phase = PHASE_OWNER;
	input_used(&c->in, consumed);
	count(&ep->counters.requests_total, 1);
	x->known = true;
	x->started_us = loop_mono_us(ep->loop);
	memcpy(x->peer, c->peer, sizeof(x->peer));
	ep->callbacks.on_head(x, ep->callbacks.arg);
	if (c->x != NULL && !detach_head(c))
		c->broken = true;
}

static bool
head_step(struct connection *c)
{
	struct http_endpoint *ep = c->ep;
	struct exchange *x;
	struct head_result r;

	if (c->in.len == 0) {
		c->broken = c->eof;
		return false;
	}
	x = exchange_new(ep, c);
	if (x == NULL) {
		c->broken = true;
		return false;
	}
	r = http_head_parse(input_text(&c->in), c->in.len, ep->limits, &c->scanned, &x->head);
	if (r.verdict == HEAD_INCOMPLETE) {
		exchange_end(x);
		c->broken = c->eof;
		return false;
	}
	if (r.verdict == HEAD_OK) {
		start_exchange(c, x, r.consumed);
		return true;
	}
	memset(&x->head, 0, offsetof(struct http_head, fields));
	c->x = x;
	connection_refuse(c, head_verdict_status(r.verdict), r.reason);
	return true;
}

/* The owner hears once that the client is gone; the reply is still sent as long as that works. */
static bool
owner_step(struct connection *c)
{
	const struct http_callbacks *callbacks = &c->ep->callbacks;
	struct exchange *x = c->x;

	if (!(c->eof || c->hung_up) || x->told)
		return false;
	x->told = true;
	if (callbacks->on_gone != NULL)
		callbacks->on_gone(x, callbacks->arg);
	return c->x == NULL;
}

/* True if it may be worth another step. */
static bool
step(struct connection *c)
{
	switch (c->phase) {
	case PHASE_HEAD:
		return head_step(c);
	case PHASE_OWNER:
		return owner_step(c);
	case PHASE_BODY:
		return body_step(c);
	case PHASE_SEND:
	case PHASE_LINGER:
		return false;
	}
	return false;
}

/* ---- settling: what to wait for, and until when ---- */

static enum watch
watch_wanted(const struct connection *c)
{
	const bool has_owner = c->phase == PHASE_OWNER || c->phase == PHASE_SEND;

	if (c->eof)
		return WATCH_NOTHING;
	if (c->phase == PHASE_SEND && c->io.write_wants_read)
		return WATCH_READ;
	/* Nothing of a body is read before its owner asks for it. */
	if (has_owner && (body_unread(c->x) || input_full(&c->in, input_most(c))))
		return c->hung_up || c->phase == PHASE_SEND ? WATCH_NOTHING : WATCH_HANGUP;
	return WATCH_READ;
}

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

static bool
watch_set(struct connection *c, enum watch wanted)
{
	static const short events[] = {
	        [WATCH_READ] = EV_READ | EV_PERSIST, [WATCH_HANGUP] = EV_CLOSED | EV_PERSIST};

	if (wanted == c->watch)
		return true;
	(void)event_del(&c->readable);
	c->watch = wanted;
	if (wanted == WATCH_NOTHING)
		return true;
	return event_assign(&c->readable, loop_base(c->ep->loop), c->io.fd, events[wanted],
	               on_readable, c) == 0 &&
	       event_add(&c->readable, NULL) == 0;
}

/* Is there anything to do once the socket takes bytes? */
static bool
writable_wanted(const struct connection *c)
{
	if (c->phase == PHASE_SEND)
		return !c->io.write_wants_read;
	return c->yielding || (c->io.read_wants_write && c->watch == WATCH_READ);
}

static bool
writable_set(struct connection *c)
{
	if (c->writing || !writable_wanted(c))
		return true;
	c->writing = true;
	return event_add(&c->writable, NULL) == 0;
}

static void
deadline_settle(struct connection *c)
{
	struct http_endpoint *ep = c->ep;
	const struct http_limits *limits = ep->limits;

	switch (c->phase) {
	case PHASE_HEAD:
		if (c->in.len > 0)
			endpoint_deadline(ep, c, DEADLINE_HEAD, c->since_us + limits->head_us);
		else if (c->requests > 0)
			endpoint_deadline(ep, c, DEADLINE_IDLE, c->since_us + limits->idle_us);
		else if (c->io.ready)
			endpoint_deadline(ep, c, DEADLINE_FRESH, c->since_us + limits->head_us);
		else
			endpoint_deadline(
			        ep, c, DEADLINE_HANDSHAKE, c->since_us + limits->handshake_us);
		break;
	case PHASE_OWNER:
		endpoint_deadline(ep, c, DEADLINE_NONE, INT64_MAX);
		break;
	case PHASE_BODY:
		if (c->due.kind != DEADLINE_BODY)
			endpoint_deadline(ep, c, DEADLINE_BODY, c->since_us + body_tick_us(limits));
		break;
	case PHASE_SEND:
		endpoint_deadline(ep, c, DEADLINE_WRITE, c->since_us + limits->write_us);
		break;
	case PHASE_LINGER:
		endpoint_deadline(ep, c, DEADLINE_LINGER, c->since_us + LINGER_US);
		break;
	}
}

/* Goes on with what has left the socket already; true if that changed anything. */
static bool
receive_pending(struct connection *c)
{
	const size_t before = c->io.pending;

	if (before == 0 || watch_wanted(c) != WATCH_READ)
		return false;
	receive(c);
	return c->io.pending != before;
}

void
connection_run(struct connection *c)
{
	size_t before = c->requests;

	if (c->running)
		return;
	c->running = true;
	c->yielding = false;
	while (!c->broken && (step(c) || receive_pending(c))) {
		c->yielding = c->phase == PHASE_HEAD && c->in.len > 0 &&
		              c->requests - before >= c->ep->limits->pipeline;
		if (c->yielding)
			break;
	}
	c->running = false;
	if (!c->broken)
		c->broken = !watch_set(c, watch_wanted(c)) || !writable_set(c);
	if (c->broken) {
		connection_free(c);
		return;
	}
	if (c->in.len == 0 && c->in.cap > 0)
		input_release(&c->in, &c->ep->blocks);
	deadline_settle(c);
}

/* ---- events ---- */

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if (c->watch == WATCH_HANGUP)
		c->hung_up = c->hung_up || (what & EV_CLOSED) != 0;
	else if (c->phase == PHASE_SEND && c->io.write_wants_read)
		connection_flush(c);
	else
		receive(c);
	connection_run(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	c->writing = false;
	if (c->phase == PHASE_SEND)
		connection_flush(c);
	else if (c->io.read_wants_write)
		receive(c);
	connection_run(c);
}

void
connection_expired(struct connection *c)
{
	switch (c->due.kind) {
	case DEADLINE_HEAD:
		connection_refuse(c, 408, "the head did not arrive in time");
		break;
	case DEADLINE_BODY:
		body_expired(c);
		break;
	case DEADLINE_IDLE:
		/* Else the kernel would keep the reply for who never reads it, beyond all limits.
		 */
		if (c->io.kind->untaken(&c->io) > 0)
			c->io.kind->discard(&c->io);
		c->broken = true;
		break;
	case DEADLINE_WRITE:
		c->io.kind->discard(&c->io);
		c->broken = true;
		break;
	case DEADLINE_FRESH:
	case DEADLINE_HANDSHAKE:
	case DEADLINE_LINGER:
		c->broken = true;
		break;
	case DEADLINE_NONE:
	case DEADLINE_KINDS:
		break;
	}
	connection_run(c);
}

void
connection_drain(struct connection *c, bool force)
{
	assert(!c->running); /* it would outlive this call, and the caller waits for its end */
	/* A request that has arrived by now is still answered. */
	if (!force && c->phase == PHASE_HEAD && c->in.len == 0)
		receive(c);
	if (force || (c->phase == PHASE_HEAD && c->in.len == 0))
		c->broken = true;
	connection_run(c);
}

/* ---- its beginning ---- */

bool
connection_new(
        struct http_endpoint *ep, int fd, uint64_t address, const char peer[INET6_ADDRSTRLEN])
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL || !http_server_transport(ep->server, fd, &c->io)) {
		(void)close(fd);
		admission_leave(&ep->server->admission, address);
		free(c);
		return false;
	}
	c->ep = ep;
	c->address = address;
	c->born_us = c->since_us = loop_mono_us(ep->loop);
	memcpy(c->peer, peer, sizeof(c->peer));
	deadline_add(&ep->deadlines, &c->due);
	count(&ep->counters.connections_open, 1);
	count(&ep->counters.connections_total, 1);
	/* watch_set() deletes what is being watched first, so there has to be something valid. */
	(void)event_assign(
	        &c->readable, loop_base(ep->loop), fd, EV_READ | EV_PERSIST, on_readable, c);
	(void)event_assign(&c->writable, loop_base(ep->loop), fd, EV_WRITE, on_writable, c);
	connection_run(c);
	return true;
}

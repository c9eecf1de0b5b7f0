/*
 * The body of a request, on its way in or thrown away.
 *
 * Memory follows what has arrived, not what was announced: a client that declares a megabyte and
 * sends nothing costs nothing. A body whose length is known is read straight into its buffer; a
 * chunked one goes through the loop's scratch space, and what follows it becomes input again.
 */
#include <string.h>

#include "shared/http/connection.h"
#include "shared/http/endpoint.h"

enum { SECOND_US = 1000000, TICK_US = 250000, READ_AHEAD = 16384 };

static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

int64_t
body_tick_us(const struct http_limits *limits)
{
	const int64_t quarter = limits->body_us / 4;

	return quarter < 1 ? 1 : quarter < TICK_US ? quarter : TICK_US;
}

bool
body_unread(const struct exchange *x)
{
	if (x->whole || x->head.body == BODY_NONE)
		return false;
	return x->head.body == BODY_CHUNKED || x->head.content_length > 0;
}

/* The client waits for 100 unless its body is on the way already. When not even that fits into the
 * socket it is left out: no client may wait for it forever (RFC 9110 §10.1.1). */
static void
say_go_on(struct connection *c)
{
	struct iovec part = {(void *)(uintptr_t)go_on, sizeof(go_on) - 1};
	size_t n = 0;
	const enum transport_verdict v = c->io.kind->write(&c->io, &part, 1, &n);

	if (v == TRANSPORT_BROKEN || c->io.held || (v == TRANSPORT_OK && n < sizeof(go_on) - 1))
		c->broken = true;
}

void
body_begin(struct connection *c, size_t max)
{
	struct exchange *x = c->x;

	x->body = BUF(max + 1);
	x->chunks = CHUNKED(max);
	c->phase = PHASE_BODY;
	c->since_us = loop_mono_us(c->ep->loop);
	if (x->head.content_length > max)
		connection_refuse(c, 413, "the body is too large");
	else if (x->head.expect_continue && c->in.len == 0)
		say_go_on(c);
}

static void
no_memory(struct connection *c)
{
	connection_refuse(c, 503, "out of memory for a body");
}

/* Moves what has arrived of a body of known length. */
static void
take_length(struct connection *c)
{
	struct exchange *x = c->x;
	const uint64_t left = x->head.content_length - x->body.len;
	const size_t n = c->in.len < left ? c->in.len : (size_t)left;

	buf_add(&x->body, n > 0 ? input_text(&c->in) : NULL, n);
	if (!buf_ok(&x->body)) {
		no_memory(c);
		return;
	}
	if (n > 0)
		input_used(&c->in, n);
	x->body_received += n;
	x->whole = x->body.len == x->head.content_length;
}

/* Decodes bytes; what follows the body stays unused: returns how many were used. */
static size_t
take_chunks(struct connection *c, const char *bytes, size_t len)
{
	struct exchange *x = c->x;
	const struct chunked_result r = chunked_decode(&x->chunks, bytes, len, &x->body);

	x->body_received += r.consumed;
	switch (r.verdict) {
	case CHUNKED_MORE:
		break;
	case CHUNKED_DONE:
		x->whole = true;
		break;
	case CHUNKED_BAD:
		connection_refuse(c, 400, r.reason);
		break;
	case CHUNKED_TOO_LARGE:
		connection_refuse(c, 413, r.reason);
		break;
	case CHUNKED_NO_MEMORY:
		no_memory(c);
		break;
	}
	return r.consumed;
}

static void
hand_over(struct connection *c)
{
	struct exchange *x = c->x;
	char *end = buf_room(&x->body, 1);

	if (end == NULL) {
		no_memory(c);
		return;
	}
	*end = '\0';
	c->phase = PHASE_OWNER;
	c->ep->callbacks.on_body(x, c->ep->callbacks.arg);
}

bool
body_step(struct connection *c)
{
	struct exchange *x = c->x;

	if (x->head.body == BODY_NONE)
		x->whole = true;
	else if (x->head.body == BODY_LENGTH && !x->whole)
		take_length(c);
	else if (!x->whole && c->in.len > 0) {
		const size_t used = take_chunks(c, input_text(&c->in), c->in.len);

		if (c->phase == PHASE_BODY) /* else it was refused, and the input is gone */
			input_used(&c->in, used);
	}
	if (c->phase != PHASE_BODY)
		return true;
	if (x->whole) {
		hand_over(c);
		return true;
	}
	c->broken = c->broken || c->eof;
	return false;
}

static void
receive_length(struct connection *c)
{
	struct exchange *x = c->x;
	const uint64_t left = x->head.content_length - x->body.len;
	const size_t ahead = x->body.len > READ_AHEAD ? x->body.len : READ_AHEAD;
	const size_t want = left < ahead ? (size_t)left : ahead;
	char *room = buf_room(&x->body, want + 1);
	size_t n = 0;

	if (room == NULL) {
		no_memory(c);
		return;
	}
	switch (c->io.kind->read(&c->io, room, want, &n)) {
	case TRANSPORT_OK:
		x->body.len += n;
		x->body_received += n;
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
receive_chunks(struct connection *c)
{
	struct http_endpoint *ep = c->ep;
	size_t n = 0, used;

	switch (c->io.kind->read(&c->io, ep->scratch, sizeof(ep->scratch), &n)) {
	case TRANSPORT_OK:
		used = take_chunks(c, ep->scratch, n);
		if (c->phase == PHASE_BODY &&
		        !input_add(&c->in, &ep->blocks, n, ep->scratch + used, n - used))
			c->broken = true;
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

void
body_receive(struct connection *c)
{
	if (c->x->head.body == BODY_CHUNKED)
		receive_chunks(c);
	else
		receive_length(c);
}

void
body_expired(struct connection *c)
{
	const struct http_limits *limits = c->ep->limits;
	const int64_t now = loop_mono_us(c->ep->loop), taken = now - c->since_us;

	if (taken >= limits->body_us)
		connection_refuse(c, 408, "the body did not arrive in time");
	else if (taken > SECOND_US && c->x->body_received < limits->body_min_rate *
	                                                            (uint64_t)(taken - SECOND_US) /
	                                                            SECOND_US)
		connection_refuse(c, 408, "the body came too slowly");
	else
		endpoint_deadline(c->ep, c, DEADLINE_BODY, now + body_tick_us(limits));
}

bool
body_drop(struct connection *c)
{
	struct http_endpoint *ep = c->ep;
	struct exchange *x = c->x;
	uint64_t left = x->head.content_length;
	size_t n;

	if (!body_unread(x))
		return true;
	if (x->reading || x->head.body == BODY_CHUNKED || left > DROP_MAX ||
	        (x->head.expect_continue && c->in.len == 0))
		return false;
	n = c->in.len < left ? c->in.len : (size_t)left;
	input_used(&c->in, n);
	for (left -= n; left > 0; left -= n)
		if (c->io.kind->read(&c->io, ep->scratch,
		            left < sizeof(ep->scratch) ? (size_t)left : sizeof(ep->scratch),
		            &n) != TRANSPORT_OK)
			return false;
	x->whole = true;
	return true;
}

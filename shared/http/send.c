/* Replies on their way out: one write in the usual case, the rest when the socket takes more. */
#include <stdlib.h>
#include <string.h>

#include "shared/http/connection.h"
#include "shared/http/endpoint.h"

enum { SECOND_US = 1000000 };

/* What follows this reply: another request, or the end? */
static bool
closes_after(const struct connection *c, const struct http_reply *r)
{
	const struct http_limits *limits = c->ep->limits;

	return r->close || !c->x->head.keep_alive || c->requests >= limits->requests ||
	       loop_mono_us(c->ep->loop) - c->born_us >= limits->lifetime_us || c->ep->draining;
}

/* Takes the body of r; a body that failed to be written becomes an empty 500. */
static size_t
take_body(struct exchange *x, struct http_reply *r)
{
	size_t len = 0;

	if (r->body == NULL)
		return 0;
	if (!buf_ok(r->body)) {
		buf_free(r->body);
		r->status = 500;
		r->content_type = NULL;
		return 0;
	}
	len = r->body->len;
	if (reply_has_body(r->status, x->head.method)) {
		x->out.body = *r->body;
		*r->body = BUF(x->out.body.max);
	} else {
		buf_free(r->body);
	}
	return len;
}

void
connection_send(struct connection *c, const struct http_reply *reply)
{
	struct http_endpoint *ep = c->ep;
	struct exchange *x = c->x;
	struct http_reply r = *reply;
	const size_t len = take_body(x, &r);
	enum reply_connection connection = REPLY_STAYS;

	x->replied = true;
	x->status = r.status;
	c->last = closes_after(c, &r) || !body_drop(c);
	if (c->last)
		connection = REPLY_CLOSES;
	else if (x->head.minor == 0)
		connection = REPLY_STAYS_AND_SAYS_SO;
	reply_write_head(&ep->writer, &r, len, connection, loop_wall_us(ep->loop));
	x->out.head = ep->writer.bytes;
	x->out.head_len = ep->writer.len;
	buf_free(&x->body);
	c->phase = PHASE_SEND;
	c->reply_us = c->since_us = loop_mono_us(ep->loop);
	connection_flush(c);
}

/* The reply is out. */
static void
sent(struct connection *c)
{
	struct exchange *x = c->x;

	c->x = NULL;
	c->since_us = loop_mono_us(c->ep->loop);
	c->phase = c->last ? PHASE_LINGER : PHASE_HEAD;
	exchange_end(x);
	if (!c->last)
		return;
	input_release(&c->in, &c->ep->blocks); /* HP15: nothing after it is ever parsed */
	if (c->eof)
		c->broken = true;
	else
		c->io.kind->shut(&c->io);
}

/* The writer's bytes are needed by the next reply of the loop. */
static bool
keep_head(struct output *out)
{
	if (out->head_len == 0 || out->kept != NULL)
		return true;
	out->kept = malloc(out->head_len);
	if (out->kept == NULL)
		return false;
	memcpy(out->kept, out->head, out->head_len);
	out->head = out->kept;
	return true;
}

static void
advance(struct output *out, size_t n)
{
	const size_t head = n < out->head_len ? n : out->head_len;

	out->head += head;
	out->head_len -= head;
	out->body_at += n - head;
}

/* Reading is slower than the minimum rate, though it never stops (LM2). */
static bool
too_slow(const struct connection *c)
{
	const int64_t taken = c->since_us - c->reply_us;

	return taken > c->ep->limits->write_us &&
	       c->x->sent < c->ep->limits->body_min_rate * (uint64_t)taken / SECOND_US;
}

/* Who does not take a reply at once makes us keep it: that memory is limited over all clients. */
static void
keep_rest(struct connection *c)
{
	struct http_endpoint *ep = c->ep;
	struct exchange *x = c->x;

	if (!keep_head(&x->out)) {
		c->broken = true;
		return;
	}
	if (x->unsent > 0 || x->out.body.cap == 0)
		return;
	x->unsent = x->out.body.cap;
	atomic_fetch_add_explicit(&ep->server->unsent, x->unsent, memory_order_relaxed);
	endpoint_deadline(ep, c, DEADLINE_WRITE, c->since_us + ep->limits->write_us);
	endpoint_relieve(ep, c);
}

void
connection_flush(struct connection *c)
{
	struct output *out = &c->x->out;
	struct iovec parts[2] = {
	        {(void *)(uintptr_t)out->head,                                  out->head_len},
	        {out->body.data != NULL ? out->body.data + out->body_at : NULL,
                 out->body.len - out->body_at                                                },
	};
	const int skip = out->head_len == 0 ? 1 : 0;
	const size_t left = parts[0].iov_len + parts[1].iov_len;
	size_t n = 0;

	switch (c->io.kind->write(&c->io, parts + skip, parts[1].iov_len == 0 ? 1 : 2 - skip, &n)) {
	case TRANSPORT_OK:
		c->since_us = loop_mono_us(c->ep->loop);
		c->x->sent += n;
		if (n == left) {
			sent(c);
			return;
		}
		advance(out, n);
		keep_rest(c);
		if (too_slow(c)) {
			c->io.kind->discard(&c->io);
			c->broken = true;
		}
		return;
	case TRANSPORT_AGAIN:
		keep_rest(c);
		return;
	case TRANSPORT_BROKEN:
	case TRANSPORT_EOF:
		c->broken = true;
		return;
	}
}

void
connection_refuse(struct connection *c, int status, const char *reason)
{
	struct http_endpoint *ep = c->ep;
	struct buf body = BUF(KIB(8));
	static const struct reply_field retry = {"Retry-After", "1"};
	struct http_reply r = {.status = status,
	        .fields = &retry,
	        .field_count = status == 503 ? 1 : 0,
	        .close = true};

	count(&ep->counters.refused_total, 1);
	if (c->x == NULL)
		c->x = exchange_new(ep, c);
	if (c->x == NULL) {
		c->broken = true;
		return;
	}
	ep->callbacks.on_refused(status, reason, &body, ep->callbacks.arg);
	if (buf_ok(&body)) {
		r.content_type = "application/problem+json";
		r.body = &body;
	}
	connection_send(c, &r);
	buf_free(&body);
}

#include "shared/http/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/http/connection.h"
#include "shared/http/endpoint.h"

struct exchange *
exchange_new(struct http_endpoint *ep, struct connection *c)
{
	struct exchange *x = pool_take(&ep->exchanges);

	if (x == NULL)
		return NULL;
	memset(x, 0, offsetof(struct exchange, head) + offsetof(struct http_head, fields));
	x->ep = ep;
	x->c = c;
	count(&ep->counters.exchanges_open, 1);
	return x;
}

void
exchange_end(struct exchange *x)
{
	struct http_endpoint *ep = x->ep;

	if (x->known && ep->callbacks.on_done != NULL)
		ep->callbacks.on_done(x, ep->callbacks.arg);
	if (x->unsent > 0)
		atomic_fetch_sub_explicit(&ep->server->unsent, x->unsent, memory_order_relaxed);
	buf_free(&x->body);
	buf_free(&x->out.body);
	free(x->out.kept);
	input_release(&x->kept, &ep->blocks);
	pool_give(&ep->exchanges, x);
	count(&ep->counters.exchanges_open, -1);
	endpoint_exchange_ended(ep);
}

const struct http_head *
exchange_head(const struct exchange *x)
{
	return &x->head;
}

struct loop *
exchange_loop(struct exchange *x)
{
	return x->ep->loop;
}

const char *
exchange_peer(const struct exchange *x)
{
	return x->peer;
}

uint64_t
exchange_address(const struct exchange *x)
{
	return x->c != NULL ? x->c->address : 0;
}

int64_t
exchange_started_us(const struct exchange *x)
{
	return x->started_us;
}

bool
exchange_alive(const struct exchange *x)
{
	return x->c != NULL && !x->told;
}

void
exchange_read_body(struct exchange *x, size_t max)
{
	struct connection *c = x->c;

	assert(!x->replied && !x->reading);
	x->reading = true;
	if (c == NULL) { /* no body will come any more */
		exchange_end(x);
		return;
	}
	assert(c->phase == PHASE_OWNER);
	body_begin(c, max);
	connection_run(c);
}

const char *
exchange_body(const struct exchange *x, size_t *len)
{
	*len = x->body.len;
	return x->body.data != NULL ? x->body.data : "";
}

void
exchange_reply(struct exchange *x, const struct http_reply *reply)
{
	struct connection *c = x->c;

	assert(!x->replied);
	x->replied = true;
	if (c == NULL) {
		x->status = reply->status;
		if (reply->body != NULL)
			buf_free(reply->body);
		exchange_end(x);
		return;
	}
	assert(c->phase == PHASE_OWNER);
	connection_send(c, reply);
	connection_run(c);
}

void
exchange_set_user(struct exchange *x, void *user)
{
	x->user = user;
}

void *
exchange_user(const struct exchange *x)
{
	return x->user;
}

int
exchange_status(const struct exchange *x)
{
	return x->status;
}

uint64_t
exchange_sent(const struct exchange *x)
{
	return x->sent;
}

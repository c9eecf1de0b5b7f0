#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/gate/request_state.h"

/* ---- questions ---- */

const struct json *
request_json(const struct request *req, const struct grant *grant)
{
	return grant_holds(grant, &req->slot) ? req->json : NULL;
}

const struct security_context *
request_context(const struct request *req)
{
	return req->context;
}

const struct route *
request_route(const struct request *req)
{
	return req->route;
}

struct loop *
request_loop(struct request *req)
{
	return exchange_loop(req->exchange);
}

const char *
request_id(const struct request *req)
{
	return req->id;
}

const char *
request_peer(const struct request *req)
{
	return exchange_peer(req->exchange);
}

bool
request_alive(const struct request *req)
{
	return exchange_alive(req->exchange);
}

void
request_on_gone(struct request *req, void (*fn)(struct request *req, void *arg), void *arg)
{
	req->gone = fn;
	req->gone_arg = arg;
	if (fn != NULL && !exchange_alive(req->exchange))
		fn(req, arg);
}

struct span
request_hole(const struct request *req, size_t n)
{
	return n < req->found.hole_count ? req->found.holes[n] : (struct span){"", 0};
}

/* ---- replies ---- */

void
request_reply_field(struct request *req, const char *name, const char *fmt, ...)
{
	const size_t at = req->text.len;
	char value[1024];
	va_list ap;
	int n;

	assert(req->reply_field_count < REQUEST_FIELDS);
	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(value))
		return; /* half a field says something else; none is better */
	buf_add(&req->text, value, (size_t)n + 1);
	if (!buf_ok(&req->text))
		return;
	req->reply_fields[req->reply_field_count].name = name;
	req->reply_fields[req->reply_field_count++].value = at;
}

void
request_retry_after(struct request *req, int seconds)
{
	request_reply_field(req, "Retry-After", "%d", seconds);
}

/* The request's id, the handler's own, what CORS says; the wire adds what every reply carries. */
static size_t
gather_fields(const struct request *req, struct reply_field *out)
{
	size_t n = 0;

	out[n++] = (struct reply_field){"X-Request-Id", req->id};
	for (size_t i = 0; i < req->reply_field_count; i++)
		out[n++] = (struct reply_field){
		        req->reply_fields[i].name, req->text.data + req->reply_fields[i].value};
	return n + cors_fields(&req->gate->settings.cors, req->cors_origin, out + n);
}

void
request_finish(
        struct request *req, int status, const char *content_type, struct buf *body, bool close)
{
	struct reply_field fields[1 + REQUEST_FIELDS + CORS_FIELDS];
	struct http_reply reply = {.status = status,
	        .content_type = content_type,
	        .fields = fields,
	        .field_count = gather_fields(req, fields),
	        .body = body,
	        .close = close};

	assert(!req->replied);
	req->replied = true;
	req->gone = NULL;
	req->grant = NULL;
	req->slot = (struct grant_slot){0}; /* the body is out of reach from here on */
	exchange_reply(req->exchange, &reply);
}

void
request_reply_text(struct request *req, int status, const char *content_type, struct buf *body)
{
	if (buf_ok(body)) {
		request_finish(req, status, content_type, body, false);
		return;
	}
	buf_free(body);
	request_problem(req, 500, "INTERNAL_ERROR", "Internal server error");
}

void
request_reply_json(struct request *req, int status, struct buf *body)
{
	request_reply_text(req, status, "application/json", body);
}

void
request_reply_empty(struct request *req, int status)
{
	request_finish(req, status, NULL, NULL, false);
}

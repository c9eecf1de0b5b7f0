/*
 * The one error body, for Tasker's clients (error.code, error.message) and for RFC 9457 readers:
 *
 *   {"error":{"code":"TASK_NOT_FOUND","message":"…"},
 *    "type":"/problems/task-not-found","title":"Not Found","status":404,"detail":"…",
 *    "request_id":"…","errors":[{"pointer":"/name","detail":"…"}]}
 *
 * type is the code in lower case; title is the status's reason phrase; errors only where there are
 * any. Texts are our own sentences: they never repeat what the client sent.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/gate/request_state.h"

static const char *
title_of(int status)
{
	switch (status) {
#define STATUS(code, phrase)                                                                       \
	case code:                                                                                 \
		return phrase;
#include "shared/http/status.def"
#undef STATUS
	default:
		return "Error";
	}
}

/* "TASK_NOT_FOUND" becomes "/problems/task-not-found". */
static void
put_type(struct json_out *w, const char *code)
{
	char type[96] = "/problems/";
	size_t n = strlen(type);

	for (; *code != '\0' && n < sizeof(type) - 1; code++) {
		if (*code == '_')
			type[n++] = '-';
		else
			type[n++] =
			        *code >= 'A' && *code <= 'Z' ? (char)(*code - 'A' + 'a') : *code;
	}
	json_put_bytes(w, "type", type, n);
}

void
problem_write(const struct problem *p, struct buf *out)
{
	struct json_out w = json_out_on(out);

	json_open(&w, NULL, '{');
	json_open(&w, "error", '{');
	json_put_text(&w, "code", p->code);
	json_put_text(&w, "message", p->message);
	json_close(&w, '}');
	put_type(&w, p->code);
	json_put_text(&w, "title", title_of(p->status));
	json_put_int(&w, "status", p->status);
	json_put_text(&w, "detail", p->message);
	if (p->request_id != NULL)
		json_put_text(&w, "request_id", p->request_id);
	if (p->invalid != NULL && p->invalid->len > 0 && buf_ok(p->invalid)) {
		json_open(&w, "errors", '[');
		buf_add(out, p->invalid->data, p->invalid->len);
		json_close(&w, ']');
	}
	if (p->members != NULL && buf_ok(p->members))
		buf_add(out, p->members->data, p->members->len);
	json_close(&w, '}');
}

void
problem_no_memory(struct exchange *x)
{
	static const struct problem p = {.status = 503,
	        .code = "SERVICE_UNAVAILABLE",
	        .message = "Out of memory; try again later"};
	static const struct reply_field retry = {"Retry-After", "1"};
	struct buf body = BUF(PROBLEM_MAX);
	struct http_reply reply = {.status = 503, .fields = &retry, .field_count = 1};

	problem_write(&p, &body);
	if (buf_ok(&body)) {
		reply.content_type = "application/problem+json";
		reply.body = &body;
	}
	exchange_reply(x, &reply);
	buf_free(&body);
}

static void
reply_problem(struct request *req, int status, const char *code, const char *message, bool close)
{
	const struct problem p = {.status = status,
	        .code = code,
	        .message = message,
	        .request_id = req->id,
	        .invalid = &req->invalid,
	        .members = &req->members};
	struct buf body = BUF(PROBLEM_MAX);

	problem_write(&p, &body);
	if (buf_ok(&body)) {
		request_finish(req, status, "application/problem+json", &body, close);
	} else { /* no memory for a body: the status still says it */
		buf_free(&body);
		request_finish(req, status, NULL, NULL, close);
	}
}

void
request_problem(struct request *req, int status, const char *code, const char *fmt, ...)
{
	char message[PROBLEM_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	reply_problem(req, status, code, message, false);
}

void
request_invalid(struct request *req, const char *pointer, const char *fmt, ...)
{
	struct json_out w = json_out_on(&req->invalid);
	char detail[PROBLEM_TEXT_MAX];
	va_list ap;

	if (req->invalid_count++ >= REQUEST_INVALIDS)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	w.comma = req->invalid.len > 0;
	json_open(&w, NULL, '{');
	json_put_text(&w, "pointer", pointer);
	json_put_text(&w, "detail", detail);
	json_close(&w, '}');
}

bool
request_has_invalid(const struct request *req)
{
	return req->invalid_count > 0;
}

void
request_problem_invalid(struct request *req, const char *message)
{
	reply_problem(req, 400, "BAD_REQUEST", message, false);
}

void
request_problem_member(struct request *req, const char *name, const char *json)
{
	struct json_out w = json_out_on(&req->members);

	w.comma = true; /* members of the problem itself come before */
	json_put_raw(&w, name, json, strlen(json));
}

/* ---- verdicts ---- */

/* RFC 6750 §3: a challenge without error where no credential was given. */
static void
challenge(struct request *req, enum verdict v)
{
	const struct access *access = req->route == NULL ? NULL : &req->route->access;
	const char *realm = req->gate->settings.realm;

	if (verdict_status(v) == 401)
		request_reply_field(req, "WWW-Authenticate",
		        v == VERDICT_DENY_MISSING ? "Bearer realm=\"%s\""
		                                  : "Bearer realm=\"%s\", error=\"invalid_token\"",
		        realm);
	else if (v == VERDICT_DENY_FORBIDDEN && access != NULL && access->kind == ACCESS_NEEDS)
		request_reply_field(req, "WWW-Authenticate",
		        "Bearer realm=\"%s\", error=\"insufficient_scope\", scope=\"%s\"", realm,
		        permission_spelled(access->permission));
	else if (verdict_status(v) == 403)
		request_reply_field(req, "WWW-Authenticate",
		        "Bearer realm=\"%s\", error=\"insufficient_scope\"", realm);
}

void
request_verdict(struct request *req, enum verdict v)
{
	const struct access *access = req->route == NULL ? NULL : &req->route->access;
	char message[PROBLEM_TEXT_MAX];

	(void)snprintf(message, sizeof(message), "%s", verdict_text(v));
	if (v == VERDICT_DENY_FORBIDDEN && access != NULL && access->kind == ACCESS_NEEDS)
		(void)snprintf(message, sizeof(message), "%s: %s", verdict_text(v),
		        permission_spelled(
		                access->permission)); /* the name, not the object (PM5) */
	challenge(req, v);
	if (verdict_status(v) == 503 || verdict_status(v) == 429)
		request_retry_after(req, 1);
	gate_note_denial(req, v);
	/* GRANT is no refusal; whoever reports it as one made a mistake, which is a 500. */
	reply_problem(req, v == VERDICT_GRANT ? 500 : verdict_status(v),
	        v == VERDICT_GRANT ? "INTERNAL_ERROR" : verdict_code(v), message,
	        v == VERDICT_DENY_REPEATED);
}

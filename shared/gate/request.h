/*
 * One request as a handler sees it. The body is reached only through the grant that was made for
 * this very request. A handler ends it exactly once with one of the request_reply functions, on its
 * loop, at once or after work elsewhere (keep the pointer, post mail back to request_loop()).
 */
#ifndef SHARED_GATE_REQUEST_H
#define SHARED_GATE_REQUEST_H

#include "shared/base/json.h"
#include "shared/base/json_out.h"
#include "shared/gate/route.h"
#include "shared/http/server.h"

/* The body as parsed, strict JSON; NULL with a wrong grant or on a row without a body. */
BORROWED const struct json *request_json(const struct request *req, const struct grant *grant);

BORROWED const struct security_context *request_context(const struct request *req);
BORROWED const struct route *request_route(const struct request *req);
BORROWED struct loop *request_loop(struct request *req);
BORROWED const char *request_id(const struct request *req);
BORROWED const char *request_peer(const struct request *req);
bool request_alive(const struct request *req); /* false: the client has gone; still reply once */
/* Called (on the loop) when the client goes before the reply; for parked requests. */
void request_on_gone(struct request *req, void (*fn)(struct request *req, void *arg), void *arg);

/* The nth hole of the path, raw. */
struct span request_hole(const struct request *req, size_t n);

/*
 * Query parameters, decoded once. The first call names all that the row knows: an unknown or
 * repeated key or a bad escape is 400, replied here: then false is returned and the handler stops
 * (HP13). values[i] is NULL where absent; they live as long as the request.
 */
MUST_CHECK bool request_query(
        struct request *req, const char *const *names, size_t count, BORROWED const char **values);

/* ---- replies: each ends the request ---- */
/* body is taken. A buffer that failed becomes 500. */
void request_reply_json(struct request *req, int status, struct buf *body);
void request_reply_text(
        struct request *req, int status, const char *content_type, struct buf *body);
void request_reply_empty(struct request *req, int status);

/*
 * The one error body, problem+json valid for Tasker clients and RFC 9457 readers. code is
 * "TASK_NOT_FOUND"; the text says what was wrong, where, what to do, and never echoes input raw.
 */
void request_problem(struct request *req, int status, const char *code, const char *fmt, ...)
        PRINTF(4, 5);
/* 400 with pointers: collect with request_invalid(), then request_problem_invalid() ends it. */
void request_invalid(struct request *req, const char *pointer, const char *fmt, ...) PRINTF(3, 4);
bool request_has_invalid(const struct request *req);
void request_problem_invalid(struct request *req, const char *message);
/* A verdict of the security service or of a session. */
void request_verdict(struct request *req, enum verdict v);
/* Extra members of the problem body, compact JSON value; and reply fields; before the reply. */
void request_problem_member(struct request *req, const char *name, const char *json);
void request_reply_field(struct request *req, const char *name, const char *fmt, ...) PRINTF(3, 4);
void request_retry_after(struct request *req, int seconds);

#endif

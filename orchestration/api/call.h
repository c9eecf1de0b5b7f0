/*
 * A request on its way through the store: one operation out, one answer back on the request's loop.
 *
 * call_begin() makes the operation and names the caller in it; call_submit() lends it to the store;
 * when it comes back the handler's render function answers if it went well, and this file answers
 * every other outcome, so that they read the same on all routes.
 */
#ifndef ORCHESTRATION_API_CALL_H
#define ORCHESTRATION_API_CALL_H

#include "orchestration/app.h"

/* Answers req from an operation whose outcome is STORE_OK; op is freed afterwards. */
typedef void (*call_render_fn)(struct app *app, struct request *req, struct store_op *op);

/* An operation in the caller's name, or NULL: then req has been answered. write: it changes
 * something, so any:write widens the scope and any:read does not. */
OWNED struct store_op *call_begin(
        struct app *app, struct request *req, enum store_verb verb, bool write);

/* Takes op. render runs on req's loop, unless the outcome is not OK. */
void call_submit(struct app *app, struct request *req, struct store_op *op, call_render_fn render);

/* As call_submit, but render gets every outcome (polls and registrations have answers of their
 * own). */
void call_submit_all(struct app *app, struct request *req, struct store_op *op,
        call_render_fn render, void *arg);
/* The arg given there, for its render. */
void *call_arg(const struct store_op *op);

/* Answers req for an outcome that is not OK. */
void call_refuse(struct request *req, const struct store_op *op);

/* 503 for want of memory. */
void call_no_memory(struct request *req);

/* The UUID in the nth hole of the path; false: req has been answered as missing. */
MUST_CHECK bool call_task_id(struct request *req, struct uuid *out);

/* Page and page size of a list, from query parameters that may be NULL; what is no number of its
 * kind is noted (request_invalid), and what is absent stays. */
void call_page(struct request *req, const char *page, const char *per_page, int *page_out,
        int *per_page_out);
/* The member "pagination" of a list's answer. */
void call_put_pagination(struct json_out *w, int page, int per_page, const struct page_out *out);

#endif

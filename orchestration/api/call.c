#include "orchestration/api/call.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/base/log.h"

struct call {
	struct app *app;
	struct request *req;
	call_render_fn render;
	bool every_outcome;
	void *arg;
};

/* What an outcome means to the caller, where the verb has no answer of its own. */
static const struct {
	int status;
	const char *code, *text; /* text NULL: the operation's own; BUSY prefers it too */
} answers[] = {
        [STORE_UNDECIDED] = {500, "INTERNAL_ERROR",       "Internal server error"                    },
        [STORE_NOT_FOUND] = {404, "NOT_FOUND",            NULL                                       },
        [STORE_CONFLICT] = {409, "CONFLICT",             NULL                                       },
        [STORE_INVALID] = {400, "BAD_REQUEST",          NULL                                       },
        [STORE_STALE] = {409, "STALE",                NULL                                       },
        [STORE_BUSY] = {503, "BACKPRESSURE",         "Too much work is queued; try again later" },
        [STORE_TIMEOUT] = {503, "BACKPRESSURE",         "The work waited too long; try again later"},
        [STORE_FAULT] = {503, "SERVICE_UNAVAILABLE",  "The store cannot do this at the moment"   },
        [STORE_FORBIDDEN] = {403, "AUTHORIZATION_FAILED", NULL                                       },
};

enum { RETRY_AFTER_S = 1 };

void
call_no_memory(struct request *req)
{
	request_retry_after(req, RETRY_AFTER_S);
	request_problem(req, 503, "SERVICE_UNAVAILABLE", "Out of memory; try again later");
}

/* The one answer for a task that is foreign, malformed or missing (OW1). */
static void
task_missing(struct request *req)
{
	request_problem(req, 404, "TASK_NOT_FOUND", "Task not found");
}

bool
call_task_id(struct request *req, struct uuid *out)
{
	struct span text = request_hole(req, 0);

	if (uuid_parse(text.text, text.len, out))
		return true;
	task_missing(req);
	return false;
}

static void
missing(struct request *req, const struct store_op *op)
{
	bool step = op->verb == STORE_STEP_GET;

	if (step && op->out.step.task_found)
		request_problem(req, 404, "STEP_NOT_FOUND", "Step not found");
	else if (step || op->verb == STORE_TASK_GET || op->verb == STORE_TASK_CANCEL ||
	         op->verb == STORE_STEP_LIST)
		task_missing(req);
	else
		request_problem(req, 404, "NOT_FOUND", "%s",
		        op->text[0] != '\0' ? op->text : "Resource not found");
}

static void
conflict(struct request *req, const struct store_op *op)
{
	char id[UUID_TEXT], member[UUID_TEXT + 2];

	if (op->verb == STORE_TASK_CREATE) {
		uuid_text(&op->conflict_id, id);
		(void)snprintf(member, sizeof(member), "\"%s\"", id);
		request_problem_member(req, "task_uuid", member);
	}
	request_problem(req, 409, "CONFLICT", "%s", op->text);
}

void
call_refuse(struct request *req, const struct store_op *op)
{
	size_t at = (size_t)op->outcome < COUNT(answers) ? (size_t)op->outcome : 0;
	const char *text;

	if (op->outcome == STORE_FAULT || op->outcome == STORE_UNDECIDED)
		LOG(ERROR, "store.fault", TEXT_F("verb", store_verb_name(op->verb)),
		        TEXT_F("why", op->text), TEXT_F("request_id", request_id(req)));
	if (op->outcome == STORE_NOT_FOUND) {
		missing(req, op);
		return;
	}
	if (op->outcome == STORE_CONFLICT) {
		conflict(req, op);
		return;
	}
	if (answers[at].status == 0)
		at = STORE_UNDECIDED;
	text = answers[at].text;
	if (text == NULL || (op->outcome == STORE_BUSY && op->text[0] != '\0'))
		text = op->text;
	if (answers[at].status == 503)
		request_retry_after(req, RETRY_AFTER_S);
	request_problem(req, answers[at].status, answers[at].code, "%s", text);
}

struct store_op *
call_begin(struct app *app, struct request *req, enum store_verb verb, bool write)
{
	AUTO(store_op) struct store_op *op = store_op_new(verb);
	struct err e = {0};

	if (op == NULL) {
		call_no_memory(req);
		return NULL;
	}
	op->home = request_loop(req);
	if (!scope_resolve(app->ownership, request_context(req), write, &op->caller, &e)) {
		request_problem(req, 403, "AUTHORIZATION_FAILED", "%s", e.text);
		return NULL;
	}
	return TAKE(op);
}

/* Runs on the request's loop: the store has given the operation back. */
static void
deliver(struct mail *mail)
{
	AUTO(store_op) struct store_op *op = (struct store_op *)(void *)mail;
	struct call *call = op->user;

	if (op->outcome == STORE_OK || call->every_outcome)
		call->render(call->app, call->req, op);
	else
		call_refuse(call->req, op);
}

static void
client_gone(struct request *req, void *arg)
{
	struct store_op *op = arg;
	struct call *call = op->user;

	(void)req;
	if (call->app->store != NULL)
		store_unpark(call->app->store, op);
}

/* At the end of the daemon the loops' last mail is delivered after the store has closed; what then
 * wants one more operation is told so by mail too. */
static void
lend(struct mail *mail)
{
	struct store_op *op = (struct store_op *)(void *)mail;
	struct call *call = op->user;

	op->mail.deliver = deliver;
	if (call->app->store != NULL) {
		store_submit(call->app->store, op);
		return;
	}
	op->outcome = STORE_BUSY;
	loop_post(op->home, &op->mail);
}

static void
submit(struct app *app, struct request *req, struct store_op *op, struct call how)
{
	struct call *call = store_op_alloc(op, 1, sizeof(*call));

	_Static_assert(offsetof(struct store_op, mail) == 0, "deliver() and lend() cast back");
	if (call == NULL) {
		store_op_free(op);
		call_no_memory(req);
		return;
	}
	*call = how;
	call->app = app;
	call->req = req;
	op->user = call;
	op->mail.deliver = lend;
	if (op->verb == STORE_POLL)
		request_on_gone(req, client_gone, op);
	loop_post_late(op->home, &op->mail); /* many requests wake the store once */
}

void
call_submit(struct app *app, struct request *req, struct store_op *op, call_render_fn render)
{
	submit(app, req, op, (struct call){.render = render});
}

void
call_submit_all(
        struct app *app, struct request *req, struct store_op *op, call_render_fn render, void *arg)
{
	submit(app, req, op, (struct call){.render = render, .every_outcome = true, .arg = arg});
}

void *
call_arg(const struct store_op *op)
{
	const struct call *call = op->user;

	return call->arg;
}

/* A whole number from 1 to max; a parameter that is none is noted. */
static void
number(struct request *req, const char *name, const char *text, int max, int *out)
{
	char pointer[32];
	char *end = NULL;
	long n;

	if (text == NULL)
		return;
	n = strtol(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n >= 1 && n <= max) {
		*out = (int)n;
		return;
	}
	(void)snprintf(pointer, sizeof(pointer), "?%s", name);
	if (max == STORE_PAGE_MAX)
		request_invalid(req, pointer, "%s must be between 1 and %d", name, max);
	else
		request_invalid(req, pointer, "%s must be >= 1", name);
}

void
call_page(struct request *req, const char *page, const char *per_page, int *page_out,
        int *per_page_out)
{
	number(req, "page", page, INT32_MAX / STORE_PAGE_MAX, page_out);
	number(req, "per_page", per_page, STORE_PAGE_MAX, per_page_out);
}

void
call_put_pagination(struct json_out *w, int page, int per_page, const struct page_out *out)
{
	json_open(w, "pagination", '{');
	json_put_int(w, "page", page);
	json_put_int(w, "per_page", per_page);
	json_put_int(w, "total_count", out->total);
	json_put_int(w, "total_pages", (out->total + per_page - 1) / per_page);
	json_put_bool(w, "has_next", out->more);
	json_put_bool(w, "has_previous", page > 1);
	json_close(w, '}');
}

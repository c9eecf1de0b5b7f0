/* POST /v1/internal/poll: results in, steps and cancels out (design §15, store_poll.h). */
#include <stdlib.h>
#include <string.h>

#include "orchestration/api/call.h"
#include "orchestration/api/fields.h"
#include "orchestration/routes.h"

enum {
	ATTEMPT_MAX = 1000000000,
	SLOTS_MAX = 1024,
	WAIT_MAX_MS = 60000,
	CODE_MAX = 128,
	MESSAGE_MAX = 16 * 1024,
	LOG_MAX = 160 * 1024,
	POLL_BODY = 256 * 1024 * 1024,
};

static const struct {
	const char *word;
	enum step_outcome outcome;
} outcomes[] = {
        {"ok",        OUTCOME_OK       },
        {"error",     OUTCOME_ERROR    },
        {"cancelled", OUTCOME_CANCELLED},
        {"released",  OUTCOME_RELEASED },
};

static void
put_refs(struct json_out *w, const char *key, const struct attempt_ref *refs, size_t count)
{
	char id[UUID_TEXT];

	json_open(w, key, '[');
	for (size_t i = 0; i < count; i++) {
		uuid_text(&refs[i].step, id);
		json_open(w, NULL, '{');
		json_put_text(w, "step", id);
		json_put_int(w, "attempt", refs[i].attempt);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
put_statuses(struct json_out *w, const struct poll_out *out)
{
	char id[UUID_TEXT];

	json_open(w, "results", '[');
	for (size_t i = 0; i < out->result_count; i++) {
		uuid_text(&out->results[i].ref.step, id);
		json_open(w, NULL, '{');
		json_put_text(w, "step", id);
		json_put_int(w, "attempt", out->results[i].ref.attempt);
		json_put_text(w, "status", store_report_name(out->results[i].verdict));
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void
answered(struct app *app, struct request *req, struct store_op *op)
{
	const struct poll_out *out = &op->out.poll;
	struct buf body = BUF(POLL_BODY);
	struct json_out w = json_out_on(&body);
	char id[UUID_TEXT];

	(void)app;
	if (op->outcome == STORE_STALE) { /* closed or replaced: register again */
		request_verdict(req, VERDICT_DENY_SESSION);
		return;
	}
	if (op->outcome != STORE_OK) {
		call_refuse(req, op);
		return;
	}
	uuid_text(&op->in.poll.id, id);
	json_open(&w, NULL, '{');
	json_put_text(&w, "id", id);
	put_statuses(&w, out);
	json_open(&w, "steps", '[');
	for (size_t i = 0; i < out->step_count; i++)
		json_put_raw(&w, NULL, out->steps[i].frame.text, out->steps[i].frame.len);
	json_close(&w, ']');
	put_refs(&w, "cancel", out->cancel, out->cancel_count);
	put_refs(&w, "lost", out->lost, out->lost_count);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

/* {"step":"…","attempt":2} of item; pointer names the array it stands in. */
static bool
read_ref(const struct fields *f, const struct json_node *item, const char *pointer,
        struct attempt_ref *out)
{
	struct fields at = *f;
	int64_t attempt = 0;

	at.object = item;
	if (!field_uuid(&at, "step", pointer, &out->step) ||
	        !field_int(&at, "attempt", pointer, ATTEMPT_MAX, &attempt))
		return false;
	out->attempt = (int)attempt;
	return true;
}

static bool
read_held(struct fields *f, struct poll_in *in)
{
	const struct json_node *array;
	struct attempt_ref *held;
	size_t i = 0;

	if (!field_array(f, "held", "/held", STORE_POLL_HELD_MAX, &array, &in->held_count))
		return false;
	held = store_op_alloc(f->op, in->held_count + 1, sizeof(*held));
	f->no_memory |= held == NULL;
	for (const struct json_node *n = array != NULL && held != NULL ? json_first(f->doc, array)
	                                                               : NULL;
	        n != NULL; n = json_next(f->doc, n))
		if (!read_ref(f, n, "/held", &held[i++]))
			return false;
	in->held = held;
	return held != NULL;
}

static enum step_outcome
outcome_of(const struct json *doc, const struct json_node *n)
{
	for (size_t i = 0; i < COUNT(outcomes); i++)
		if (json_string_is(doc, n, outcomes[i].word))
			return outcomes[i].outcome;
	return OUTCOME_NONE;
}

/* {"code","message","retryable","retry_after_ms"}, all optional: a handler's word on its failure.
 */
static void
read_error(struct fields *f, const struct json_node *error, struct poll_result *out)
{
	struct fields at = *f;
	const struct json_node *n = json_member(f->doc, error, "retryable");

	at.object = error;
	out->retryable = n == NULL || json_kind(n) == JSON_TRUE;
	out->retry_after_ms = -1;
	if (!json_int64(
	            f->doc, json_member(f->doc, error, "retry_after_ms"), &out->retry_after_ms) ||
	        out->retry_after_ms < 0)
		out->retry_after_ms = -1;
	if (json_member(f->doc, error, "code") != NULL)
		(void)field_text(&at, "code", "/results/error/code", CODE_MAX, &out->code);
	n = json_member(f->doc, error, "message");
	if (n != NULL && !json_string_is(f->doc, n, ""))
		(void)field_text(
		        &at, "message", "/results/error/message", MESSAGE_MAX, &out->message);
	f->no_memory |= at.no_memory;
}

static bool
read_result(
        struct fields *f, const struct json_node *item, size_t result_max, struct poll_result *out)
{
	struct fields at = *f;
	const struct json_node *error = json_member(f->doc, item, "error");
	const struct json_node *log = json_member(f->doc, item, "log");

	at.object = item;
	if (!read_ref(f, item, "/results", &out->ref))
		return false;
	out->outcome = outcome_of(f->doc, json_member(f->doc, item, "outcome"));
	if (out->outcome == OUTCOME_NONE)
		request_invalid(
		        f->req, "/results/outcome", "must be ok, error, cancelled or released");
	if (!field_json(&at, "result", &out->result) && !at.no_memory)
		return false;
	if (out->result.len > result_max)
		request_invalid(f->req, "/results/result", "is longer than %zu bytes", result_max);
	read_error(&at, error, out);
	if (log != NULL) {
		AUTO(buf) struct buf b = BUF(LOG_MAX);

		if (!json_string(f->doc, log, &b) || (!buf_ok(&b) && !b.starved))
			request_invalid(f->req, "/results/log",
			        "must be a string of at most %d bytes", LOG_MAX);
		else if (b.len > 0)
			out->log = (struct store_json){store_op_text(f->op, b.data, b.len), b.len};
		at.no_memory |= b.starved || (b.len > 0 && out->log.text == NULL);
	}
	f->no_memory |= at.no_memory;
	return !request_has_invalid(f->req);
}

static bool
read_results(struct fields *f, size_t result_max, struct poll_in *in)
{
	const struct json_node *array;
	struct poll_result *results;
	size_t i = 0;

	if (!field_array(
	            f, "results", "/results", STORE_POLL_RESULTS_MAX, &array, &in->result_count))
		return false;
	results = store_op_alloc(f->op, in->result_count + 1, sizeof(*results));
	f->no_memory |= results == NULL;
	for (const struct json_node *n =
	                array != NULL && results != NULL ? json_first(f->doc, array) : NULL;
	        n != NULL; n = json_next(f->doc, n))
		if (!read_result(f, n, result_max, &results[i++]))
			return false;
	in->results = results;
	return results != NULL;
}

static bool
read_poll(struct fields *f, size_t result_max)
{
	struct poll_in *in = &f->op->in.poll;
	int64_t free_slots = 0;

	(void)field_uuid(f, "id", "/id", &in->id);
	(void)field_int(f, "free", "/free", SLOTS_MAX, &free_slots);
	(void)field_int(f, "wait_ms", "/wait_ms", WAIT_MAX_MS, &in->wait_ms);
	in->free = (int)free_slots;
	(void)read_held(f, in);
	(void)read_results(f, result_max, in);
	if (request_has_invalid(f->req)) {
		request_problem_invalid(f->req, "The poll is not valid");
		return false;
	}
	if (f->no_memory)
		call_no_memory(f->req);
	return !f->no_memory;
}

void
worker_poll(struct request *req, const struct grant *grant, void *app)
{
	const struct app *own = app;
	const struct json *doc = request_json(req, grant);
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_POLL, true);
	struct fields f = {req, doc, json_root(doc), op, false};

	if (op == NULL || !read_poll(&f, own->step_result_max))
		return;
	op->in.poll.session = strtoll(request_context(req)->token_id, NULL, 10);
	call_submit_all(app, req, TAKE(op), answered, NULL);
}

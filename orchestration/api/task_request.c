#include "orchestration/api/task_request.h"

#include <string.h>

#include "orchestration/api/call.h"
#include "orchestration/engine/identity.h"
#include "shared/base/clock.h"

enum { TAGS_MAX = 64, TAG_MAX = 128, PRIORITY_MAX = 100, TIME_TEXT_MAX = 40 };

/* The text members: their limits are Tasker's, name and namespace and version those of a template.
 */
static const struct {
	const char *name, *pointer;
	size_t offset, max;
	bool required;
} texts[] = {
#define TEXT_MEMBER(member, field, limit, must)                                                    \
	{                                                                                          \
		member, "/" member, offsetof(struct task_create_in, field), limit, must            \
	}
        TEXT_MEMBER("name", name, 64, true),
        TEXT_MEMBER("namespace", ns, 64, true),
        TEXT_MEMBER("version", version, 50, true),
        TEXT_MEMBER("initiator", initiator, 255, true),
        TEXT_MEMBER("source_system", source_system, 255, true),
        TEXT_MEMBER("reason", reason, 500, true),
        TEXT_MEMBER("idempotency_key", idempotency_key, 255, false),
#undef TEXT_MEMBER
};

struct reading {
	struct request *req;
	const struct json *doc;
	const struct json_node *root;
	struct store_op *op;
	bool no_memory;
};

/* The member, or NULL where it is absent or null. */
static const struct json_node *
given(const struct reading *r, const char *name)
{
	const struct json_node *n = json_member(r->doc, r->root, name);

	return n != NULL && json_kind(n) != JSON_NULL ? n : NULL;
}

static void
text_member(struct reading *r, size_t i)
{
	const struct json_node *n = given(r, texts[i].name);
	AUTO(buf) struct buf b = BUF(texts[i].max);
	const char **field =
	        (const char **)(void *)((char *)&r->op->in.task_create + texts[i].offset);
	bool is_text;

	if (n == NULL) {
		if (texts[i].required)
			request_invalid(r->req, texts[i].pointer,
			        "is required: a string of 1 to %zu bytes", texts[i].max);
		return;
	}
	is_text = json_string(r->doc, n, &b);
	if (!b.starved && (!is_text || !buf_ok(&b) || b.len == 0)) {
		request_invalid(r->req, texts[i].pointer, "must be a string of 1 to %zu bytes",
		        texts[i].max);
		return;
	}
	*field = b.starved ? NULL : store_op_text(r->op, b.data, b.len);
	r->no_memory |= *field == NULL;
}

/* Compact JSON of a member, kept in the operation: the original tokens on one line. */
static struct store_json
kept(struct reading *r, const struct json_node *n)
{
	size_t len;
	struct store_json kept = {0};

	(void)json_raw(r->doc, n, &len);
	{
		AUTO(buf) struct buf b = BUF(len);

		json_compact(r->doc, n, &b);
		if (buf_ok(&b))
			kept = (struct store_json){store_op_text(r->op, b.data, b.len), b.len};
	}
	r->no_memory |= kept.text == NULL;
	return kept;
}

static void
context_member(struct reading *r)
{
	const struct json_node *n = given(r, "context");
	struct err e = {0};

	if (n == NULL || json_kind(n) != JSON_OBJECT) {
		request_invalid(r->req, "/context", "must be an object");
		return;
	}
	r->op->in.task_create.context = kept(r, n);
	if (!identity_context(r->doc, n, r->op->in.task_create.context_hash, &e))
		r->no_memory = true;
}

static void
tags_member(struct reading *r)
{
	const struct json_node *n = given(r, "tags");

	if (n == NULL)
		return;
	if (json_kind(n) != JSON_ARRAY || json_count(n) > TAGS_MAX) {
		request_invalid(
		        r->req, "/tags", "must be an array of at most %d strings", TAGS_MAX);
		return;
	}
	for (const struct json_node *tag = json_first(r->doc, n); tag != NULL;
	        tag = json_next(r->doc, tag)) {
		AUTO(buf) struct buf b = BUF(TAG_MAX);
		const bool is_text = json_string(r->doc, tag, &b);

		r->no_memory |= b.starved;
		if (!b.starved && (!is_text || !buf_ok(&b))) {
			request_invalid(r->req, "/tags",
			        "holds something else than a string of at most %d bytes", TAG_MAX);
			return;
		}
	}
	r->op->in.task_create.tags = kept(r, n);
}

static void
priority_member(struct reading *r)
{
	const struct json_node *n = given(r, "priority");
	int64_t value;

	if (n == NULL)
		return;
	if (!json_int64(r->doc, n, &value) || value < -PRIORITY_MAX || value > PRIORITY_MAX) {
		request_invalid(r->req, "/priority", "must be an integer from %d to %d",
		        -PRIORITY_MAX, PRIORITY_MAX);
		return;
	}
	r->op->in.task_create.priority = (int)value;
	r->op->in.task_create.has_priority = true;
}

/* False where the member is absent. */
static bool
uuid_member(struct reading *r, const char *name, const char *pointer, struct uuid *out)
{
	const struct json_node *n = given(r, name);
	AUTO(buf) struct buf b = BUF(UUID_TEXT);

	if (n == NULL)
		return false;
	if (json_string(r->doc, n, &b) && buf_ok(&b) && uuid_parse(b.data, b.len, out))
		return true;
	if (b.starved)
		r->no_memory = true;
	else
		request_invalid(r->req, pointer, "must be a UUID");
	return false;
}

/* Accepted for Tasker's clients and replaced by the server's own time, so only its form counts. */
static void
requested_at_member(struct reading *r)
{
	const struct json_node *n = given(r, "requested_at");
	AUTO(buf) struct buf b = BUF(TIME_TEXT_MAX);
	int64_t at;

	if (n == NULL ||
	        (json_string(r->doc, n, &b) && buf_ok(&b) && clock_parse(b.data, b.len, &at)))
		return;
	if (b.starved)
		r->no_memory = true;
	else
		request_invalid(
		        r->req, "/requested_at", "must be a time such as 2026-01-31T12:00:00");
}

static void
members_refused(struct reading *r)
{
	static const char *const refused[][2] = {
	        {"owner",  "/owner" },
                {"tenant", "/tenant"}
        };
	const struct json_node *options = given(r, "options");

	for (size_t i = 0; i < COUNT(refused); i++)
		if (json_member(r->doc, r->root, refused[i][0]) != NULL)
			request_invalid(r->req, refused[i][1],
			        "comes from the credential and cannot be set");
	if (options != NULL && json_kind(options) != JSON_OBJECT)
		request_invalid(r->req, "/options", "must be an object");
}

bool
task_request_read(struct request *req, const struct json *doc, struct store_op *op)
{
	struct reading r = {req, doc, json_root(doc), op, false};
	struct task_create_in *in = &op->in.task_create;

	if (json_kind(r.root) != JSON_OBJECT) {
		request_problem(req, 400, "BAD_REQUEST", "The body must be a JSON object");
		return false;
	}
	for (size_t i = 0; i < COUNT(texts); i++)
		text_member(&r, i);
	context_member(&r);
	tags_member(&r);
	priority_member(&r);
	if (!uuid_member(&r, "correlation_id", "/correlation_id", &in->correlation_id))
		in->correlation_id = uuid_v4();
	in->has_parent_correlation = uuid_member(
	        &r, "parent_correlation_id", "/parent_correlation_id", &in->parent_correlation_id);
	requested_at_member(&r);
	members_refused(&r);
	if (request_has_invalid(req)) {
		request_problem_invalid(req, "The task request is not valid");
		return false;
	}
	if (r.no_memory)
		call_no_memory(req);
	return !r.no_memory;
}

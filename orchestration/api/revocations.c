/*
 * The revocations resource: what is not believed any more although it is signed and not over.
 *
 * A revocation is in the store and in force on every loop of this daemon before it is answered. A
 * caller may revoke what he calls with; the log then says so. Its lines name who and what kind,
 * never the id: somebody will paste a whole token there one day.
 */
#include <string.h>

#include "orchestration/api/call.h"
#include "orchestration/api/fields.h"
#include "orchestration/routes.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
	US_PER_S = 1000000,
	S_PER_HOUR = 3600,
	REASON_MAX = 500,
	TIME_MAX = 40,
	KIND_MAX = 16,
	PER_PAGE = 25,
	REVOCATION_BODY = 16 * 1024,
	PAGE_BODY = 4 * 1024 * 1024,
};

static void
put_revocation(struct json_out *w, const struct revocation_view *r)
{
	char id[UUID_TEXT];

	uuid_text(&r->id, id);
	json_open(w, NULL, '{');
	json_put_text(w, "revocation_uuid", id);
	json_put_text(w, "kind", revocation_kind_name(r->what.kind));
	json_put_text(w, "id", r->what.id);
	if (r->what.kind == REVOCATION_SUBJECT)
		json_put_time(w, "before", r->what.before_s * US_PER_S);
	else
		json_put_null(w, "before");
	json_put_time(w, "until", r->until_s * US_PER_S);
	json_put_time(w, "created_at", r->created_at);
	json_put_text(w, "created_by", r->created_by);
	json_put_text(w, "reason", r->reason);
	json_close(w, '}');
}

/* ---- what is asked ---- */

/* Anything else in the body is a slip that would revoke more, or less, than was meant. */
static void
only_known(struct fields *f)
{
	static const char *const known[] = {"kind", "id", "before", "reason"};

	for (const struct json_node *n = json_first(f->doc, f->object); n != NULL;
	        n = json_next(f->doc, n)) {
		bool found = false;

		for (size_t i = 0; i < COUNT(known); i++)
			found = found || json_string_is(f->doc, json_name(f->doc, n), known[i]);
		if (!found)
			request_invalid(f->req, "", "only kind, id, before and reason are known");
	}
}

/* A member that may be absent or null. */
static bool
is_given(const struct fields *f, const char *name)
{
	const struct json_node *n = json_member(f->doc, f->object, name);

	return n != NULL && json_kind(n) != JSON_NULL;
}

static void
read_kind(struct fields *f, struct revocation *what)
{
	const char *kind = "";

	if (!field_text(f, "kind", "/kind", KIND_MAX, &kind))
		return;
	what->kind = revocation_kind_named(kind);
	if (what->kind == REVOCATION_NONE)
		request_invalid(f->req, "/kind", "must be token, subject or api_key");
}

static void
read_id(struct fields *f, struct revocation *what)
{
	if (!field_text(f, "id", "/id", REVOCATION_ID_MAX, &what->id))
		return;
	for (const char *c = what->id; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			request_invalid(f->req, "/id", "must be free of control characters");
			return;
		}
	}
	if (what->kind == REVOCATION_SUBJECT && strncmp(what->id, "key:", 4) == 0)
		request_invalid(f->req, "/id", "is an API key: revoke it with kind api_key");
}

static void
read_before(struct fields *f, struct revocation *what, int64_t now_s)
{
	const char *text;
	int64_t at;

	if (what->kind == REVOCATION_SUBJECT)
		what->before_s = now_s;
	if (!is_given(f, "before"))
		return;
	if (what->kind != REVOCATION_SUBJECT) {
		request_invalid(f->req, "/before", "is for kind subject only");
		return;
	}
	if (!field_text(f, "before", "/before", TIME_MAX, &text))
		return;
	if (!clock_parse(text, strlen(text), &at) || at < 0 || at / US_PER_S > now_s)
		request_invalid(f->req, "/before",
		        "must be a time such as 2026-01-31T12:00:00Z, and not in the future");
	else
		what->before_s = at / US_PER_S;
}

/* False: req has been answered. */
static bool
read_revocation(struct fields *f, struct revoke_in *in, int64_t now_s)
{
	if (json_kind(f->object) != JSON_OBJECT) {
		request_problem(f->req, 400, "BAD_REQUEST", "The body must be a JSON object");
		return false;
	}
	only_known(f);
	read_kind(f, &in->what);
	read_id(f, &in->what);
	read_before(f, &in->what, now_s);
	if (is_given(f, "reason"))
		(void)field_text(f, "reason", "/reason", REASON_MAX, &in->reason);
	if (f->no_memory) {
		call_no_memory(f->req);
		return false;
	}
	if (request_has_invalid(f->req))
		request_problem_invalid(f->req, "The revocation is not valid");
	return !request_has_invalid(f->req);
}

/* When nothing that is revoked now could be good any more. An API key has no such time. */
static int64_t
over_at(struct app *app, enum revocation_kind kind, int64_t now_s)
{
	const struct config *c = config_live_lock(app->common.live);
	const int64_t longest =
	        c->web_auth_jwt_max_lifetime_hours * S_PER_HOUR + c->web_auth_jwt_leeway_seconds;

	config_live_unlock(app->common.live);
	return kind == REVOCATION_API_KEY ? 0 : now_s + longest + 1;
}

/* ---- what is answered ---- */

/* False: it is stored, but could not be put in force here; req has been answered. */
static bool
in_force(struct app *app, struct request *req, const struct revoke_out *out)
{
	struct err e = {0};

	if (revocation_feed_put(app->revocations, out->version, &out->all, &e))
		return true;
	LOG(ERROR, "auth.revocations_stale", TEXT_F("why", e.text),
	        TEXT_F("request_id", request_id(req)));
	request_problem(req, 503, "SERVICE_UNAVAILABLE",
	        "The change is stored, but not in force yet; ask again");
	return false;
}

static bool
hits_the_caller(const struct revocation *what, const struct security_context *caller)
{
	AUTO(revocations) struct revocations *one = NULL;
	struct err e = {0};

	return revocations_new(what, 1, &one, &e) && revocations_hit(one, caller);
}

/* Changes of who is believed are said at a level that is always written. */
static void
tell(struct request *req, const char *event, const struct uuid *id, const struct revocation *what)
{
	const struct security_context *caller = request_context(req);
	char text[UUID_TEXT];

	uuid_text(id, text);
	LOG(WARN, event, TEXT_F("by", caller->owner), TEXT_F("revocation", text),
	        TEXT_F("kind", what != NULL ? revocation_kind_name(what->kind) : ""),
	        TEXT_F("of_the_caller", what == NULL                    ? ""
	                                : hits_the_caller(what, caller) ? "yes"
	                                                                : "no"),
	        TEXT_F("request_id", request_id(req)));
}

static void
created(struct app *app, struct request *req, struct store_op *op)
{
	const struct revocation_view *made = &op->out.revoke.made;
	struct buf body = BUF(REVOCATION_BODY);
	struct json_out w = json_out_on(&body);
	char id[UUID_TEXT];

	tell(req, "auth.revoked", &made->id, &made->what);
	if (!in_force(app, req, &op->out.revoke))
		return;
	uuid_text(&made->id, id);
	request_reply_field(req, "Location", "/v1/auth/revocations/%s", id);
	put_revocation(&w, made);
	request_reply_json(req, 201, &body);
}

void
revocation_create(struct request *req, const struct grant *grant, void *app)
{
	const struct json *doc = request_json(req, grant);
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_REVOKE, true);
	struct fields f = {req, doc, json_root(doc), op, false};
	const int64_t now_s = clock_wall_us() / US_PER_S;

	if (op == NULL || !read_revocation(&f, &op->in.revoke, now_s))
		return;
	op->in.revoke.until_s = over_at(app, op->in.revoke.what.kind, now_s);
	call_submit(app, req, TAKE(op), created);
}

static void
taken_back(struct app *app, struct request *req, struct store_op *op)
{
	tell(req, "auth.unrevoked", &op->in.unrevoke, NULL);
	if (in_force(app, req, &op->out.revoke))
		request_reply_empty(req, 204);
}

void
revocation_take_back(struct request *req, const struct grant *grant, void *app)
{
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_UNREVOKE, true);
	const struct span id = request_hole(req, 0);

	(void)grant;
	if (op == NULL)
		return;
	if (uuid_parse(id.text, id.len, &op->in.unrevoke))
		call_submit(app, req, TAKE(op), taken_back);
	else
		request_problem(req, 400, "BAD_REQUEST", "A revocation's id is a UUID");
}

static void
listed(struct app *app, struct request *req, struct store_op *op)
{
	const struct page_out *page = &op->out.page;
	struct buf body = BUF(PAGE_BODY);
	struct json_out w = json_out_on(&body);

	(void)app;
	json_open(&w, NULL, '{');
	json_open(&w, "revocations", '[');
	for (size_t i = 0; i < page->count; i++)
		put_revocation(&w, &page->revocations[i]);
	json_close(&w, ']');
	call_put_pagination(&w, op->in.revocations.page, op->in.revocations.per_page, page);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

void
revocation_list(struct request *req, const struct grant *grant, void *app)
{
	static const char *const names[] = {"page", "per_page"};
	AUTO(store_op) struct store_op *op = NULL;
	const char *q[COUNT(names)];

	(void)grant;
	if (!request_query(req, names, COUNT(names), q))
		return;
	op = call_begin(app, req, STORE_REVOCATION_LIST, false);
	if (op == NULL)
		return;
	op->in.revocations = (struct revocation_list_in){.page = 1, .per_page = PER_PAGE};
	call_page(req, q[0], q[1], &op->in.revocations.page, &op->in.revocations.per_page);
	if (request_has_invalid(req))
		request_problem_invalid(req, "The query is not valid");
	else
		call_submit(app, req, TAKE(op), listed);
}

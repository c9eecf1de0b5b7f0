/*
 * Workers' registration, and the list of their sessions.
 *
 * A registration carries the worker's templates: each is put into the store first, one after the
 * other, then the session is opened. A template that is refused (a bad file, another content under
 * a known version) is reported in its place and does not keep the worker out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/api/call.h"
#include "orchestration/api/fields.h"
#include "orchestration/api/view_json.h"
#include "orchestration/routes.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/daemon/template_files.h"

enum {
	US_PER_S = 1000000,
	PROTOCOL = 1,
	WORKER_TEXT = 128,
	SLOTS_MAX = 1024,
	NAMESPACES_MAX = 64,
	HANDLERS_MAX = 256,
	TEMPLATES_MAX = 256,
	REGISTER_BODY = 512 * 1024,
	WORKERS_BODY = 16 * 1024 * 1024,
};

struct offered {
	char name[128]; /* "demo/diamond@1.0.0", or "" before it could be read */
	char error[240];
	struct store_json json;
};

/* A registration under way; lives in the memory of its WORKER_REGISTER operation. */
struct registration {
	struct app *app;
	struct request *req;
	struct store_op *op;
	struct offered *templates;
	size_t count, next;
};

static void
registered(struct app *app, struct request *req, struct store_op *op)
{
	struct registration *r = call_arg(op);
	const struct worker_register_out *out = &op->out.worker;
	struct buf body = BUF(REGISTER_BODY);
	struct json_out w = json_out_on(&body);
	struct session_facts facts = {.expires_at_s = op->in.worker.expires_at_s,
	        .issued_at_s = op->in.worker.issued_at_s};
	struct err e = {0};

	if (op->outcome != STORE_OK) {
		call_refuse(req, op);
		return;
	}
	(void)snprintf(facts.id, sizeof(facts.id), "%lld", (long long)out->session);
	(void)snprintf(facts.worker, sizeof(facts.worker), "%s", op->in.worker.worker);
	if (!session_table_put(app->sessions, out->digest, &facts, &e)) {
		request_problem(req, 503, "SERVICE_UNAVAILABLE", "%s", e.text);
		return;
	}
	LOG(INFO, "worker.registered", TEXT_F("worker", op->in.worker.worker),
	        TEXT_F("session", facts.id), INT_F("templates", r->count));
	json_open(&w, NULL, '{');
	json_put_text(&w, "session", out->secret);
	json_put_int(&w, "lease_ms", out->lease_ms);
	json_put_int(&w, "beat_ms", out->beat_ms);
	json_open(&w, "templates", '[');
	for (size_t i = 0; i < r->count; i++) {
		bool ok = r->templates[i].error[0] == '\0';

		json_open(&w, NULL, '{');
		json_put_text(&w, "name", r->templates[i].name);
		json_put_bool(&w, "ok", ok);
		if (!ok)
			json_put_text(&w, "error", r->templates[i].error);
		json_close(&w, '}');
	}
	json_close(&w, ']');
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

static void step_on(struct registration *r);

static void
template_put(struct app *app, struct request *req, struct store_op *op)
{
	struct registration *r = call_arg(op);
	struct offered *t = &r->templates[r->next];

	(void)app;
	(void)req;
	if (op->outcome != STORE_OK) {
		(void)snprintf(t->error, sizeof(t->error), "%s",
		        op->text[0] != '\0' ? op->text : store_outcome_name(op->outcome));
		LOG(WARN, "template.refused", TEXT_F("template", t->name), TEXT_F("why", t->error));
	}
	r->next++;
	step_on(r);
}

/* The next template that could be read, or, after the last, the session. */
static void
step_on(struct registration *r)
{
	struct store_op *op;

	while (r->next < r->count && r->templates[r->next].json.text == NULL)
		r->next++;
	if (r->next == r->count) {
		call_submit_all(r->app, r->req, r->op, registered, r);
		return;
	}
	op = call_begin(r->app, r->req, STORE_TEMPLATE_PUT, true);
	if (op == NULL) {
		store_op_free(r->op); /* with r; the request has been answered */
		return;
	}
	op->in.template.json.text =
	        store_op_text(op, r->templates[r->next].json.text, r->templates[r->next].json.len);
	op->in.template.json.len = r->templates[r->next].json.len;
	if (op->in.template.json.text == NULL) {
		store_op_free(op);
		call_no_memory(r->req);
		store_op_free(r->op);
		return;
	}
	call_submit_all(r->app, r->req, op, template_put, r);
}

static bool
listed(const char *const *list, const char *word)
{
	for (; list != NULL && *list != NULL; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

/* YAML in, canonical JSON out; what is wrong with it goes into its answer, not into the request's.
 */
static void
offer(struct fields *f, const struct json_node *item, struct offered *out)
{
	AUTO(template) struct template *t = NULL;
	AUTO(buf) struct buf yaml = BUF(TEMPLATE_BYTES_MAX);
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	struct template_report report = {.count = 0};
	const bool is_text = json_string(f->doc, json_member(f->doc, item, "yaml"), &yaml);
	struct err e = {0};

	if (yaml.starved) {
		f->no_memory = true;
		return;
	}
	if (!is_text || !buf_ok(&yaml)) {
		(void)snprintf(
		        out->error, sizeof(out->error), "yaml must be a string of at most 1 MiB");
		return;
	}
	if (!template_parse(yaml.data, yaml.len, &t, &report, &e)) {
		f->no_memory |= e.code == ERR_NOMEM; /* no fault of the template */
		(void)snprintf(out->error, sizeof(out->error), "%s", e.text);
		return;
	}
	(void)snprintf(
	        out->name, sizeof(out->name), "%s/%s@%s", t->namespace_name, t->name, t->version);
	if (!listed(f->op->in.worker.namespaces, t->namespace_name)) {
		(void)snprintf(out->error, sizeof(out->error),
		        "the worker is not registered for namespace %s", t->namespace_name);
		return;
	}
	template_files_warn(out->name, &report);
	template_to_json(t, &json);
	if (buf_ok(&json))
		out->json =
		        (struct store_json){store_op_text(f->op, json.data, json.len), json.len};
	f->no_memory |= out->json.text == NULL;
}

/* The credential decides who the worker is and where it may work (LA-03, WI1, WI9). */
static bool
is_allowed(struct request *req, const struct worker_register_in *in)
{
	const struct security_context *who = request_context(req);
	const char *id = strncmp(who->subject, "wrk:", 4) == 0 ? who->subject + 4 : who->subject;

	if (who->method == AUTH_METHOD_DISABLED)
		return true;
	if (strcmp(id, in->worker) != 0) {
		request_problem(req, 403, "AUTHORIZATION_FAILED",
		        "The credential is of worker %s, but the body names another worker: "
		        "worker.id must be the credential's",
		        id);
		return false;
	}
	for (const char *const *ns = in->namespaces; *ns != NULL; ns++) {
		if (!listed(who->namespaces, *ns)) {
			request_problem(req, 403, "AUTHORIZATION_FAILED",
			        "The credential's worker_namespaces do not hold a namespace that "
			        "the body asks for");
			return false;
		}
	}
	return true;
}

/* An empty list of namespaces means those of the credential. */
static void
default_namespaces(struct fields *f, struct worker_register_in *in)
{
	const struct security_context *who = request_context(f->req);
	const char **list;
	size_t count = 0;

	while (who->namespaces != NULL && who->namespaces[count] != NULL)
		count++;
	if (in->namespaces[0] != NULL)
		return;
	if (count == 0) {
		request_invalid(f->req, "/namespaces",
		        "is empty, and the credential names no worker_namespaces either");
		return;
	}
	list = store_op_alloc(f->op, count + 1, sizeof(*list));
	f->no_memory |= list == NULL;
	for (size_t i = 0; list != NULL && i < count; i++) {
		list[i] = store_op_text(f->op, who->namespaces[i], strlen(who->namespaces[i]));
		f->no_memory |= list[i] == NULL;
	}
	if (!f->no_memory)
		in->namespaces = list;
}

/* A worker that needs no credential is as old as its registration. */
static int64_t
issued_at(const struct security_context *who)
{
	return who->method == AUTH_METHOD_SYSTEM ? who->issued_at_s : clock_wall_us() / US_PER_S;
}

/* False: req has been answered. */
static bool
read_registration(struct fields *f)
{
	struct worker_register_in *in = &f->op->in.worker;
	int64_t protocol = 0, slots = 0;
	struct uuid boot;
	char *boot_text;

	if (field_int(f, "proto", "/proto", INT32_MAX, &protocol) && protocol != PROTOCOL)
		request_invalid(
		        f->req, "/proto", "this orchestration speaks protocol %d", PROTOCOL);
	(void)field_text(f, "worker", "/worker", WORKER_TEXT, &in->worker);
	(void)field_int(f, "slots", "/slots", SLOTS_MAX, &slots);
	boot_text = store_op_alloc(f->op, 1, UUID_TEXT);
	if (field_uuid(f, "boot", "/boot", &boot) && boot_text != NULL)
		uuid_text(&boot, boot_text);
	f->no_memory |= boot_text == NULL;
	if (field_texts(f, "namespaces", "/namespaces", NAMESPACES_MAX, &in->namespaces))
		default_namespaces(f, in);
	(void)field_texts(f, "handlers", "/handlers", HANDLERS_MAX, &in->handlers);
	in->boot = boot_text;
	in->slots = (int)slots;
	in->expires_at_s = request_context(f->req)->expires_at_s;
	in->issued_at_s = issued_at(request_context(f->req));
	if (f->no_memory) {
		call_no_memory(f->req);
		return false;
	}
	if (request_has_invalid(f->req)) {
		request_problem_invalid(f->req, "The registration is not valid");
		return false;
	}
	return is_allowed(f->req, in);
}

static bool
read_templates(struct fields *f, struct registration *r)
{
	const struct json_node *array;
	size_t i = 0;

	if (!field_array(f, "templates", "/templates", TEMPLATES_MAX, &array, &r->count)) {
		request_problem_invalid(f->req, "The registration is not valid");
		return false;
	}
	r->templates = store_op_alloc(f->op, r->count + 1, sizeof(*r->templates));
	if (r->templates == NULL) {
		call_no_memory(f->req);
		return false;
	}
	for (const struct json_node *n = array != NULL ? json_first(f->doc, array) : NULL;
	        n != NULL; n = json_next(f->doc, n))
		offer(f, n, &r->templates[i++]);
	if (f->no_memory)
		call_no_memory(f->req);
	return !f->no_memory;
}

void
worker_register(struct request *req, const struct grant *grant, void *app)
{
	const struct json *doc = request_json(req, grant);
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_WORKER_REGISTER, true);
	struct fields f = {req, doc, json_root(doc), op, false};
	struct registration *r;

	if (op == NULL || !read_registration(&f))
		return;
	r = store_op_alloc(op, 1, sizeof(*r));
	if (r == NULL) {
		call_no_memory(req);
		return;
	}
	*r = (struct registration){.app = app, .req = req, .op = op};
	if (!read_templates(&f, r))
		return;
	(void)TAKE(op);
	step_on(r);
}

static void
workers_listed(struct app *app, struct request *req, struct store_op *op)
{
	struct buf body = BUF(WORKERS_BODY);
	struct json_out w = json_out_on(&body);

	(void)app;
	json_open(&w, NULL, '{');
	json_open(&w, "workers", '[');
	for (size_t i = 0; i < op->out.page.count; i++)
		view_json_session(&w, NULL, &op->out.page.sessions[i]);
	json_close(&w, ']');
	json_put_int(&w, "total_count", op->out.page.total);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

void
worker_list(struct request *req, const struct grant *grant, void *app)
{
	struct store_op *op = call_begin(app, req, STORE_WORKER_LIST, false);

	(void)grant;
	if (op != NULL)
		call_submit(app, req, op, workers_listed);
}

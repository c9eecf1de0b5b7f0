/*
 * The order of a request, once. Read the functions below from on_head() downwards in this order:
 *
 *   1. on_head: the parser has checked the head; the server keeps the body unread
 *   2. begin: request id, the fields we read, the route; 429 if its address asks too often
 *   3. screen: repeated credentials 400, hidden and unprotected unknown paths 404, OPTIONS 204
 *   4. identify: credential → context, now or later; nobody is asked on an OPEN path; a token
 *      is not verified (429) for an address that brought too many bad ones
 *   5. admit: 401, then 404 and 405 for those who may know, authorize 403, grant, and 429 if its
 *      principal asks too often
 *   6. accept_body: 400 411 413 415 417, and only now the server may read (and say 100)
 *   7. on_body: strict JSON, 400
 *   8. call_handler: the row's own function, with its grant
 *   9. on_done: access log, metrics, the request's memory
 *
 * Each step ends the request with exactly one reply, or hands it to the next. Nothing before step 7
 * looks at the body, and nothing before the grant even asks for it.
 */
#include "shared/gate/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/gate/throttle.h"

/* What stands around a result in a worker's poll: the body, its results, one of them. And how many
 * of the largest results one poll may bring: parsing them holds the loop. */
enum { RESULT_DEPTH = 3, RESULTS_AT_ONCE = 16 };

static void identified(const struct authentication *result, void *arg);
static void admit(struct request *req, enum verdict v);
static void accept_body(struct request *req);

/* ---- a request's memory ---- */

static struct request *
request_new(struct gate *g)
{
	struct request *req = g->pool;

	if (req != NULL) {
		g->pool = req->next;
		g->pooled--;
	} else {
		req = malloc(sizeof(*req));
		if (req == NULL)
			return NULL;
	}
	*req = (struct request){.gate = g,
	        .next = g->live,
	        .text = BUF(REQUEST_TEXT_MAX),
	        .invalid = BUF(PROBLEM_MAX / 2),
	        .members = BUF(REQUEST_MEMBERS_MAX)};
	if (g->live != NULL)
		g->live->prev = req;
	g->live = req;
	return req;
}

static void
request_free(struct request *req)
{
	struct gate *g = req->gate;

	if (req->prev != NULL)
		req->prev->next = req->next;
	else
		g->live = req->next;
	if (req->next != NULL)
		req->next->prev = req->prev;
	security_context_unref(req->context);
	json_free(req->json);
	free(req->query);
	buf_free(&req->text);
	buf_free(&req->invalid);
	buf_free(&req->members);
	if (g->pooled == REQUESTS_POOLED) {
		free(req);
		return;
	}
	g->pooled++;
	req->next = g->pool;
	g->pool = req;
}

/* ---- 1 to 3: head, route, screening ---- */

static enum method
method_of(const struct request *req)
{
	return exchange_head(req->exchange)->method;
}

static void
take_id(struct request *req)
{
	const struct span given = req->fields.request_id;
	struct uuid id;

	if (given.text != NULL && gate_fields_id_fit(given)) {
		memcpy(req->id, given.text, given.len);
		req->id[given.len] = '\0';
		return;
	}
	id = uuid_v7(&req->gate->ids, loop_wall_us(exchange_loop(req->exchange)));
	uuid_text(&id, req->id);
}

static void
begin(struct request *req)
{
	const struct gate *g = req->gate;
	const struct http_head *head = exchange_head(req->exchange);

	gate_fields_read(head, g->settings.api_key_header, &req->fields);
	req->cors_origin = cors_find(&g->settings.cors, req->fields.origin);
	take_id(req);
	req->match = route_table_find(g->routes, head->method, head->path, &req->found);
	req->route = req->match == MATCH_FULL ? req->found.route : NULL;
}

static bool
is_hidden(const struct request *req)
{
	const struct gate_settings *s = &req->gate->settings;
	const struct span path = exchange_head(req->exchange)->path;

	for (size_t i = 0; i < s->hidden_count; i++) {
		if (req->found.route != NULL && strcmp(req->found.route->path, s->hidden[i]) == 0)
			return true;
		if (strlen(s->hidden[i]) == path.len &&
		        memcmp(s->hidden[i], path.text, path.len) == 0)
			return true;
	}
	return false;
}

/* "/v1/" protects "/v1" and all below it, "/config" itself and all below it. */
static bool
is_below(struct span path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (len > 0 && prefix[len - 1] == '/')
		len--;
	return path.len >= len && memcmp(path.text, prefix, len) == 0 &&
	       (path.len == len || path.text[len] == '/');
}

static bool
is_protected(const struct request *req)
{
	const struct gate_settings *s = &req->gate->settings;

	for (size_t i = 0; i < s->protected_count; i++)
		if (is_below(exchange_head(req->exchange)->path, s->protected_prefixes[i]))
			return true;
	return false;
}

/* "GET, HEAD, OPTIONS": what the path takes. */
static void
allowed_methods(const struct request *req, char out[96])
{
	size_t n = 0;

	out[0] = '\0';
	for (enum method m = METHOD_GET; m <= METHOD_OPTIONS; m++)
		if ((req->found.allowed & 1U << m) != 0)
			n += (size_t)snprintf(
			        out + n, 96 - n, "%s%s", n == 0 ? "" : ", ", method_name(m));
}

static void
answer_options(struct request *req)
{
	char methods[96];

	allowed_methods(req, methods);
	request_reply_field(req, "Allow", "%s", methods);
	cors_preflight(req, methods);
	request_reply_empty(req, 204);
}

static void
method_not_allowed(struct request *req)
{
	char methods[96];

	allowed_methods(req, methods);
	request_reply_field(req, "Allow", "%s", methods);
	request_problem(req, 405, "METHOD_NOT_ALLOWED",
	        "This path does not take this method; Allow lists those it takes");
}

static void
not_found(struct request *req)
{
	request_problem(req, 404, "NOT_FOUND", "Resource not found");
}

/* What is answered before anybody is asked who he is; true if it was. */
static bool
screen(struct request *req)
{
	if (req->fields.credential_repeated) {
		request_verdict(req, VERDICT_DENY_REPEATED);
		return true;
	}
	if (is_hidden(req) || (req->match == MATCH_NONE && !is_protected(req))) {
		req->route = NULL;
		not_found(req);
		return true;
	}
	if (req->match == MATCH_PATH_ONLY && method_of(req) == METHOD_OPTIONS) {
		answer_options(req);
		return true;
	}
	return false;
}

/* ---- 4: who is it ---- */

static bool
nobody_is_asked(const struct request *req)
{
	return req->route != NULL ? req->route->access.kind == ACCESS_OPEN
	                          : req->match == MATCH_PATH_ONLY && req->found.open;
}

static void
identify(struct request *req)
{
	struct gate *g = req->gate;
	struct authentication result = {0};
	struct authenticator_stats before = {0};
	int64_t started = 0;

	if (nobody_is_asked(req)) {
		admit(req, VERDICT_GRANT);
		return;
	}
	throttle_strangers(req);
	if (g->meter != NULL) {
		before = authenticator_stats(g->authenticator);
		started = clock_mono_us();
	}
	if (authenticator_check(g->authenticator, &req->fields.credentials,
	            loop_wall_us(exchange_loop(req->exchange)) / 1000000, &result, identified,
	            req) == AUTH_PENDING)
		return;
	if (g->meter != NULL)
		gate_note_authentication(req, &result, &before, clock_mono_us() - started);
	identified(&result, req);
}

static void
identified(const struct authentication *result, void *arg)
{
	struct request *req = arg;

	req->context = result->context;
	throttle_failed(req, result);
	if (req->gate->settings.log_unknown_permissions && result->unknown_permission[0] != '\0')
		gate_note_unknown_permission(req, result);
	admit(req, result->verdict);
}

/* ---- 5: may he ---- */

static void
admit(struct request *req, enum verdict v)
{
	if (v == VERDICT_DENY_BUSY) {
		throttle_unverified(req);
		return;
	}
	if (v != VERDICT_GRANT) {
		request_verdict(req, v);
		return;
	}
	if (req->match == MATCH_NONE) {
		not_found(req);
		return;
	}
	if (req->match == MATCH_PATH_ONLY) {
		method_not_allowed(req);
		return;
	}
	v = authorize(req->context, req->route->access, &req->slot, &req->grant);
	if (v != VERDICT_GRANT) {
		request_verdict(req, v);
		return;
	}
	if (!throttle_principal(req))
		accept_body(req);
}

/* ---- 6 and 7: the body ---- */

struct refusal {
	int status;
	const char *code, *text;
};

static struct refusal
judge_body(const struct request *req)
{
	const struct http_head *head = exchange_head(req->exchange);
	const bool none =
	        head->body == BODY_NONE || (head->body == BODY_LENGTH && head->content_length == 0);

	if (req->route->body == BODY_KIND_NO_BODY && !none)
		return (struct refusal){400, "BAD_REQUEST", "This route takes no body"};
	if (req->route->body == BODY_KIND_JSON) {
		if (head->body == BODY_NONE)
			return (struct refusal){411, "LENGTH_REQUIRED",
			        "A body with a Content-Length, or chunked, is required"};
		if (head->body == BODY_LENGTH && head->content_length > req->route->body_max)
			return (struct refusal){413, "PAYLOAD_TOO_LARGE",
			        "The body is larger than this route takes"};
		if (!gate_fields_json(&req->fields))
			return (struct refusal){415, "UNSUPPORTED_MEDIA_TYPE",
			        "The body must be sent as Content-Type: application/json"};
	}
	if (head->unknown_expectation)
		return (struct refusal){417, "EXPECTATION_FAILED",
		        "The only expectation understood is 100-continue"};
	return (struct refusal){0};
}

static void
call_handler(struct request *req)
{
	req->route->handler(req, req->grant, req->gate->settings.app);
}

static void
accept_body(struct request *req)
{
	const struct refusal refusal = judge_body(req);

	if (refusal.status != 0)
		request_problem(req, refusal.status, refusal.code, "%s", refusal.text);
	else if (req->route->body == BODY_KIND_JSON)
		exchange_read_body(req->exchange, req->route->body_max);
	else
		call_handler(req);
}

static void
on_body(struct exchange *x, void *arg)
{
	struct request *req = exchange_user(x);
	struct json_limits limits = req->gate->settings.json;
	const char *text;
	struct err e = {0};
	size_t len;

	(void)arg;
	limits.bytes = req->route->body_max;
	if (req->route->access.kind == ACCESS_INTERNAL) {
		/* Several results, each within its own limits; a worker that is refused sends
		 * fewer. */
		limits.nodes *= RESULTS_AT_ONCE;
		limits.depth += RESULT_DEPTH;
	}
	text = exchange_body(x, &len);
	if (json_parse(text, len, &limits, &req->json, &e))
		call_handler(req);
	else if (e.code == ERR_NOMEM)
		request_verdict(req, VERDICT_DENY_UNAVAILABLE);
	else
		request_problem(req, 400, "JSON_ERROR", "Invalid JSON format: %s", e.text);
}

/* ---- 1 and 9: what the server calls ---- */

static void
on_head(struct exchange *x, void *arg)
{
	struct gate *g = arg;
	struct request *req = request_new(g);

	exchange_set_user(x, req);
	if (req == NULL) {
		problem_no_memory(x);
		return;
	}
	req->exchange = x;
	begin(req);
	if (!throttle_address(req) && !screen(req))
		identify(req);
}

static void
on_refused(int status, const char *reason, struct buf *body, void *arg)
{
	struct gate *g = arg;
	struct problem p = {.status = status, .code = "BAD_REQUEST", .message = reason};

	if (status == 408)
		p.code = "TIMEOUT";
	else if (status == 413)
		p.code = "PAYLOAD_TOO_LARGE";
	else if (status == 414 || status == 431)
		p.code = "HEAD_TOO_LARGE";
	else if (status == 501)
		p.code = "NOT_IMPLEMENTED";
	else if (status == 505)
		p.code = "HTTP_VERSION_NOT_SUPPORTED";
	else if (status >= 500)
		p.code = "SERVICE_UNAVAILABLE";
	problem_write(&p, body);
	gate_count(g, GATE_METRIC_REFUSED, AT(gate_metrics_refusal(status)));
}

static void
on_gone(struct exchange *x, void *arg)
{
	struct request *req = exchange_user(x);

	(void)arg;
	if (req != NULL && req->gone != NULL)
		req->gone(req, req->gone_arg);
}

static void
on_done(struct exchange *x, void *arg)
{
	struct request *req = exchange_user(x);

	(void)arg;
	if (req == NULL)
		return;
	gate_note_end(req);
	request_free(req);
}

struct http_callbacks
gate_callbacks(struct gate *g)
{
	return (struct http_callbacks){.on_head = on_head,
	        .on_body = on_body,
	        .on_refused = on_refused,
	        .on_gone = on_gone,
	        .on_done = on_done,
	        .arg = g};
}

/* ---- making and freeing ---- */

bool
gate_new(const struct gate_settings *settings, struct authenticator *authenticator,
        const struct gate_metrics *metrics, OWNED struct gate **out, struct err *e)
{
	AUTO(gate) struct gate *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a gate");
	g->settings = *settings;
	g->authenticator = authenticator;
	g->metrics = metrics;
	if (!route_table_new(settings->routes, settings->route_count, &g->routes, e))
		return false;
	if (metrics != NULL && !metrics_meter(gate_metrics_of(metrics), &g->meter, e))
		return false;
	*out = TAKE(g);
	return true;
}

void
gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	/* Their connections are gone with the endpoint; the reply lets go of the exchange, and
	 * on_done() of the request. */
	while (g->live != NULL)
		request_finish(g->live, 503, NULL, NULL, true);
	while (g->pool != NULL) {
		struct request *req = g->pool;

		g->pool = req->next;
		free(req);
	}
	route_table_free(g->routes);
	free(g);
}

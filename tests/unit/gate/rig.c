#include "tests/unit/gate/rig.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/lib/token_maker.h"

/* Check allocates for every assertion, also for one that holds; where allocations may fail, this
 * asks instead. */
static void
must(bool holds, const char *what)
{
	if (!holds)
		ck_abort_msg("%s", what);
}

/* ---- the log ---- */

static int log_fd; /* one a test: Check gives each a process of its own */

void
rig_capture_log(void)
{
	log_fd = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(log_fd, 0);
	log_open(log_fd, LOG_JSON, LEVEL_INFO, "test");
}

const char *
rig_logged(void)
{
	static char text[1 << 20];
	const ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

/* ---- handlers ---- */

static void
handle_plain(struct request *req, const struct grant *grant, void *app)
{
	struct rig *r = app;

	(void)grant;
	r->handled++;
	request_reply_empty(req, 200);
}

static void
handle_whoami(struct request *req, const struct grant *grant, void *app)
{
	struct buf body = BUF(KIB(4));
	struct json_out w = json_out_on(&body);
	struct rig *r = app;

	(void)grant;
	r->handled++;
	json_open(&w, NULL, '{');
	json_put_text(&w, "subject", request_context(req)->subject);
	json_put_text(&w, "method", auth_method_name(request_context(req)->method));
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

static void
handle_body(struct request *req, const struct grant *grant, void *app)
{
	struct rig *r = app;
	const struct json *json = request_json(req, grant);
	struct grant_slot other = {0};
	const struct grant *foreign = NULL;

	r->handled++;
	/* A grant that authorize() made, but not for this request. */
	if (authorize(request_context(req), request_route(req)->access, &other, &foreign) ==
	        VERDICT_GRANT)
		r->foreign_grant_opens |= request_json(req, foreign) != NULL;
	r->foreign_grant_opens |= request_json(req, NULL) != NULL;
	if (!json_int64(json, json_member(json, json_root(json), "n"), &r->number))
		r->number = -1;
	request_reply_field(req, "Location", "/v1/tasks/%d", 7);
	request_reply_empty(req, 201);
}

static void
on_gone(struct request *req, void *arg)
{
	struct rig *r = arg;

	must(req == r->parked, "another request has gone");
	r->gone++;
}

static void
handle_park(struct request *req, const struct grant *grant, void *app)
{
	struct rig *r = app;

	(void)grant;
	r->handled++;
	r->parked = req;
	request_on_gone(req, on_gone, r);
}

static void
handle_hole(struct request *req, const struct grant *grant, void *app)
{
	const struct span hole = request_hole(req, 0), none = request_hole(req, 1);
	struct buf body = BUF(KIB(8));
	struct rig *r = app;

	(void)grant;
	r->handled++;
	buf_add(&body, hole.text, hole.len);
	buf_add(&body, none.text, none.len);
	request_reply_text(req, 200, "text/plain", &body);
}

static void
handle_query(struct request *req, const struct grant *grant, void *app)
{
	static const char *const names[] = {"limit", "status"};
	struct buf body = BUF(KIB(16));
	const char *values[COUNT(names)];
	struct rig *r = app;

	(void)grant;
	r->handled++;
	if (!request_query(req, names, COUNT(names), values))
		return;
	for (size_t i = 0; i < COUNT(names); i++)
		buf_format(&body, "[%s]", values[i] == NULL ? "(none)" : values[i]);
	request_reply_text(req, 200, "text/plain", &body);
}

static void
handle_invalid(struct request *req, const struct grant *grant, void *app)
{
	struct rig *r = app;

	(void)grant;
	r->handled++;
	for (int i = 0; i < 60; i++)
		request_invalid(req, "/name", "wrong %d \"quoted\"", i);
	must(request_has_invalid(req), "what is invalid was forgotten");
	request_problem_member(req, "checks", "{\"store\":\"unhealthy\"}");
	request_problem_invalid(req, "The request is not valid");
}

/* A reply whose buffer failed, in the middle of a document. */
static void
handle_broken(struct request *req, const struct grant *grant, void *app)
{
	struct buf body = BUF(4);
	struct rig *r = app;

	(void)grant;
	r->handled++;
	buf_text(&body, "{\"a\":");
	request_reply_json(req, 200, &body);
}

static void
handle_fields(struct request *req, const struct grant *grant, void *app)
{
	static char huge[2000];
	struct rig *r = app;

	(void)grant;
	r->handled++;
	memset(huge, 'x', sizeof(huge) - 1);
	request_reply_field(req, "X-Huge", "%s", huge); /* past the limit: dropped, not cut */
	request_reply_field(req, "X-Evil", "%s", "a\r\nX-Injected: b");
	request_reply_field(req, "Cache-Control", "%s", "max-age=60");
	request_retry_after(req, 7);
	request_reply_empty(req, 204);
}

#define ROUTE ROUTE_ROW
const struct route rig_routes[] = {
#include "tests/unit/gate/rig_routes.def"
};
#undef ROUTE
const size_t rig_route_count = COUNT(rig_routes);

/* ---- opening and closing ---- */

static enum verdict
find_session(const unsigned char digest[32], struct session_facts *facts, void *arg)
{
	(void)arg;
	must(digest != NULL, "a session is sought without digest");
	(void)snprintf(facts->id, sizeof(facts->id), "s1");
	(void)snprintf(facts->worker, sizeof(facts->worker), "w1");
	return VERDICT_GRANT;
}

static bool
make_service(struct rig *r, struct err *e)
{
	static const char *const all[] = {
	        "tasks:*", "steps:*", "dlq:*", "templates:*", "system:*", "worker:*", "any:*"};
	static const char *const low[] = {"templates:read"};
	const struct api_key_settings keys[] = {
	        {.key = RIGHT_KEY,
                 .id = "right",
                 .permissions = all,
                 .permission_count = COUNT(all)                                                   },
	        {.key = LOW_KEY,   .id = "low", .permissions = low, .permission_count = COUNT(low)},
	};
	static const char *const algorithms[] = {"RS256"};
	const struct security_settings settings = {
	        .enabled = !r->settings.auth_off,
	        .users = {.public_key_pem = r->pem,
	                  .algorithms = algorithms,
	                  .algorithm_count = COUNT(algorithms),
	                  .issuer = "tasker-core",
	                  .audience = "tasker-api",
	                  .permissions_claim = "permissions",
	                  .leeway_s = 30,
	                  .max_lifetime_s = 86400,
	                  .strict_permissions = !r->settings.lax},
	        .api_keys = keys,
	        .api_key_count = COUNT(keys)
        };
	struct security_report report = {0};
	AUTO(security_service) struct security_service *service = NULL;

	if (!security_service_new(&settings, &service, &report, e) ||
	        !security_live_new(service, &r->live, e))
		return false;
	(void)TAKE(service);
	return true;
}

static bool
make_limits(struct rig *r, struct err *e)
{
	if (!rate_limits_new(&r->limits, e))
		return false;
	for (size_t i = 0; i < RATE__COUNT; i++)
		rate_limit_set(&r->limits->of[i], r->settings.rates[i]);
	return true;
}

static bool
make_gate(struct rig *r, struct err *e)
{
	static const char *const protected[] = {"/v1/", "/config"};
	static const char *const hidden[] = {"/config"};
	const struct gate_settings settings = {.routes = rig_routes,
	        .route_count = rig_route_count,
	        .protected_prefixes = protected,
	        .protected_count = COUNT(protected),
	        .hidden = hidden,
	        .hidden_count = r->settings.hide_config ? 1 : 0,
	        .cors = r->settings.cors,
	        .json = json_limits_default,
	        .access_log = true,
	        .log_unknown_permissions = !r->settings.hushed,
	        .realm = "tasker",
	        .api_key_header = "X-API-Key",
	        .limits = r->limits,
	        .app = r};

	if (!r->settings.no_metrics &&
	        (!metrics_new(&r->metrics, e) || !gate_metrics_new(r->metrics, rig_routes,
	                                                 rig_route_count, &r->gate_metrics, e)))
		return false;
	return gate_new(&settings, r->authenticator, r->gate_metrics, &r->gate, e);
}

bool
rig_try(struct rig *r, const struct rig_settings *settings, struct err *e)
{
	struct http_callbacks callbacks;

	*r = (struct rig){.settings = *settings};
	if (settings->tokens)
		r->pem = token_key_pem(TOKEN_KEY_RSA);
	if (!make_service(r, e) ||
	        !authenticator_new(r->live, 64, find_session, r, &r->authenticator, e) ||
	        !make_limits(r, e) || !make_gate(r, e) || !loop_new("rig", &r->loop, e) ||
	        !http_server_new("127.0.0.1:0", -1, &http_limits_default, &r->server, e))
		return false;
	callbacks = gate_callbacks(r->gate);
	return http_endpoint_new(r->server, r->loop, &callbacks, &r->endpoint, e);
}

void
rig_open(struct rig *r, const struct rig_settings *settings)
{
	const struct rig_settings usual = {0};
	struct err e = {0};

	ck_assert_msg(rig_try(r, settings != NULL ? settings : &usual, &e), "%s", e.text);
}

void
rig_close(struct rig *r)
{
	http_endpoint_free(r->endpoint);
	gate_free(r->gate);
	authenticator_free(r->authenticator);
	loop_free(r->loop);
	http_server_free(r->server);
	metrics_free(r->metrics);
	gate_metrics_free(r->gate_metrics);
	security_live_free(r->live);
	rate_limits_free(r->limits);
	free(r->pem);
}

/* ---- the client ---- */

int
rig_connect(struct rig *r)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
	        .sin_port = htons((uint16_t)http_server_port(r->server)),
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void
rig_send(int fd, const char *bytes, size_t len)
{
	ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

void
rig_turn(struct rig *r)
{
	(void)event_base_loop(loop_base(r->loop), EVLOOP_NONBLOCK);
}

const char *
answer_field(const struct answer *a, const char *name)
{
	static char value[1024];
	const size_t len = strlen(name);

	for (const char *line = strstr(a->head, "\r\n"); line != NULL && line[2] != '\0';
	        line = strstr(line + 2, "\r\n")) {
		const char *end = strstr(line + 2, "\r\n");

		if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':' || end == NULL)
			continue;
		(void)snprintf(value, sizeof(value), "%.*s", (int)(end - line - 4 - (int)len),
		        line + 4 + len);
		return value;
	}
	return "";
}

bool
answer_has(const struct answer *a, const char *line)
{
	char whole[1200];

	(void)snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
	return strstr(a->head, whole) != NULL;
}

/* Reads an answer out of what has arrived; false while it is not whole. */
static bool
take_answer(const char *text, size_t len, bool head, struct answer *out)
{
	const char *end = memmem(text, len, "\r\n\r\n", 4);
	size_t head_len, body_len;

	if (end == NULL)
		return false;
	head_len = (size_t)(end - text) + 4;
	if (strncmp(text, "HTTP/1.1 100", 12) == 0) {
		out->continued = true;
		return take_answer(text + head_len, len - head_len, head, out);
	}
	must(head_len < sizeof(out->head), "the head is too long");
	memcpy(out->head, text, head_len);
	out->head[head_len] = '\0';
	must(sscanf(text, "HTTP/1.1 %d ", &out->status) == 1, "no status line");
	body_len = head ? 0 : strtoul(answer_field(out, "Content-Length"), NULL, 10);
	must(body_len < sizeof(out->body), "the body is too long");
	if (len - head_len < body_len) {
		out->status = 0;
		return false;
	}
	memcpy(out->body, text + head_len, body_len);
	out->body[body_len] = '\0';
	out->extra = len - head_len - body_len;
	return true;
}

void
rig_receive(struct rig *r, int fd, bool head, struct answer *out)
{
	static char text[131072];
	const int64_t deadline = clock_mono_us() + 5000000;
	bool whole = false;
	size_t len = 0;
	int turns = 0;

	*out = (struct answer){0};
	/* Some turns more after the answer: is the connection closed then? */
	while (clock_mono_us() < deadline && !out->closed && turns < 20) {
		ssize_t n;

		rig_turn(r);
		n = recv(fd, text + len, sizeof(text) - len, MSG_DONTWAIT);
		if (n > 0)
			len += (size_t)n;
		out->closed = n == 0;
		whole = whole || take_answer(text, len, head, out);
		turns += whole ? 1 : 0;
	}
}

void
rig_ask(struct rig *r, const char *text, struct answer *out)
{
	const int fd = rig_connect(r);

	rig_send(fd, text, strlen(text));
	rig_receive(r, fd, strncmp(text, "HEAD ", 5) == 0, out);
	(void)close(fd);
	rig_turn(r);
}

void
rig_request(struct rig *r, const char *method, const char *path, const char *fields,
        const char *body, struct answer *out)
{
	char text[16384], content[128] = "";

	if (body != NULL)
		(void)snprintf(content, sizeof(content),
		        "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	ck_assert_int_lt(snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: h\r\n%s%s\r\n%s",
	                         method, path, fields, content, body != NULL ? body : ""),
	        (int)sizeof(text));
	rig_ask(r, text, out);
}

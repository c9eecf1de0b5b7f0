#include "ctl/api.h"

#include <string.h>

#include "ctl/credential.h"
#include "ctl/problem.h"
#include "shared/base/clock.h"

enum { PATH_MAX_BYTES = 4096, BODY_MAX_MIB = 512, NODES_MAX = 8000000 };

/* What a daemon may send: a list of a thousand steps with their results is long. */
static const struct json_limits limits = {
        .bytes = MIB(BODY_MAX_MIB), .nodes = NODES_MAX, .depth = JSON_DEPTH};

static bool
connect_to(struct ctl *ctl, enum endpoint endpoint, struct err *e)
{
	const char *flags[ENDPOINTS] = {
	        [ENDPOINT_ORCHESTRATION] = args_text(&ctl->args, "orchestration-url"),
	        [ENDPOINT_WORKER] = args_text(&ctl->args, "worker-url"),
	};
	const char *ca = args_text(&ctl->args, "ca-file");
	const struct fetch_options options = {.peer = endpoint_program(endpoint),
	        .ca_path = ca != NULL ? ca : ctl_env(ctl, "TASKER_CA_FILE")};

	if (ctl->fetches[endpoint] != NULL)
		return true;
	return endpoint_url(
	               endpoint, flags[endpoint], ctl->world->env, ctl->base_urls[endpoint], e) &&
	       fetch_new(&options, &ctl->fetches[endpoint], e);
}

/* The request's own limit, else --timeout, else the variable's, else ours. */
static bool
time_limit(const struct ctl *ctl, const struct api_request *request, int *limit, struct err *e)
{
	*limit = request->timeout_ms > 0 ? request->timeout_ms : ctl->timeout_ms;
	if (*limit > 0)
		return true;
	if (!endpoint_timeout(request->endpoint, ctl->world->env, limit, e))
		return false;
	if (*limit == 0)
		*limit = API_TIMEOUT_MS;
	return true;
}

static bool
exchange(struct ctl *ctl, const struct api_request *request, const struct credential *credential,
        struct api_answer *out, struct err *e)
{
	AUTO(buf) struct buf url = BUF(ENDPOINT_URL_MAX + PATH_MAX_BYTES);
	struct fetch_header headers[2] = {
	        {"Accept", "application/json"}
        };
	int limit = 0;
	struct fetch_request r = {.method = request->method,
	        .headers = headers,
	        .header_count = credential->value != NULL ? 2 : 1,
	        .response_max = MIB(BODY_MAX_MIB)};

	if (!time_limit(ctl, request, &limit, e))
		return false;
	r.timeout_ms = limit;
	r.connect_timeout_ms = limit < API_CONNECT_MS ? limit : API_CONNECT_MS;
	if (credential->value != NULL)
		headers[1] = (struct fetch_header){
		        credential->header, (const char *)secret_bytes(credential->value)};
	if (request->body != NULL) {
		r.body = request->body->data;
		r.body_len = request->body->len;
	}
	buf_text(&url, ctl->base_urls[request->endpoint]);
	if (buf_ok(request->path))
		buf_add(&url, request->path->data, request->path->len);
	buf_char(&url, '\0');
	if (!buf_ok(&url) || !buf_ok(request->path))
		return err_set(e, ERR_LIMIT, "the request is too long");
	r.url = url.data;
	if (ctl->verbose)
		ctl_note(ctl, "> %s %s (credential: %s)", r.method, r.url,
		        credential->source != NULL ? credential->source : "none");
	return fetch_send(ctl->fetches[request->endpoint], &r, &out->response, e);
}

static enum exit_status
why_not(const struct err *e)
{
	if (e->code == ERR_FORMAT || e->code == ERR_LIMIT || e->code == ERR_MISSING)
		return EXIT_STATUS_USAGE;
	return e->code == ERR_IO ? EXIT_STATUS_UNREACHABLE : EXIT_STATUS_NO;
}

enum exit_status
api_send(struct ctl *ctl, const struct api_request *request, struct api_answer *out)
{
	AUTO(credential) struct credential credential = {0};
	struct err *e = &out->fault, ignored = {0};
	int64_t began = clock_mono_us();

	api_answer_free(out);
	if (!connect_to(ctl, request->endpoint, e) ||
	        !credential_choose(request->endpoint, ctl->world->env, clock_wall_us() / 1000000,
	                &credential, e))
		return out->ending = e->code == ERR_NOMEM ? EXIT_STATUS_NO : EXIT_STATUS_USAGE;
	if (!exchange(ctl, request, &credential, out, e))
		return out->ending = why_not(e);
	out->status = out->response.status;
	out->retry_after_s = out->response.retry_after_s;
	if (ctl->verbose)
		ctl_note(ctl, "< %d in %lld ms, request %s", out->status,
		        (long long)((clock_mono_us() - began) / 1000),
		        out->response.request_id[0] != '\0' ? out->response.request_id : "-");
	if (out->response.body.len > 0 &&
	        !json_parse(out->response.body.data, out->response.body.len, &limits, &out->doc,
	                &ignored))
		out->doc = NULL;
	return EXIT_STATUS_OK;
}

enum exit_status
api_judge(struct ctl *ctl, const struct api_request *request, const struct api_answer *answer)
{
	const char *url = ctl->base_urls[request->endpoint];
	const char *name = endpoint_name(request->endpoint);

	if (answer->status == 204 ||
	        (answer->status >= 200 && answer->status < 300 && answer->doc != NULL))
		return EXIT_STATUS_OK;
	if (answer->status == 0) {
		enum exit_status why = answer->ending;

		(void)ctl_fail(ctl, why, "%s", answer->fault.text);
		if (why == EXIT_STATUS_UNREACHABLE)
			ctl_hint(ctl,
			        "start %s, or name its address: --%s-url or TASKER_%s_URL (now %s)",
			        endpoint_program(request->endpoint), name,
			        request->endpoint == ENDPOINT_WORKER ? "WORKER" : "ORCHESTRATION",
			        url);
		return why;
	}
	if (answer->status >= 200 && answer->status < 400) {
		(void)ctl_fail(ctl, EXIT_STATUS_UNREACHABLE, "%s answers %d, but not with JSON",
		        url, answer->status);
		ctl_hint(ctl, "is that the %s's address?", name);
		return EXIT_STATUS_UNREACHABLE;
	}
	return problem_tell(ctl, request->endpoint, answer);
}

enum exit_status
api_ask(struct ctl *ctl, const struct api_request *request, struct api_answer *out)
{
	(void)api_send(ctl, request, out);
	return api_judge(ctl, request, out);
}

enum exit_status
api_call(struct ctl *ctl, enum endpoint endpoint, const char *method, const struct buf *path,
        struct api_answer *out)
{
	const struct api_request request = {.endpoint = endpoint, .method = method, .path = path};

	return api_ask(ctl, &request, out);
}

enum exit_status
api_print(struct ctl *ctl, const struct api_answer *answer)
{
	AUTO(buf) struct buf line = BUF(MIB(BODY_MAX_MIB) + 1);

	json_compact(answer->doc, json_root(answer->doc), &line);
	buf_char(&line, '\n');
	if (!buf_ok(&line))
		return ctl_fail(ctl, EXIT_STATUS_NO, "out of memory for the answer");
	if (fwrite(line.data, 1, line.len, ctl->world->out) != line.len)
		return ctl_fail(ctl, EXIT_STATUS_NO, "cannot write the answer");
	return EXIT_STATUS_OK;
}

enum exit_status
api_print_list(struct ctl *ctl, const struct api_answer *answer, const struct api_list *list)
{
	const struct json *doc = answer->doc;
	struct table *t;

	if (ctl->json)
		return api_print(ctl, answer);
	t = table_new(list->columns, list->count, ctl_look(ctl));
	for (const struct json_node *n =
	                json_first(doc, json_member(doc, json_root(doc), list->member));
	        n != NULL; n = json_next(doc, n)) {
		struct table_line *line = table_add(t, NULL);

		for (size_t i = 0; i < list->count; i++)
			table_json(t, line, doc, json_member(doc, n, list->names[i]));
	}
	return ctl_print(ctl, t);
}

void
api_answer_free(struct api_answer *a)
{
	json_free(a->doc);
	fetch_response_free(&a->response);
	*a = (struct api_answer){0};
}

void
api_path(struct buf *path, const char *text)
{
	buf_text(path, text);
}

static void
encode(struct buf *path, const char *text)
{
	static const char unreserved[] = "-._~0123456789abcdefghijklmnopqrstuvwxyz"
	                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (; *text != '\0'; text++) {
		if (strchr(unreserved, *text) != NULL)
			buf_char(path, *text);
		else
			buf_format(path, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

void
api_segment(struct buf *path, const char *segment)
{
	buf_char(path, '/');
	encode(path, segment);
}

void
api_query(struct buf *path, const char *name, const char *value)
{
	bool first = path->len == 0 || memchr(path->data, '?', path->len) == NULL;

	buf_char(path, first ? '?' : '&');
	encode(path, name);
	buf_char(path, '=');
	encode(path, value);
}

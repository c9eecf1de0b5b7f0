/*
 * Each path once, in the order of its first row, with an operation for each of its rows:
 *
 *   "/v1/tasks/{task}": {"get": {"operationId": "get_v1_tasks_task", "summary": …, "tags":
 * ["tasks"], "security": [{"bearer_auth": []}, {"api_key_auth": []}],   none where the row is OPEN
 *      "x-required-permission": "tasks:read",                     where it is NEEDS
 *      "x-internal": true,                                        where it is INTERNAL
 *      "parameters": […], "requestBody": {…}, "responses": {…}}}
 *
 * Refusals are one shape everywhere, so each is a reference to the one problem response.
 */
#include "shared/gate/openapi.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/json_out.h"

enum { NAME_MAX_BYTES = 320 };

struct writer {
	const struct openapi *api;
	struct json_out w;
};

static const char problem_schema[] =
        "{\"type\":\"object\",\"required\":[\"error\",\"type\",\"title\",\"status\",\"detail\"],"
        "\"properties\":{"
        "\"error\":{\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":{"
        "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"}}},"
        "\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
        "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},"
        "\"request_id\":{\"type\":\"string\"},"
        "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
        "\"pointer\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"}}}}}}";

static const char problem_response[] =
        "{\"description\":\"Refused; error.code says why\",\"content\":{"
        "\"application/problem+json\":{\"schema\":{"
        "\"$ref\":\"#/components/schemas/problem\"}}}}";

static const char problem_ref[] = "{\"$ref\":\"#/components/responses/problem\"}";

static void
put_json(struct writer *d, const char *key, const char *json)
{
	json_put_raw(&d->w, key, json, strlen(json));
}

/* ---- names ---- */

/* "get", in lower case as OpenAPI wants it. */
static void
method_key(enum method method, char out[16])
{
	(void)snprintf(out, 16, "%s", method_name(method));
	for (char *c = out; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
}

/* "get_v1_tasks_task": the method and the path's letters and digits, words joined by one _. */
static void
put_operation_id(struct writer *d, const struct route *row)
{
	char id[NAME_MAX_BYTES];
	size_t n;

	method_key(row->method, id);
	n = strlen(id);
	for (const char *c = row->path; *c != '\0' && n < sizeof(id) - 1; c++) {
		const bool word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		                  (*c >= '0' && *c <= '9');

		if (word)
			id[n++] = *c;
		else if (id[n - 1] != '_' && c[1] != '\0')
			id[n++] = '_';
	}
	json_put_bytes(&d->w, "operationId", id, n);
}

/* The first segment of the path, behind "/v1/". */
static void
put_tag(struct writer *d, const struct route *row)
{
	const char *from = row->path + (strncmp(row->path, "/v1/", 4) == 0 ? 4 : 1);

	json_open(&d->w, "tags", '[');
	json_put_bytes(&d->w, NULL, from, strcspn(from, "/"));
	json_close(&d->w, ']');
}

/* ---- who may ---- */

static void
put_access(struct writer *d, const struct access *access)
{
	json_open(&d->w, "security", '[');
	if (access->kind != ACCESS_OPEN)
		put_json(d, NULL, "{\"bearer_auth\":[]}");
	if (access->kind == ACCESS_SIGNED_IN || access->kind == ACCESS_NEEDS)
		put_json(d, NULL, "{\"api_key_auth\":[]}");
	json_close(&d->w, ']');
	if (access->kind == ACCESS_NEEDS)
		json_put_text(
		        &d->w, "x-required-permission", permission_spelled(access->permission));
	if (access->kind == ACCESS_INTERNAL)
		json_put_bool(&d->w, "x-internal", true);
}

/* ---- details ---- */

/* The next detail of a row in that place, from *at on; NULL behind the last. */
static const struct openapi_detail *
next_detail(const struct writer *d, const struct route *row, enum openapi_place place, size_t *at)
{
	while (*at < d->api->detail_count) {
		const struct openapi_detail *detail = &d->api->details[(*at)++];

		if (detail->place == place && detail->method == row->method &&
		        strcmp(detail->path, row->path) == 0)
			return detail;
	}
	return NULL;
}

static void
put_holes(struct writer *d, const char *path)
{
	for (const char *open = strchr(path, '{'); open != NULL; open = strchr(open + 1, '{')) {
		json_open(&d->w, NULL, '{');
		json_put_bytes(&d->w, "name", open + 1, strcspn(open + 1, "}"));
		json_put_text(&d->w, "in", "path");
		json_put_bool(&d->w, "required", true);
		put_json(d, "schema", "{\"type\":\"string\"}");
		json_close(&d->w, '}');
	}
}

static void
put_parameters(struct writer *d, const struct route *row)
{
	const struct openapi_detail *q;
	size_t at = 0;

	json_open(&d->w, "parameters", '[');
	put_holes(d, row->path);
	while ((q = next_detail(d, row, OPENAPI_QUERY, &at)) != NULL) {
		json_open(&d->w, NULL, '{');
		json_put_text(&d->w, "name", q->name);
		json_put_text(&d->w, "in", "query");
		json_put_text(&d->w, "description", q->what);
		json_put_bool(&d->w, "required", q->required);
		put_json(d, "schema", q->schema);
		json_close(&d->w, '}');
	}
	json_close(&d->w, ']');
}

/* The member's schema, with its description as one keyword more. */
static void
put_member(struct writer *d, const struct openapi_detail *m)
{
	assert(m->schema[0] == '{' && m->schema[1] != '}');
	json_open(&d->w, m->name, '{');
	json_put_text(&d->w, "description", m->what);
	buf_char(d->w.buf, ',');
	buf_add(d->w.buf, m->schema + 1, strlen(m->schema) - 2);
	json_close(&d->w, '}');
}

static void
put_body_schema(struct writer *d, const struct route *row)
{
	const struct openapi_detail *m;
	size_t at = 0;

	json_open(&d->w, "schema", '{');
	json_put_text(&d->w, "type", "object");
	json_open(&d->w, "properties", '{');
	while ((m = next_detail(d, row, OPENAPI_BODY, &at)) != NULL)
		put_member(d, m);
	json_close(&d->w, '}');
	json_open(&d->w, "required", '[');
	at = 0;
	while ((m = next_detail(d, row, OPENAPI_BODY, &at)) != NULL)
		if (m->required)
			json_put_text(&d->w, NULL, m->name);
	json_close(&d->w, ']');
	json_close(&d->w, '}');
}

static void
put_body(struct writer *d, const struct route *row)
{
	char description[64];

	(void)snprintf(description, sizeof(description), "At most %zu bytes", row->body_max);
	json_open(&d->w, "requestBody", '{');
	json_put_text(&d->w, "description", description);
	json_put_bool(&d->w, "required", true);
	json_open(&d->w, "content", '{');
	json_open(&d->w, "application/json", '{');
	put_body_schema(d, row);
	json_close(&d->w, '}');
	json_close(&d->w, '}');
	json_close(&d->w, '}');
}

static void
put_answer(struct writer *d, const char *status, const char *what)
{
	json_open(&d->w, status, '{');
	json_put_text(&d->w, "description", what);
	json_close(&d->w, '}');
}

static void
put_responses(struct writer *d, const struct route *row)
{
	size_t at = 0;
	const struct openapi_detail *answer = next_detail(d, row, OPENAPI_ANSWER, &at);

	json_open(&d->w, "responses", '{');
	if (answer == NULL)
		put_answer(d, "200", "Success");
	for (; answer != NULL; answer = next_detail(d, row, OPENAPI_ANSWER, &at))
		put_answer(d, answer->name, answer->what);
	if (row->access.kind != ACCESS_OPEN) {
		put_json(d, "401", problem_ref);
		put_json(d, "403", problem_ref);
		put_json(d, "429", problem_ref);
	}
	put_json(d, "default", problem_ref);
	json_close(&d->w, '}');
}

/* ---- the document ---- */

static void
put_operation(struct writer *d, const struct route *row)
{
	char key[16];

	method_key(row->method, key);
	json_open(&d->w, key, '{');
	put_operation_id(d, row);
	json_put_text(&d->w, "summary", row->summary);
	put_tag(d, row);
	put_access(d, &row->access);
	put_parameters(d, row);
	if (row->body == BODY_KIND_JSON)
		put_body(d, row);
	put_responses(d, row);
	json_close(&d->w, '}');
}

static bool
is_first_of_path(const struct openapi *api, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(api->routes[i].path, api->routes[n].path) == 0)
			return false;
	return true;
}

static void
put_paths(struct writer *d)
{
	const struct openapi *api = d->api;

	json_open(&d->w, "paths", '{');
	for (size_t i = 0; i < api->route_count; i++) {
		if (!is_first_of_path(api, i))
			continue;
		json_open(&d->w, api->routes[i].path, '{');
		for (size_t j = i; j < api->route_count; j++)
			if (strcmp(api->routes[j].path, api->routes[i].path) == 0)
				put_operation(d, &api->routes[j]);
		json_close(&d->w, '}');
	}
	json_close(&d->w, '}');
}

static void
put_components(struct writer *d)
{
	json_open(&d->w, "components", '{');
	json_open(&d->w, "securitySchemes", '{');
	put_json(d, "bearer_auth",
	        "{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}");
	json_open(&d->w, "api_key_auth", '{');
	json_put_text(&d->w, "type", "apiKey");
	json_put_text(&d->w, "in", "header");
	json_put_text(&d->w, "name", d->api->api_key_header);
	json_close(&d->w, '}');
	json_close(&d->w, '}');
	json_open(&d->w, "responses", '{');
	put_json(d, "problem", problem_response);
	json_close(&d->w, '}');
	json_open(&d->w, "schemas", '{');
	put_json(d, "problem", problem_schema);
	json_close(&d->w, '}');
	json_close(&d->w, '}');
}

void
openapi_write(const struct openapi *api, struct buf *out)
{
	struct writer d = {.api = api, .w = json_out_on(out)};

	json_open(&d.w, NULL, '{');
	json_put_text(&d.w, "openapi", "3.1.0");
	json_open(&d.w, "info", '{');
	json_put_text(&d.w, "title", api->title);
	json_put_text(&d.w, "version", api->version);
	json_close(&d.w, '}');
	put_paths(&d);
	put_components(&d);
	json_close(&d.w, '}');
}

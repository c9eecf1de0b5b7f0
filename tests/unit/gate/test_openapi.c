/* The route table as an OpenAPI document: each row is an operation, and nothing else is. */
#include "shared/gate/openapi.h"

#include <stdio.h>
#include <string.h>

#include "shared/base/json.h"
#include "tests/unit/gate/rig.h"
#include "tests/unit/unit.h"

static const struct openapi_detail details[] = {
        OPENAPI_DETAIL(POST, "/v1/tasks", ANSWER, "201", NULL, false, "Made") OPENAPI_DETAIL(POST,
                "/v1/tasks", BODY, "name", SCHEMA_TEXT(64), true, "A \"name\"") OPENAPI_DETAIL(POST,
                "/v1/tasks", BODY, "n", SCHEMA_INTEGER(1, 9), false, "A number") OPENAPI_DETAIL(GET,
                "/v1/tasks", QUERY, "limit", SCHEMA_INTEGER(1, 9), false, "How many")
                OPENAPI_DETAIL(GET, "/v1/tasks", QUERY, "status", SCHEMA_STRING, false, "Which")};

static struct buf text;
static struct json *doc;

static struct openapi
rig_api(void)
{
	return (struct openapi){.title = "Rig API",
	        .version = "1.0.0",
	        .api_key_header = "X-API-Key",
	        .routes = rig_routes,
	        .route_count = rig_route_count,
	        .details = details,
	        .detail_count = COUNT(details)};
}

static void
set_up(void)
{
	const struct openapi api = rig_api();
	struct err e = {0};

	text = BUF(OPENAPI_MAX);
	openapi_write(&api, &text);
	ck_assert(buf_ok(&text));
	ck_assert_msg(
	        json_parse(text.data, text.len, &json_limits_default, &doc, &e), "%s", e.text);
}

static void
tear_down(void)
{
	json_free(doc);
	buf_free(&text);
}

/* The operation of a row, or NULL. */
static const struct json_node *
operation(const char *method, const char *path)
{
	const struct json_node *paths = json_member(doc, json_root(doc), "paths");

	return json_member(doc, json_member(doc, paths, path), method);
}

static bool
is(const struct json_node *node, const char *json)
{
	size_t len;
	const char *raw = node == NULL ? NULL : json_raw(doc, node, &len);

	return raw != NULL && len == strlen(json) && memcmp(raw, json, len) == 0;
}

START_TEST(document_begins_as_the_specification_wants)
{
	const struct json_node *info = json_member(doc, json_root(doc), "info");

	ck_assert(is(json_member(doc, json_root(doc), "openapi"), "\"3.1.0\""));
	ck_assert(is(json_member(doc, info, "title"), "\"Rig API\""));
	ck_assert(is(json_member(doc, info, "version"), "\"1.0.0\""));
}
END_TEST

START_TEST(every_row_is_an_operation_and_nothing_else_is)
{
	const struct json_node *paths = json_member(doc, json_root(doc), "paths");
	size_t count = 0;

	for (const struct json_node *p = json_first(doc, paths); p != NULL; p = json_next(doc, p))
		count += json_count(p);
	ck_assert_uint_eq(count, rig_route_count);
	for (size_t i = 0; i < rig_route_count; i++) {
		char method[16];
		size_t n = 0;

		for (const char *c = method_name(rig_routes[i].method); *c != '\0'; c++)
			method[n++] = (char)(*c - 'A' + 'a');
		method[n] = '\0';
		ck_assert_msg(operation(method, rig_routes[i].path) != NULL, "%s %s", method,
		        rig_routes[i].path);
	}
}
END_TEST

#define EITHER "[{\"bearer_auth\":[]},{\"api_key_auth\":[]}]"
#define TASK_HOLE                                                                                  \
	"[{\"name\":\"task\",\"in\":\"path\",\"required\":true,"                                   \
	"\"schema\":{\"type\":\"string\"}}]"

static const struct {
	const char *method, *path, *member, *json; /* json NULL: there is no such member */
} rows[] = {
        {"get",    "/health",                   "security",              "[]"                             },
        {"get",    "/health",                   "x-required-permission", NULL                             },
        {"get",    "/health",                   "x-internal",            NULL                             },
        {"get",    "/health",                   "operationId",           "\"get_health\""                 },
        {"get",    "/health",                   "summary",               "\"an open path\""               },
        {"get",    "/health",                   "tags",                  "[\"health\"]"                   },
        {"get",    "/health",                   "parameters",            "[]"                             },
        {"get",    "/health",                   "requestBody",           NULL                             },
        {"get",    "/v1/whoami",                "security",              EITHER                           },
        {"get",    "/v1/whoami",                "x-required-permission", NULL                             },
        {"get",    "/v1/tasks/{task}",          "security",              EITHER                           },
        {"get",    "/v1/tasks/{task}",          "x-required-permission", "\"tasks:read\""                 },
        {"delete", "/v1/tasks/{task}",          "x-required-permission", "\"tasks:cancel\""               },
        {"get",    "/v1/tasks/{task}",          "operationId",           "\"get_v1_tasks_task\""          },
        {"get",    "/v1/tasks/{task}",          "tags",                  "[\"tasks\"]"                    },
        {"get",    "/v1/tasks/{task}",          "parameters",
         "[{\"name\":\"task\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":"
                "\"string\"}}]"                                                                           },
        {"post",   "/v1/tasks/{task}/validate", "operationId",           "\"post_v1_tasks_task_validate\""},
        {"post",   "/v1/internal/workers",      "security",              "[{\"bearer_auth\":[]}]"         },
        {"post",   "/v1/internal/workers",      "x-internal",            "true"                           },
        {"post",   "/v1/internal/workers",      "x-required-permission", NULL                             },
};

START_TEST(operation_says_what_its_row_says)
{
	const struct json_node *op = operation(rows[_i].method, rows[_i].path);
	const struct json_node *member = json_member(doc, op, rows[_i].member);

	ck_assert_ptr_nonnull(op);
	if (rows[_i].json == NULL)
		ck_assert_ptr_null(member);
	else
		ck_assert_msg(is(member, rows[_i].json), "%s %s: %s", rows[_i].method,
		        rows[_i].path, rows[_i].member);
}
END_TEST

START_TEST(details_belong_to_their_row_alone)
{
	const struct json_node *create = operation("post", "/v1/tasks");
	const struct json_node *body = json_member(doc, create, "requestBody");
	const struct json_node *content = json_member(doc, body, "content");
	const struct json_node *schema =
	        json_member(doc, json_member(doc, content, "application/json"), "schema");

	ck_assert(is(schema,
	        "{\"type\":\"object\",\"properties\":{"
	        "\"name\":{\"description\":\"A \\\"name\\\"\",\"type\":\"string\",\"minLength\":1,"
	        "\"maxLength\":64},"
	        "\"n\":{\"description\":\"A number\",\"type\":\"integer\",\"minimum\":1,"
	        "\"maximum\":9}},\"required\":[\"name\"]}"));
	ck_assert(is(json_member(doc, body, "description"), "\"At most 4096 bytes\""));
	ck_assert(is(json_member(doc, create, "responses"),
	        "{\"201\":{\"description\":\"Made\"},"
	        "\"401\":{\"$ref\":\"#/components/responses/problem\"},"
	        "\"403\":{\"$ref\":\"#/components/responses/problem\"},"
	        "\"429\":{\"$ref\":\"#/components/responses/problem\"},"
	        "\"default\":{\"$ref\":\"#/components/responses/problem\"}}"));
	ck_assert(is(json_member(doc, create, "parameters"), "[]"));
	ck_assert_uint_eq(
	        json_count(json_member(doc, operation("get", "/v1/tasks"), "parameters")), 2);
	ck_assert(is(json_member(doc, operation("get", "/health"), "responses"),
	        "{\"200\":{\"description\":\"Success\"},"
	        "\"default\":{\"$ref\":\"#/components/responses/problem\"}}"));
}
END_TEST

START_TEST(references_lead_somewhere)
{
	const struct json_node *components = json_member(doc, json_root(doc), "components");
	const struct json_node *schemes = json_member(doc, components, "securitySchemes");
	static const char *const parts[] = {"responses", "schemas"};

	for (size_t i = 0; i < COUNT(parts); i++)
		ck_assert_ptr_nonnull(
		        json_member(doc, json_member(doc, components, parts[i]), "problem"));
	ck_assert(is(json_member(doc, schemes, "bearer_auth"),
	        "{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}"));
	ck_assert(is(json_member(doc, schemes, "api_key_auth"),
	        "{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"}"));
}
END_TEST

START_TEST(names_of_operations_are_unique)
{
	const struct json_node *paths = json_member(doc, json_root(doc), "paths");
	char seen[64][96];
	size_t count = 0;

	ck_assert_uint_le(rig_route_count, COUNT(seen));
	for (const struct json_node *p = json_first(doc, paths); p != NULL; p = json_next(doc, p))
		for (const struct json_node *op = json_first(doc, p); op != NULL;
		        op = json_next(doc, op)) {
			size_t len;
			const char *raw = json_raw(doc, json_member(doc, op, "operationId"), &len);

			(void)snprintf(seen[count], sizeof(seen[count]), "%.*s", (int)len, raw);
			for (size_t i = 0; i < count; i++)
				ck_assert_str_ne(seen[i], seen[count]);
			count++;
		}
	ck_assert_uint_eq(count, rig_route_count);
}
END_TEST

/* A document that does not fit is none: whoever answers sees it and says 500. */
START_TEST(too_large_a_document_fails_whole)
{
	const struct openapi api = rig_api();

	for (size_t max = 0; max < text.len; max += 97) {
		AUTO(buf) struct buf small = BUF(max);

		openapi_write(&api, &small);
		ck_assert(!buf_ok(&small));
	}
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const struct openapi api = rig_api();
	unsigned nth = 0;
	bool written = false;

	while (!written && nth < 100) {
		AUTO(buf) struct buf out = BUF(OPENAPI_MAX);

		fault_allocation(++nth);
		openapi_write(&api, &out);
		fault_allocation(0);
		written = buf_ok(&out);
	}
	ck_assert(written);
	ck_assert_uint_gt(nth, 1);
}
END_TEST

Suite *
openapi_suite(void)
{
	Suite *s = suite_create("openapi");
	TCase *tc = tcase_create("document");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, document_begins_as_the_specification_wants);
	tcase_add_test(tc, every_row_is_an_operation_and_nothing_else_is);
	tcase_add_loop_test(tc, operation_says_what_its_row_says, 0, COUNT(rows));
	tcase_add_test(tc, details_belong_to_their_row_alone);
	tcase_add_test(tc, references_lead_somewhere);
	tcase_add_test(tc, names_of_operations_are_unique);
	tcase_add_test(tc, too_large_a_document_fails_whole);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

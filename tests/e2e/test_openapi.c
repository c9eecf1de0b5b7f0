/*
 * GET /api-docs/openapi.json of both daemons against their tables, and its details against what the
 * daemons do: documented members are the ones that are checked, documented parameters those that
 * are known.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "shared/gate/openapi.h"
#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

enum which { orchestration, worker, DAEMONS };
enum { BODY_PUBLIC = 1, BODY_POLL = 2 };

static const struct row {
	enum which daemon;
	enum method method;
	const char *path;
	struct access access;
} rows[] = {
#define ROUTE(m, p, a, b, max, h, s) {orchestration, METHOD_##m, p, a},
#include "orchestration/routes.def"
#undef ROUTE
#define ROUTE(m, p, a, b, max, h, s) {worker, METHOD_##m, p, a},
#include "worker/routes.def"
#undef ROUTE
};

static const struct detail {
	enum which daemon;
	enum method method;
	const char *path;
	enum openapi_place place;
	const char *name;
	bool required;
} details[] = {
#define DETAIL(m, p, where, n, schema, must, what)                                                 \
	{orchestration, METHOD_##m, p, OPENAPI_##where, n, must},
#include "orchestration/route_details.def"
#undef DETAIL
#define DETAIL(m, p, where, n, schema, must, what)                                                 \
	{worker, METHOD_##m, p, OPENAPI_##where, n, must},
#include "worker/route_details.def"
#undef DETAIL
};

static struct pair pair;
static struct wire_reply replies[DAEMONS];
static struct json *docs[DAEMONS];

static int
port_of(enum which daemon)
{
	return daemon == worker ? pair.worker.port : pair.orchestration.port;
}

static void
start(void)
{
	token_maker_prepare();
	ck_assert(pair_start(&pair, &(struct pair_settings){.worker = NULL}));
	for (int d = 0; d < DAEMONS; d++) {
		struct err e = {0};

		replies[d] = wire_call(
		        port_of((enum which)d), "GET", "/api-docs/openapi.json", "", NULL);
		ck_assert_int_eq(replies[d].status, 200);
		ck_assert_str_eq(wire_field(&replies[d], "Content-Type"), "application/json");
		ck_assert_msg(json_parse(replies[d].body, replies[d].body_len, &json_limits_default,
		                      &docs[d], &e),
		        "%s", e.text);
	}
}

static void
stop(void)
{
	for (int d = 0; d < DAEMONS; d++) {
		json_free(docs[d]);
		wire_reply_free(&replies[d]);
	}
	pair_stop(&pair);
}

static const struct json_node *
operation(enum which daemon, enum method method, const char *path)
{
	const struct json *doc = docs[daemon];
	char key[16];
	size_t n = 0;

	for (const char *c = method_name(method); *c != '\0'; c++)
		key[n++] = (char)(*c - 'A' + 'a');
	key[n] = '\0';
	return json_member(
	        doc, json_member(doc, json_member(doc, json_root(doc), "paths"), path), key);
}

START_TEST(row_is_described_as_it_is)
{
	const struct row *row = &rows[_i];
	const struct json *doc = docs[row->daemon];
	const struct json_node *op = operation(row->daemon, row->method, row->path);
	const struct json_node *permission = json_member(doc, op, "x-required-permission");
	const struct json_node *internal = json_member(doc, op, "x-internal");
	const struct json_node *security = json_member(doc, op, "security");

	ck_assert_msg(op != NULL, "%s %s is not described", method_name(row->method), row->path);
	ck_assert_int_eq(json_count(security) > 0, row->access.kind != ACCESS_OPEN);
	ck_assert_int_eq(internal != NULL, row->access.kind == ACCESS_INTERNAL);
	if (row->access.kind == ACCESS_NEEDS)
		ck_assert(json_string_is(
		        doc, permission, permission_spelled(row->access.permission)));
	else
		ck_assert_ptr_null(permission);
}
END_TEST

START_TEST(nothing_else_is_described)
{
	const struct json *doc = docs[_i];
	const struct json_node *paths = json_member(doc, json_root(doc), "paths");
	const struct json_node *info = json_member(doc, json_root(doc), "info");
	size_t described = 0, served = 0;

	for (const struct json_node *p = json_first(doc, paths); p != NULL; p = json_next(doc, p))
		described += json_count(p);
	for (size_t i = 0; i < COUNT(rows); i++)
		served += rows[i].daemon == (enum which)_i;
	ck_assert_uint_eq(described, served);
	ck_assert(json_string_is(doc, json_member(doc, info, "title"),
	        _i == worker ? "Tasker Worker API" : "Tasker Web API"));
}
END_TEST

START_TEST(detail_has_its_route)
{
	const struct detail *d = &details[_i];

	ck_assert_msg(operation(d->daemon, d->method, d->path) != NULL, "%s %s: %s",
	        method_name(d->method), d->path, d->name);
}
END_TEST

/* The answer to an empty object points at exactly the members that are documented as required. */
START_TEST(required_members_are_required)
{
	const struct detail *d = &details[_i];
	char pointer[96];
	char *admin;
	struct wire_reply r;

	if (d->place != OPENAPI_BODY)
		return;
	admin = pair_admin();
	(void)snprintf(pointer, sizeof(pointer), "\"/%s\"", d->name);
	r = wire_call(port_of(d->daemon), method_name(d->method), d->path, admin, "{}");
	ck_assert_int_eq(r.status, 400);
	ck_assert_msg((strstr(r.body, pointer) != NULL) == d->required, "%s: %s", d->name, r.body);
	wire_reply_free(&r);
	free(admin);
}
END_TEST

/* None of them may be true. */
START_TEST(documented_member_is_checked)
{
	const struct detail *d = &details[_i];
	char body[96], pointer[96];
	char *admin;
	struct wire_reply r;

	if (d->place != OPENAPI_BODY)
		return;
	admin = pair_admin();
	(void)snprintf(body, sizeof(body), "{\"%s\":true}", d->name);
	(void)snprintf(pointer, sizeof(pointer), "\"/%s\"", d->name);
	r = wire_call(port_of(d->daemon), method_name(d->method), d->path, admin, body);
	ck_assert_int_eq(r.status, 400);
	ck_assert_msg(strstr(r.body, pointer) != NULL, "%s: %s", d->name, r.body);
	wire_reply_free(&r);
	free(admin);
}
END_TEST

/* The answer to an unknown parameter lists the known ones: those of the document, in its order. */
START_TEST(documented_parameters_are_the_known_ones)
{
	const struct row *row = &rows[_i];
	char known[512] = "this route takes: ", path[128];
	char *admin;
	size_t n = strlen(known), none = n;
	struct wire_reply r;

	for (size_t i = 0; i < COUNT(details); i++)
		if (details[i].daemon == row->daemon && details[i].place == OPENAPI_QUERY &&
		        details[i].method == row->method && strcmp(details[i].path, row->path) == 0)
			n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
			        n == none ? "" : ", ", details[i].name);
	if (n == none)
		return;
	(void)snprintf(known + n, sizeof(known) - n, "\"");
	admin = pair_admin();
	(void)snprintf(path, sizeof(path), "%s?nobody=knows", row->path);
	r = wire_call(port_of(row->daemon), method_name(row->method), path, admin, NULL);
	ck_assert_int_eq(r.status, 400);
	ck_assert_msg(strstr(r.body, known) != NULL, "%s is not in %s", known, r.body);
	wire_reply_free(&r);
	free(admin);
}
END_TEST

Suite *
openapi_suite(void)
{
	Suite *s = suite_create("openapi");
	TCase *tc = tcase_create("pair");

	tcase_add_unchecked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, row_is_described_as_it_is, 0, COUNT(rows));
	tcase_add_loop_test(tc, nothing_else_is_described, 0, DAEMONS);
	tcase_add_loop_test(tc, detail_has_its_route, 0, COUNT(details));
	tcase_add_loop_test(tc, required_members_are_required, 0, (int)COUNT(details));
	tcase_add_loop_test(tc, documented_member_is_checked, 0, COUNT(details));
	tcase_add_loop_test(tc, documented_parameters_are_the_known_ones, 0, COUNT(rows));
	suite_add_tcase(s, tc);
	return s;
}

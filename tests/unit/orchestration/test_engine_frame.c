/* The step frame is one line of JSON with the members the worker parses (ecosystem 4.2). */
#include "orchestration/engine/frame.h"

#include <stdio.h>
#include <string.h>

#include "orchestration/engine/identity.h"
#include "shared/base/json.h"
#include "tests/unit/unit.h"

static const char yaml[] =
        "name: greet\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
        "  - {name: 'a\"q', handler: {callable: demo.a}}\n"
        "  - {name: b, handler: {callable: demo.b}}\n"
        "  - name: c\n    handler: {callable: demo.c, initialization: {k: [1]}}\n"
        "    dependencies: ['a\"q', b]\n    timeout_seconds: 9\n";

static struct template *
plan(void)
{
	struct template *t = NULL;
	struct err e = {0};

	ck_assert_msg(template_parse(yaml, sizeof(yaml) - 1, &t, NULL, &e), "%s", e.text);
	return t;
}

START_TEST(a_frame_beyond_its_ceiling_fails_whole)
{
	AUTO(template) struct template *t = plan();
	struct frame_input in = {.plan = t, .attempt = 1, .context = "{}", .context_len = 2};
	struct buf out = BUF(100);

	frame_write(&in, &out);
	ck_assert(!buf_ok(&out));
	buf_free(&out);
}
END_TEST

START_TEST(a_frame_says_what_to_do_with_what)
{
	AUTO(template) struct template *t = plan();
	struct frame_result parents[] = {
	        {"18446744073709551615", 20},
                {NULL,                   0 }
        };
	struct frame_input in = {.task = identity_task_id(uuid_v4()),
	        .plan = t,
	        .index = 2,
	        .attempt = 2,
	        .context = "{\"n\":1e400}",
	        .context_len = 11,
	        .parents = parents};
	struct uuid step = identity_step_id(&in.task, 2);
	char task_text[UUID_TEXT], step_text[UUID_TEXT], expected[1024];
	struct buf out = BUF(KIB(4));

	uuid_text(&in.task, task_text);
	uuid_text(&step, step_text);
	(void)snprintf(expected, sizeof(expected),
	        "{\"type\":\"step\",\"id\":\"%s.2\",\"step_uuid\":\"%s\",\"task\":\"%s\","
	        "\"namespace\":\"demo\",\"template\":\"greet@1.0.0\",\"step\":\"c\","
	        "\"handler\":\"demo.c\",\"attempt\":2,\"max_attempts\":3,"
	        "\"idempotency_key\":\"%s/c\",\"timeout_seconds\":9,\"input\":{\"n\":1e400},"
	        "\"dependencies\":{\"a\\\"q\":{\"result\":18446744073709551615},"
	        "\"b\":{\"result\":null}},\"config\":{\"k\":[1]},\"checkpoint\":null}",
	        step_text, step_text, task_text, task_text);
	frame_write(&in, &out);
	ck_assert(buf_ok(&out));
	ck_assert_uint_eq(out.len, strlen(expected));
	ck_assert_mem_eq(out.data, expected, out.len);
	buf_free(&out);
}
END_TEST

START_TEST(a_root_without_a_timeout_has_null_and_no_dependencies)
{
	AUTO(template) struct template *t = plan();
	AUTO(json) struct json *doc = NULL;
	struct frame_input in = {.plan = t, .attempt = 1, .context = "{}", .context_len = 2};
	struct buf out = BUF(KIB(4));
	struct err e = {0};

	frame_write(&in, &out);
	ck_assert(buf_ok(&out));
	ck_assert_msg(json_parse(out.data, out.len, &json_limits_default, &doc, &e), "%s", e.text);
	ck_assert_int_eq(json_kind(json_member(doc, json_root(doc), "timeout_seconds")), JSON_NULL);
	ck_assert_uint_eq(json_count(json_member(doc, json_root(doc), "dependencies")), 0);
	ck_assert(json_string_is(doc, json_member(doc, json_root(doc), "step"), "a\"q"));
	ck_assert_uint_eq(json_count(json_root(doc)), 16);
	buf_free(&out);
}
END_TEST

Suite *
engine_frame_suite(void)
{
	Suite *s = suite_create("engine frame");
	TCase *tc = tcase_create("frame");

	tcase_add_test(tc, a_frame_beyond_its_ceiling_fails_whole);
	tcase_add_test(tc, a_frame_says_what_to_do_with_what);
	tcase_add_test(tc, a_root_without_a_timeout_has_null_and_no_dependencies);
	suite_add_tcase(s, tc);
	return s;
}

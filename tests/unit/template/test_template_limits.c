/* Each named limit: what just fits, and what is one too much. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/template/template.h"
#include "tests/unit/unit.h"

#define GOOD "name: a\nnamespace_name: b\nversion: c\n"
#define STEP "steps:\n- name: d\n  handler: {callable: e}\n"

static void
check_accepted(const struct buf *text, struct template **out)
{
	struct err e = {0};

	ck_assert(buf_ok(text));
	ck_assert_msg(template_parse(text->data, text->len, out, NULL, &e), "%s", e.text);
}

static void
check_refused(const struct buf *text, const char *why)
{
	struct template *t = NULL;
	struct err e = {0};

	ck_assert(buf_ok(text));
	ck_assert(!template_parse(text->data, text->len, &t, NULL, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	ck_assert_ptr_null(t);
}

static void
repeat(struct buf *b, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_text(b, text);
}

START_TEST(bytes_are_limited)
{
	AUTO(buf) struct buf text = BUF(MIB(2));
	AUTO(template) struct template *t = NULL;

	buf_text(&text, GOOD STEP "#");
	repeat(&text, "x", TEMPLATE_BYTES_MAX - text.len);
	check_accepted(&text, &t);
	buf_text(&text, "x");
	check_refused(&text, "a template of 1048577 bytes; at most 1048576 are allowed");
}
END_TEST

START_TEST(nodes_are_limited)
{
	AUTO(buf) struct buf text = BUF(MIB(1));
	AUTO(template) struct template *t = NULL;
	size_t others = 1 + 3 * 2 + 9 + 4; /* the map, GOOD, STEP, metadata and l */

	buf_text(&text, GOOD STEP "metadata: {l: [");
	repeat(&text, "1,", TEMPLATE_NODES_MAX - others);
	buf_text(&text, "]}\n");
	check_accepted(&text, &t);
	text.len -= 3;
	buf_text(&text, "1]}\n");
	check_refused(&text, "more than 20000 keys and values");
}
END_TEST

START_TEST(depth_is_limited)
{
	for (size_t inner = TEMPLATE_DEPTH_MAX - 2; inner <= TEMPLATE_DEPTH_MAX - 1; inner++) {
		AUTO(buf) struct buf text = BUF(KIB(4));
		AUTO(template) struct template *t = NULL;

		buf_text(&text, GOOD STEP "metadata: {l: ");
		repeat(&text, "[", inner);
		repeat(&text, "]", inner);
		buf_text(&text, "}\n");
		if (inner == TEMPLATE_DEPTH_MAX - 2)
			check_accepted(&text, &t);
		else
			check_refused(&text, "line 7, column 45: nested deeper than 32");
	}
}
END_TEST

START_TEST(depth_counts_what_an_alias_stands_for)
{
	AUTO(buf) struct buf text = BUF(KIB(4));

	buf_text(&text, GOOD STEP "metadata: {a: &x ");
	repeat(&text, "[", 20);
	repeat(&text, "]", 20);
	buf_text(&text, ", b: ");
	repeat(&text, "[", 11);
	buf_text(&text, "*x");
	repeat(&text, "]", 11);
	buf_text(&text, "}\n");
	check_refused(&text, "nested deeper than 32");
}
END_TEST

START_TEST(anchors_are_limited)
{
	AUTO(buf) struct buf text = BUF(KIB(64));
	AUTO(template) struct template *t = NULL;

	buf_text(&text, GOOD STEP "metadata:\n");
	for (int i = 0; i < TEMPLATE_ANCHORS_MAX; i++)
		buf_format(&text, "  k%d: &a%d x\n", i, i);
	buf_text(&text, "  again: &a0 y\n  see: *a0\n"); /* a name used anew takes no more room */
	check_accepted(&text, &t);
	ck_assert_ptr_nonnull(strstr(t->metadata, "\"see\":\"y\""));
	buf_text(&text, "  last: &one_more x\n");
	check_refused(&text, "more than 256 anchors");
}
END_TEST

static void
many_steps(struct buf *text, int count)
{
	buf_text(text, GOOD "steps:\n");
	for (int i = 0; i < count; i++)
		buf_format(text, "- {name: s%d, handler: {callable: e}}\n", i);
}

START_TEST(steps_are_limited)
{
	AUTO(buf) struct buf text = BUF(MIB(1));
	AUTO(template) struct template *t = NULL;

	many_steps(&text, TEMPLATE_STEPS_MAX);
	check_accepted(&text, &t);
	ck_assert_uint_eq(t->step_count, TEMPLATE_STEPS_MAX);
	buf_clear(&text);
	many_steps(&text, TEMPLATE_STEPS_MAX + 1);
	check_refused(&text, "line 5, column 1: template has 1001 steps; at most 1000 are allowed");
}
END_TEST

/* 100 steps without and 100 with so many parents, the last one with one more. */
static void
many_edges(struct buf *text, int parents, int more)
{
	buf_text(text, GOOD "steps:\n");
	for (int i = 0; i < 101; i++)
		buf_format(text, "- {name: p%d, handler: {callable: e}}\n", i);
	for (int i = 0; i < 100; i++) {
		int last = parents + (i == 99 ? more : 0);

		buf_format(text, "- {name: c%d, handler: {callable: e}, dependencies: [", i);
		for (int p = 0; p < last; p++)
			buf_format(text, "p%d,", p);
		buf_text(text, "]}\n");
	}
}

START_TEST(edges_are_limited)
{
	AUTO(buf) struct buf text = BUF(MIB(1));
	AUTO(template) struct template *t = NULL;

	many_edges(&text, 100, 0);
	check_accepted(&text, &t);
	ck_assert_uint_eq(t->edge_count, TEMPLATE_EDGES_MAX);
	buf_clear(&text);
	many_edges(&text, 100, 1);
	check_refused(&text, "more than 10000 dependencies in all");
}
END_TEST

START_TEST(free_form_parts_are_limited)
{
	AUTO(buf) struct buf text = BUF(MIB(1));
	AUTO(template) struct template *t = NULL;

	buf_text(&text, GOOD STEP "metadata: {k: ");
	repeat(&text, "x", TEMPLATE_PART_MAX - strlen("{\"k\":\"\"}"));
	buf_text(&text, "}\n");
	check_accepted(&text, &t);
	ck_assert_uint_eq(strlen(t->metadata), TEMPLATE_PART_MAX);
	text.len -= 2;
	buf_text(&text, "x}\n");
	check_refused(
	        &text, "template metadata has 262145 bytes as JSON; at most 262144 are allowed");
}
END_TEST

START_TEST(text_is_limited_with_aliases_expanded)
{
	AUTO(buf) struct buf text = BUF(MIB(1));

	buf_text(&text, GOOD STEP "ignored:\n  a: &a ");
	repeat(&text, "x", 1000);
	buf_text(&text, "\n  b: [");
	repeat(&text, "*a,", TEMPLATE_TEXT_MAX / 1000);
	buf_text(&text, "]\n");
	check_refused(&text, "more than 2097152 bytes of text");
}
END_TEST

START_TEST(billion_laughs_are_refused_at_once)
{
	AUTO(buf) struct buf text = BUF(KIB(16));
	int64_t began = clock_mono_us();

	buf_text(&text, GOOD STEP "ignored:\n  l0: &l0 [ha]\n");
	for (int i = 1; i < 100; i++) {
		buf_format(&text, "  l%d: &l%d [", i, i);
		for (int k = 0; k < 10; k++)
			buf_format(&text, "*l%d,", i - 1);
		buf_text(&text, "]\n");
	}
	check_refused(&text, "more than 20000 keys and values");
	ck_assert_int_lt(clock_mono_us() - began, 1000000);
}
END_TEST

/* Shapes known to make a YAML reader slow: each is refused, or read, in bounded time. */
START_TEST(a_megabyte_of_one_sign_takes_bounded_time)
{
	static const char *const signs[] = {"[", "{", "- ", "? ", "&a ", "*a ", "!!", "\"", "'",
	        "a: ", "[a: ", "{? ", "|\n", "%", "#\n", "\n", " ", "a\n", "---\n", "...\n", "[,",
	        "\\", "\xFF", "- a\n", "&a [", "a, "};

	for (size_t i = 0; i < COUNT(signs); i++) {
		AUTO(buf) struct buf text = BUF(TEMPLATE_BYTES_MAX);
		struct template *t = NULL;
		struct err e = {0};
		int64_t began = clock_mono_us();

		repeat(&text, signs[i], TEMPLATE_BYTES_MAX / strlen(signs[i]));
		ck_assert(!template_parse(text.data, text.len, &t, NULL, &e));
		ck_assert_msg(clock_mono_us() - began < 3000000, "'%s' took %ld us", signs[i],
		        (long)(clock_mono_us() - began));
	}
}
END_TEST

Suite *
template_limits_suite(void)
{
	Suite *s = suite_create("template_limits");
	TCase *tc = tcase_create("limits");

	tcase_set_timeout(tc, 60); /* sanitizers */
	tcase_add_test(tc, bytes_are_limited);
	tcase_add_test(tc, nodes_are_limited);
	tcase_add_test(tc, depth_is_limited);
	tcase_add_test(tc, depth_counts_what_an_alias_stands_for);
	tcase_add_test(tc, anchors_are_limited);
	tcase_add_test(tc, steps_are_limited);
	tcase_add_test(tc, edges_are_limited);
	tcase_add_test(tc, free_form_parts_are_limited);
	tcase_add_test(tc, text_is_limited_with_aliases_expanded);
	tcase_add_test(tc, billion_laughs_are_refused_at_once);
	tcase_add_test(tc, a_megabyte_of_one_sign_takes_bounded_time);
	suite_add_tcase(s, tc);
	return s;
}

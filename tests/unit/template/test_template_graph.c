/* Dependencies: names, cycles, and the order steps come to stand in (finding 7, section 2.4). */
#include <string.h>

#include "shared/template/template.h"
#include "tests/unit/unit.h"

#define HEAD "name: a\nnamespace_name: b\nversion: c\nsteps:\n"
#define S(name, parents) "- {name: " name ", handler: {callable: e}, dependencies: [" parents "]}\n"

/* clang-format off */
static const struct {
	const char *text, *refusal;
} refused[] = {
	{HEAD S("b", "x") S("c", ""),
		"line 5, column 52: step 'b' depends on 'x', which is not a step of this "
		"template"},
	{HEAD S("fetch_all", "") S("store", "fetch_al"),
		"line 6, column 56: step 'store' depends on 'fetch_al', which is not a step "
		"of this template (did you mean 'fetch_all'?)"},
	{HEAD S("a", "a"), "line 5, column 52: step 'a' depends on itself"},
	{HEAD S("d", "") S("e", "d") S("d", ""),
		"line 7, column 10: step name 'd' is taken by the step on line 5"},
	{HEAD S("a", "b") S("b", "a"),
		"line 5, column 52: steps wait for each other in a circle: a → b → a"},
	{HEAD S("start", "") S("x", "y, start") S("a", "start, c") S("b", "a") S("c", "b") S("y", "x"),
		"line 6, column 52: steps wait for each other in a circle: x → y → x"},
	{HEAD S("tail", "a") S("a", "c") S("b", "a") S("c", "b"),
		"line 6, column 52: steps wait for each other in a circle: a → c → b → a"},
	{HEAD S("s1", "s6") S("s2", "s1") S("s3", "s2") S("s4", "s3") S("s5", "s4") S("s6", "s5"),
		"line 5, column 53: steps wait for each other in a circle: s1 → s6 → s5 → s4 "
		"→ (2 more) → s1"},
};
/* clang-format on */

START_TEST(a_graph_that_cannot_run_is_refused_and_named)
{
	struct template *t = NULL;
	struct err e = {0};

	ck_assert(!template_parse(refused[_i].text, strlen(refused[_i].text), &t, NULL, &e));
	ck_assert_str_eq(e.text, refused[_i].refusal);
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_ptr_null(t);
}
END_TEST

/* clang-format off */
static const struct {
	const char *text, *order;
} ordered[] = {
	{HEAD S("c", "") S("a", "") S("b", ""), "c a b"},
	{HEAD S("start", "") S("left", "start") S("right", "start") S("join", "left, right"),
		"start left right join"},
	{HEAD S("join", "right, left") S("right", "start") S("left", "start") S("start", ""),
		"start right left join"},
	{HEAD S("a", "") S("b", "d") S("c", "a") S("d", ""), "a c d b"},
};
/* clang-format on */

START_TEST(steps_stand_behind_their_parents_and_else_as_written)
{
	AUTO(template) struct template *t = NULL;
	AUTO(buf) struct buf order = BUF(KIB(1));
	struct err e = {0};

	ck_assert(template_parse(ordered[_i].text, strlen(ordered[_i].text), &t, NULL, &e));
	for (size_t i = 0; i < t->step_count; i++)
		buf_format(&order, "%s%s", i > 0 ? " " : "", t->steps[i].name);
	ck_assert_uint_eq(order.len, strlen(ordered[_i].order));
	ck_assert_mem_eq(order.data, ordered[_i].order, order.len);
}
END_TEST

START_TEST(edges_can_be_walked_from_both_ends)
{
	static const char text[] =
	        HEAD S("join", "right, left") S("right", "start") S("left", "start") S("start", "");
	AUTO(template) struct template *t = NULL;
	struct err e = {0};

	ck_assert(template_parse(text, sizeof(text) - 1, &t, NULL, &e));
	ck_assert_uint_eq(t->edge_count, 4);
	ck_assert_uint_eq(t->steps[0].child_count, 2); /* start */
	ck_assert_str_eq(t->steps[t->steps[0].children[0]].name, "right");
	ck_assert_str_eq(t->steps[t->steps[0].children[1]].name, "left");
	ck_assert_uint_eq(t->steps[3].parent_count, 2); /* join, in the order it names them */
	ck_assert_str_eq(t->steps[t->steps[3].parents[0]].name, "right");
	ck_assert_str_eq(t->steps[t->steps[3].parents[1]].name, "left");
	ck_assert_uint_eq(t->steps[3].child_count, 0);
}
END_TEST

Suite *
template_graph_suite(void)
{
	Suite *s = suite_create("template_graph");
	TCase *tc = tcase_create("graph");

	tcase_add_loop_test(
	        tc, a_graph_that_cannot_run_is_refused_and_named, 0, (int)COUNT(refused));
	tcase_add_loop_test(
	        tc, steps_stand_behind_their_parents_and_else_as_written, 0, (int)COUNT(ordered));
	tcase_add_test(tc, edges_can_be_walked_from_both_ends);
	suite_add_tcase(s, tc);
	return s;
}

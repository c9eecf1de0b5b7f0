#include "ctl/table.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct table_column columns[] = {
        {"NAME",  TABLE_TREE | TABLE_CUT},
        {"STATE", TABLE_STATE           },
        {"N",     TABLE_RIGHT           }
};

static void
fill(struct table *t, struct table_line *parent, const char *name, const char *state, int n)
{
	struct table_line *line = table_add(t, parent);

	table_text(t, line, name);
	table_text(t, line, state);
	table_format(t, line, "%d", n);
}

static char *
printed(struct table *t, size_t *lines)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct err e = {0};

	ck_assert_ptr_nonnull(out);
	ck_assert(table_print(t, out, lines, &e));
	(void)fclose(out);
	return text;
}

START_TEST(columns_line_up)
{
	AUTO(table) struct table *t = table_new(columns, COUNT(columns), (struct table_look){0});
	size_t lines = 0;
	char *text;

	fill(t, NULL, "first", "complete", 7);
	fill(t, NULL, "a", "error", 123);
	text = printed(t, &lines);
	ck_assert_str_eq(text, "NAME  STATE      N\n"
	                       "first complete   7\n"
	                       "a     error    123\n");
	ck_assert_uint_eq(lines, 3);
	free(text);
}
END_TEST

START_TEST(a_hostile_name_stays_in_its_cell)
{
	AUTO(table) struct table *t = table_new(columns, COUNT(columns), (struct table_look){0});
	char *text;

	fill(t, NULL, "\033[31mred\nroot: complete", "complete\033[0m", 1);
	text = printed(t, NULL);
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_nonnull(strstr(text, "x1b[31mred"));
	ck_assert_ptr_null(strstr(text, "\nroot:"));
	free(text);
}
END_TEST

START_TEST(children_hang_below_their_parent)
{
	AUTO(table) struct table *t = table_new(columns, COUNT(columns), (struct table_look){0});
	struct table_line *root = table_add(t, NULL);
	char *text;

	table_text(t, root, "task");
	table_text(t, root, "complete");
	table_text(t, root, NULL);
	fill(t, root, "left", "complete", 1);
	fill(t, root, "right", "error", 2);
	text = printed(t, NULL);
	ck_assert_ptr_nonnull(strstr(text, "|-left"));
	ck_assert_ptr_nonnull(strstr(text, "`-right"));
	free(text);
}
END_TEST

START_TEST(colours_are_only_where_they_are_wanted)
{
	struct table_look look = {.tty = true, .width = 80};
	char *text;

	for (int wanted = 0; wanted < 2; wanted++) {
		AUTO(table) struct table *t = NULL;

		look.colours = wanted == 1;
		t = table_new(columns, COUNT(columns), look);
		fill(t, NULL, "a", "error", 1);
		text = printed(t, NULL);
		ck_assert_int_eq(strstr(text, "\033[31m") != NULL, wanted);
		free(text);
	}
}
END_TEST

START_TEST(a_narrow_terminal_cuts_what_may_be_cut)
{
	struct table_look look = {.tty = true, .width = 30};
	AUTO(table) struct table *t = table_new(columns, COUNT(columns), look);
	char *text;
	size_t lines = 0;

	fill(t, NULL, "a name that is much longer than the terminal is wide", "complete", 1);
	text = printed(t, &lines);
	ck_assert_uint_eq(lines, 2);
	ck_assert_ptr_nonnull(strstr(text, "complete"));
	ck_assert_ptr_null(strstr(text, "wide"));
	free(text);
}
END_TEST

START_TEST(a_card_has_no_headings)
{
	AUTO(table) struct table *t = table_card((struct table_look){0});
	char *text;

	table_card_text(t, "Name", "x");
	table_card_text(t, "Status", NULL);
	text = printed(t, NULL);
	ck_assert_str_eq(text, "Name   x\nStatus -\n");
	free(text);
}
END_TEST

START_TEST(an_empty_table_prints_nothing)
{
	AUTO(table) struct table *t = table_new(columns, COUNT(columns), (struct table_look){0});
	size_t lines = 9;
	char *text = printed(t, &lines);

	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(lines, 0);
	free(text);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	bool done = false;

	for (unsigned nth = 1; !done && nth < 100; nth++) {
		AUTO(table) struct table *t = NULL;
		struct err e = {0};
		FILE *out = fopen("/dev/null", "we");

		ck_assert_ptr_nonnull(out);
		fault_allocation(nth);
		t = table_new(columns, COUNT(columns), (struct table_look){0});
		fill(t, NULL, "a", "b", 1);
		done = table_print(t, out, NULL, &e);
		fault_allocation(0);
		(void)fclose(out);
		if (!done)
			ck_assert_int_eq(e.code, ERR_NOMEM);
		else
			ck_assert_uint_gt(nth, 4);
	}
	ck_assert(done);
}
END_TEST

Suite *
table_suite(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("drawing");

	tcase_add_test(tc, columns_line_up);
	tcase_add_test(tc, a_hostile_name_stays_in_its_cell);
	tcase_add_test(tc, children_hang_below_their_parent);
	tcase_add_test(tc, colours_are_only_where_they_are_wanted);
	tcase_add_test(tc, a_narrow_terminal_cuts_what_may_be_cut);
	tcase_add_test(tc, a_card_has_no_headings);
	tcase_add_test(tc, an_empty_table_prints_nothing);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

/* The table of commands by itself, and against docs/cli.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "shared/base/buf.h"
#include "tests/unit/unit.h"

START_TEST(every_command_belongs_to_the_group_above_it_and_is_found)
{
	const char *group = NULL;

	for (size_t i = 0; i < COMMAND_ROWS; i++) {
		const struct command_row *row = &command_rows[i];

		ck_assert_str_ne(row->what, "");
		if (row->kind == COMMAND_GROUP) {
			group = row->name;
			ck_assert_ptr_eq(command_group(row->name), row);
			ck_assert_int_eq(row[1].kind, COMMAND_COMMAND);
		} else if (row->kind == COMMAND_COMMAND) {
			ck_assert_str_eq(row->group, group);
			ck_assert_ptr_eq(command_find(group, row->name), row);
			ck_assert(row->run != NULL);
		}
	}
}
END_TEST

/* Within a command; the options of all commands give way to its own. */
START_TEST(no_command_has_an_option_or_letter_twice)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++) {
		const struct command_row *a, *b, *row = &command_rows[i];

		if (row->kind != COMMAND_COMMAND && i > 0)
			continue;
		if (row->kind != COMMAND_COMMAND)
			row = NULL; /* those of all commands */
		for (size_t n = 0; (a = command_option(row, n)) != NULL; n++)
			for (size_t m = n + 1; (b = command_option(row, m)) != NULL; m++) {
				ck_assert_str_ne(a->name, b->name);
				ck_assert(a->letter == 0 || a->letter != b->letter);
			}
	}
}
END_TEST

START_TEST(options_of_a_command_come_before_those_of_all)
{
	const struct command_row *create = command_find("task", "create");

	ck_assert_str_eq(command_option_named(create, "version")->argument, "VERSION");
	ck_assert_ptr_null(command_option_named(NULL, "version")->argument);
	ck_assert_ptr_eq(
	        command_option_named(create, "timeout"), command_option_named(NULL, "timeout"));
	ck_assert_ptr_null(command_option_named(create, "namespaces"));
	ck_assert_ptr_null(command_option_named(NULL, "namespace"));
}
END_TEST

static const struct {
	const char *group, *name;
	size_t min, max;
} operands[] = {
        {"task",     "step",     2, 2},
        {"task",     "list",     0, 0},
        {"template", "validate", 1, 1},
        {"worker",   "status",   0, 1},
        {"config",   "check",    0, 1},
};

START_TEST(operands_in_brackets_may_be_left_out)
{
	const struct command_row *row = command_find(operands[_i].group, operands[_i].name);

	ck_assert_uint_eq(command_operands_min(row), operands[_i].min);
	ck_assert_uint_eq(command_operands_max(row), operands[_i].max);
}
END_TEST

static const struct {
	const char *group, *word, *meant;
} slips[] = {
        {NULL,     "tsk",           "task"          },
        {NULL,     "templates",     "template"      },
        {NULL,     "nonsense",      NULL            },
        {"auth",   "generate-key",  "generate-keys" },
        {"auth",   "genrate-token", "generate-token"},
        {"task",   "lits",          "list"          },
        {"task",   "generate-keys", NULL            },
        {"worker", "",              NULL            },
};

START_TEST(a_slip_finds_what_was_meant)
{
	const char *meant = command_suggest(slips[_i].group, slips[_i].word);

	if (slips[_i].meant == NULL)
		ck_assert_ptr_null(meant);
	else
		ck_assert_str_eq(meant, slips[_i].meant);
}
END_TEST

static char *
document(void)
{
	FILE *f = fopen("docs/cli.md", "re");
	char *text = calloc(1, 65536);

	ck_assert_msg(f != NULL, "docs/cli.md; tests run from the project's folder");
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(fread(text, 1, 65535, f), 0);
	(void)fclose(f);
	return text;
}

START_TEST(the_document_has_a_row_for_every_command_with_its_options)
{
	char *text = document();

	for (size_t i = 0; i < COMMAND_ROWS; i++) {
		const struct command_row *option, *row = &command_rows[i];
		char start[128], name[64];
		const char *found, *end;

		if (row->kind != COMMAND_COMMAND)
			continue;
		(void)snprintf(start, sizeof(start), "\n| `%s %s%s%s` |", row->group, row->name,
		        row->operands[0] != '\0' ? " " : "", row->operands);
		found = strstr(text, start);
		ck_assert_msg(found != NULL, "docs/cli.md has no row %s", start + 1);
		end = strchr(found + 1, '\n');
		for (size_t n = 0; (option = command_option(row, n)) != NULL; n++) {
			const char *at;

			(void)snprintf(name, sizeof(name), "`--%s", option->name);
			at = strstr(found, name);
			ck_assert_msg(at != NULL && at < end, "docs/cli.md: %s lacks %s", start + 1,
			        name);
		}
	}
	free(text);
}
END_TEST

START_TEST(the_document_has_no_row_and_no_option_beyond_the_table)
{
	char *text = document(), *rest = text, *line;
	size_t rows = 0;

	while ((line = strsep(&rest, "\n")) != NULL) {
		char group[32], name[32];
		const struct command_row *row;

		if (sscanf(line, "| `%31[a-z] %31[a-z-]", group, name) != 2)
			continue;
		row = command_find(group, name);
		ck_assert_msg(row != NULL, "docs/cli.md: no command %s %s", group, name);
		rows++;
		for (const char *at = line; (at = strstr(at, "`--")) != NULL; at++) {
			char option[32];

			ck_assert_int_eq(sscanf(at, "`--%31[a-z-]", option), 1);
			ck_assert_msg(command_option_named(row, option) != NULL,
			        "docs/cli.md: %s %s has no --%s", group, name, option);
		}
	}
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		rows -= command_rows[i].kind == COMMAND_COMMAND;
	ck_assert_uint_eq(rows, 0);
	free(text);
}
END_TEST

Suite *
command_suite(void)
{
	Suite *s = suite_create("command");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, every_command_belongs_to_the_group_above_it_and_is_found);
	tcase_add_test(tc, no_command_has_an_option_or_letter_twice);
	tcase_add_test(tc, options_of_a_command_come_before_those_of_all);
	tcase_add_loop_test(tc, operands_in_brackets_may_be_left_out, 0, COUNT(operands));
	tcase_add_loop_test(tc, a_slip_finds_what_was_meant, 0, COUNT(slips));
	tcase_add_test(tc, the_document_has_a_row_for_every_command_with_its_options);
	tcase_add_test(tc, the_document_has_no_row_and_no_option_beyond_the_table);
	suite_add_tcase(s, tc);
	return s;
}

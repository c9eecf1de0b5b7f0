/* The command line. */
#include <stdio.h>
#include <string.h>

#include "shared/config/exit_codes.h"
#include "shared/config/options.h"
#include "tests/unit/unit.h"

static const struct options_program plain = {
        .name = "tasker-x", .version = "1.2.3", .summary = "does x"};
static const struct options_program with_operands = {
        .name = "tasker-x", .version = "1.2.3", .summary = "does x", .operands = "[db check]"};

enum { ARGS_MAX = CONFIG_SETS_MAX + 4 };

/* Splits line at its blanks and parses it behind a program's name. argv must outlive out. */
static enum options_outcome
parse(const struct options_program *program, char *line, char *argv[ARGS_MAX], struct options *out)
{
	static char name[] = "tasker-x";
	int argc = 1;

	argv[0] = name;
	for (char *word = line; *word != '\0' && argc < ARGS_MAX - 1;) {
		size_t len = strcspn(word, " ");

		argv[argc++] = word;
		word += len;
		if (*word != '\0')
			*word++ = '\0';
	}
	argv[argc] = NULL;
	return options_parse(program, argc, argv, out);
}

static const struct {
	const char *line;
	enum options_outcome outcome;
	const char *text; /* part of what is printed, or NULL: nothing */
} lines[] = {
        {"",                         OPTIONS_RUN,   NULL                                         },
        {"--config f",               OPTIONS_RUN,   NULL                                         },
        {"--config=f --port-file p", OPTIONS_RUN,   NULL                                         },
        {"--check-config",           OPTIONS_CHECK, NULL                                         },
        {"--check-config --set a=1", OPTIONS_CHECK, NULL                                         },
        {"--set a=1 --set b=",       OPTIONS_RUN,   NULL                                         },
        {"--version",                OPTIONS_SHOWN, "tasker-x 1.2.3\n"                           },
        {"--help",                   OPTIONS_SHOWN, "Usage: tasker-x [OPTION]...\n"              },
        {"--help --nonsense",        OPTIONS_SHOWN, "--port-file FILE"                           },
        {"--set a",                  OPTIONS_USAGE, "--set takes KEY=VALUE, not a\n"             },
        {"--set =1",                 OPTIONS_USAGE, "--set takes KEY=VALUE"                      },
        {"--set",                    OPTIONS_USAGE, "an argument is missing: --set\n"            },
        {"--config",                 OPTIONS_USAGE, "an argument is missing: --config\n"         },
        {"--nonsense",               OPTIONS_USAGE, "no such option: --nonsense\n"               },
        {"-c f",                     OPTIONS_USAGE, "no such option"                             },
        {"--check-config=1",         OPTIONS_USAGE, "no such option: --check-config=1"           },
        {"operand",                  OPTIONS_USAGE, "unexpected: operand\nTry tasker-x --help.\n"},
        {"--config f operand",       OPTIONS_USAGE, "unexpected: operand"                        },
        {"--\x1b[31m",               OPTIONS_USAGE, "no such option: --?[31m\n"                  },
};

START_TEST(a_line_has_its_outcome_and_text)
{
	char line[128], *argv[ARGS_MAX];
	struct options out;

	(void)snprintf(line, sizeof(line), "%s", lines[_i].line);
	ck_assert_int_eq(parse(&plain, line, argv, &out), lines[_i].outcome);
	if (lines[_i].text == NULL)
		ck_assert_str_eq(out.text, "");
	else
		ck_assert_msg(strstr(out.text, lines[_i].text) != NULL, "%s", out.text);
}
END_TEST

START_TEST(values_come_back_in_order)
{
	char line[] = "--set a=1 --config f --set b=2=3 --port-file p --config g";
	char *argv[ARGS_MAX];
	struct options out;

	ck_assert_int_eq(parse(&plain, line, argv, &out), OPTIONS_RUN);
	ck_assert_str_eq(out.config, "g");
	ck_assert_str_eq(out.port_file, "p");
	ck_assert_uint_eq(out.set_count, 2);
	ck_assert_str_eq(out.sets[0], "a=1");
	ck_assert_str_eq(out.sets[1], "b=2=3");
	ck_assert_uint_eq(out.operand_count, 0);
}
END_TEST

START_TEST(operands_may_stand_among_the_options)
{
	char line[] = "db --config f check";
	char *argv[ARGS_MAX];
	struct options out;

	ck_assert_int_eq(parse(&with_operands, line, argv, &out), OPTIONS_RUN);
	ck_assert_str_eq(out.config, "f");
	ck_assert_uint_eq(out.operand_count, 2);
	ck_assert_str_eq(out.operands[0], "db");
	ck_assert_str_eq(out.operands[1], "check");
}
END_TEST

START_TEST(sets_beyond_the_limit_are_refused)
{
	static char set[] = "--set=a=1", name[] = "tasker-x";
	char *argv[CONFIG_SETS_MAX + 3] = {name};
	struct options out;

	for (int i = 1; i <= CONFIG_SETS_MAX + 1; i++)
		argv[i] = set;
	ck_assert_int_eq(options_parse(&plain, CONFIG_SETS_MAX + 1, argv, &out), OPTIONS_RUN);
	ck_assert_uint_eq(out.set_count, CONFIG_SETS_MAX);
	ck_assert_int_eq(options_parse(&plain, CONFIG_SETS_MAX + 2, argv, &out), OPTIONS_USAGE);
}
END_TEST

START_TEST(help_fits_its_buffer_and_names_every_option)
{
	static const char *const names[] = {
#define OPTION(name, letter, argument, what) "--" name,
#include "shared/config/options.def"
#undef OPTION
	};
	char line[] = "--help", *argv[ARGS_MAX];
	struct options out;

	ck_assert_int_eq(parse(&with_operands, line, argv, &out), OPTIONS_SHOWN);
	ck_assert_uint_lt(strlen(out.text), sizeof(out.text) - 1);
	ck_assert_ptr_nonnull(strstr(out.text, "Usage: tasker-x [OPTION]... [db check]\n"));
	for (size_t i = 0; i < COUNT(names); i++)
		ck_assert_msg(strstr(out.text, names[i]) != NULL, "%s", names[i]);
}
END_TEST

/* Service units and scripts rely on the numbers (design §15). */
START_TEST(exit_codes_are_those_of_sysexits)
{
	ck_assert_int_eq(EXIT_CODE_OK, 0);
	ck_assert_int_eq(EXIT_CODE_USAGE, 64);
	ck_assert_int_eq(EXIT_CODE_UNAVAILABLE, 69);
	ck_assert_int_eq(EXIT_CODE_INTERNAL, 70);
	ck_assert_int_eq(EXIT_CODE_TEMPORARY, 75);
	ck_assert_int_eq(EXIT_CODE_PERMISSION, 77);
	ck_assert_int_eq(EXIT_CODE_CONFIG, 78);
}
END_TEST

Suite *
options_suite(void)
{
	Suite *s = suite_create("options");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, a_line_has_its_outcome_and_text, 0, COUNT(lines));
	tcase_add_test(tc, values_come_back_in_order);
	tcase_add_test(tc, operands_may_stand_among_the_options);
	tcase_add_test(tc, sets_beyond_the_limit_are_refused);
	tcase_add_test(tc, help_fits_its_buffer_and_names_every_option);
	tcase_add_test(tc, exit_codes_are_those_of_sysexits);
	suite_add_tcase(s, tc);
	return s;
}

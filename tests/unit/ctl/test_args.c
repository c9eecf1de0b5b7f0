#include "ctl/args.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { WORDS = 12 };

static enum args_outcome
parse(const char *const words[WORDS], struct args *out, struct buf *text)
{
	/* getopt moves words about, so that each case needs pointers of its own. */
	static char *argv[WORDS + 2];
	int argc = 1;

	argv[0] = (char *)(uintptr_t) "tasker-ctl";
	while (argc <= WORDS && words[argc - 1] != NULL) {
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
		argc++;
	}
	argv[argc] = NULL;
	return args_parse(argc, argv, out, text);
}

/* What each command line is understood as. */
static const struct {
	const char *words[WORDS];
	const char *command, *option, *value; /* the option's value or default */
	const char *operand;
} good[] = {
        {{"task", "list"},                                    "list",           "limit",          "20",    NULL },
        {{"task", "list", "-l", "5"},                         "list",           "limit",          "5",     NULL },
        {{"task", "list", "--limit=5"},                       "list",           "limit",          "5",     NULL },
        {{"--output", "json", "task", "list"},                "list",           "output",         "json",  NULL },
        {{"task", "--output", "json", "list"},                "list",           "output",         "json",  NULL },
        {{"task", "list", "--output", "json"},                "list",           "output",         "json",  NULL },
        {{"task", "list", "--format", "json"},                "list",           "format",         "json",  NULL },
        {{"task", "list"},                                    "list",           "output",         "table", NULL },
        {{"task", "create", "--name", "x", "-v", "2.0.0"},    "create",         "version",        "2.0.0", NULL },
        {{"task", "create", "--name", "x", "--version", "2"}, "create",         "version",        "2",     NULL },
        {{"-v", "task", "create", "--name", "x"},             "create",         "version",        "1.0.0", NULL },
        {{"task", "create", "--name", "x", "-c", "id"},       "create",         "correlation-id", "id",    NULL },
        {{"-c", "f", "task", "create", "--name", "x"},        "create",         "config",         "f",     NULL },
        {{"task", "get", "id", "--timeout", "3"},             "get",            "timeout",        "3",     "id" },
        {{"task", "get", "--timeout", "3", "--", "-id"},      "get",            "timeout",        "3",     "-id"},
        {{"auth", "generate-keys", "-o", "d"},                "generate-keys",  "output-dir",     "d",     NULL },
        {{"auth", "validate-token", "-t", "-"},               "validate-token", "token",          "-",     NULL },
        {{"worker", "status"},                                "status",         "worker-url",     NULL,    NULL },
        {{"task", "list", "-l", "1", "-l", "2"},              "list",           "limit",          "2",     NULL },
};

START_TEST(options_stand_before_between_and_behind)
{
	struct buf text = BUF(ARGS_TEXT_MAX);
	struct args args;

	ck_assert_int_eq(parse(good[_i].words, &args, &text), ARGS_RUN);
	ck_assert_uint_eq(text.len, 0);
	ck_assert_str_eq(args.command->name, good[_i].command);
	ck_assert_pstr_eq(args_text(&args, good[_i].option), good[_i].value);
	ck_assert_pstr_eq(args_operand(&args, 0), good[_i].operand);
	buf_free(&text);
}
END_TEST

static const struct {
	const char *words[WORDS];
	const char *says; /* part of the message */
} bad[] = {
        {{NULL},                                 "Usage: tasker-ctl"              },
        {{"tsk"},                                "Did you mean task?"             },
        {{"nonsense"},                           "no group nonsense"              },
        {{"task"},                               "Commands:"                      },
        {{"task", "lits"},                       "Did you mean task list?"        },
        {{"task", "get"},                        "something is missing: TASK"     },
        {{"task", "get", "a", "b"},              "unexpected: b"                  },
        {{"task", "create"},                     "must be given: --name"          },
        {{"task", "list", "--nonsense"},         "--nonsense"                     },
        {{"task", "list", "-l"},                 "an argument is missing after -l"},
        {{"task", "list", "--limit"},            "missing after --limit"          },
        {{"task", "list", "--wait"},             "no such option"                 },
        {{"--nonsense", "task"},                 "no such option"                 },
        {{"auth", "validate-token"},             "must be given: --token"         },
        {{"task", "\033[31mred"},                "\\x1b[31mred"                   },
        {{"auth", "generate-token", "--p", "x"}, "not clear which"                },
};

START_TEST(a_slip_is_named_with_help)
{
	struct buf text = BUF(ARGS_TEXT_MAX);
	struct args args;
	char *said;

	ck_assert_int_eq(parse(bad[_i].words, &args, &text), ARGS_USAGE);
	said = buf_take_text(&text);
	ck_assert_ptr_nonnull(said);
	ck_assert_msg(strstr(said, bad[_i].says) != NULL, "no '%s' in: %s", bad[_i].says, said);
	ck_assert_ptr_null(strchr(said, '\033'));
	free(said);
}
END_TEST

static const struct {
	const char *words[WORDS];
	const char *says;
} shown[] = {
        {{"--help"},                       "Exit codes:"                    },
        {{"-h"},                           "Groups:"                        },
        {{"task", "--help"},               "task list"                      },
        {{"task", "create", "--help"},     "--correlation-id UUID"          },
        {{"task", "create", "-h", "more"}, "(required)"                     },
        {{"--help", "task", "create"},     "Exit codes:"                    },
        {{"--version"},                    "tasker-ctl " TASKER_VERSION "\n"},
        {{"auth", "--version"},            "tasker-ctl " TASKER_VERSION "\n"},
        {{"auth", "generate-token", "-h"}, "[tasker-core]"                  },
};

START_TEST(help_is_at_every_level)
{
	struct buf text = BUF(ARGS_TEXT_MAX);
	struct args args;
	char *said;

	ck_assert_int_eq(parse(shown[_i].words, &args, &text), ARGS_SHOWN);
	ck_assert(buf_ok(&text));
	said = buf_take_text(&text);
	if (strcmp(shown[_i].says, "task list") == 0) /* a group's help has its commands */
		ck_assert_ptr_nonnull(strstr(said, "watch TASK"));
	else
		ck_assert_msg(strstr(said, shown[_i].says) != NULL, "%s", said);
	free(said);
}
END_TEST

/* Whatever the table grows to. */
START_TEST(help_of_every_command_fits_and_names_every_option)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++) {
		const struct command_row *option, *row = &command_rows[i];
		const char *const words[WORDS] = {row->group, row->name, "--help"};
		struct buf text = BUF(ARGS_TEXT_MAX);
		struct args args;
		char *said;

		if (row->kind != COMMAND_COMMAND)
			continue;
		ck_assert_int_eq(parse(words, &args, &text), ARGS_SHOWN);
		said = buf_take_text(&text);
		ck_assert_ptr_nonnull(said);
		for (size_t n = 0; (option = command_option(row, n)) != NULL; n++)
			ck_assert_ptr_nonnull(strstr(said, option->name));
		free(said);
	}
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	int64_t value;
} numbers[] = {
        {"1",                    true,  1  },
        {"100",                  true,  100},
        {"0",                    false, 0  },
        {"101",                  false, 0  },
        {"",                     false, 0  },
        {" 5",                   false, 0  },
        {"+5",                   false, 0  },
        {"5x",                   false, 0  },
        {"99999999999999999999", false, 0  },
};

START_TEST(numbers_are_whole_and_within_limits)
{
	const char *const words[WORDS] = {"task", "list", "--limit", numbers[_i].text};
	struct buf text = BUF(ARGS_TEXT_MAX);
	struct err e = {0};
	struct args args;
	int64_t n = -7;

	ck_assert_int_eq(parse(words, &args, &text), ARGS_RUN);
	ck_assert_int_eq(args_int(&args, "limit", 1, 100, &n, &e), numbers[_i].ok);
	ck_assert_int_eq(n, numbers[_i].ok ? numbers[_i].value : -7);
	if (!numbers[_i].ok)
		ck_assert_ptr_nonnull(strstr(e.text, "--limit takes a whole number from 1 to 100"));
	buf_free(&text);
}
END_TEST

Suite *
args_suite(void)
{
	Suite *s = suite_create("args");
	TCase *tc = tcase_create("words");

	tcase_add_loop_test(tc, options_stand_before_between_and_behind, 0, COUNT(good));
	tcase_add_loop_test(tc, a_slip_is_named_with_help, 0, COUNT(bad));
	tcase_add_loop_test(tc, help_is_at_every_level, 0, COUNT(shown));
	tcase_add_test(tc, help_of_every_command_fits_and_names_every_option);
	tcase_add_loop_test(tc, numbers_are_whole_and_within_limits, 0, COUNT(numbers));
	suite_add_tcase(s, tc);
	return s;
}

#include "ctl/args.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/help.h"

enum { OPTIONS_MAX = COMMAND_ROWS, LETTERS_MAX = 2 + 2 * OPTIONS_MAX };

/* What getopt_long wants to know. An option's number is its row's, so that each is found again. */
struct scan {
	struct option longs[OPTIONS_MAX + 1];
	size_t count;
	char letters[LETTERS_MAX + 1];
	const struct command_row *command; /* NULL before it is known */
};

enum { ROW_BASE = 256 }; /* above every letter */

static bool
known(const struct scan *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->longs[i].name, name) == 0)
			return true;
	return false;
}

static void
add_option(struct scan *s, const struct command_row *row)
{
	size_t n = strlen(s->letters);

	if (known(s, row->name))
		return;
	s->longs[s->count++] = (struct option){.name = row->name,
	        .has_arg = row->argument != NULL ? required_argument : no_argument,
	        .val = ROW_BASE + (int)(row - command_rows)};
	if (row->letter == 0 || strchr(s->letters, row->letter) != NULL)
		return;
	s->letters[n++] = (char)row->letter;
	if (row->argument != NULL)
		s->letters[n] = ':';
}

/* "+": stop at the first word, which is a group or a command. */
static void
scan_begin(struct scan *s, const struct command_row *command)
{
	const struct command_row *row;

	*s = (struct scan){.command = command};
	memcpy(s->letters, command == NULL ? "+:" : ":", command == NULL ? 2 : 1);
	for (size_t n = 0; command != NULL && (row = command_option(command, n)) != NULL; n++)
		add_option(s, row);
	for (size_t n = 0; (row = command_option(NULL, n)) != NULL; n++)
		add_option(s, row);
	optind = 0; /* glibc: start anew */
	opterr = 0;
}

static const struct command_row *
row_of_letter(const struct scan *s, int letter)
{
	const struct command_row *row;

	for (size_t n = 0; s->command != NULL && (row = command_option(s->command, n)) != NULL; n++)
		if (row->letter == letter)
			return row;
	for (size_t n = 0; (row = command_option(NULL, n)) != NULL; n++)
		if (row->letter == letter)
			return row;
	return NULL;
}

/* Reads the options of argv[1] and on; argv[0] is a word that has been understood. False: a slip,
 * told in text. */
static bool
scan_options(struct scan *s, int argc, char **argv, struct args *out, struct buf *text)
{
	int got;

	while ((got = getopt_long(argc, argv, s->letters, s->longs, NULL)) != -1) {
		const struct command_row *row;

		if (got == '?' || got == ':') {
			help_refuse(text, s->command,
			        got == '?' ? "no such option, or not clear which: "
			                   : "an argument is missing after ",
			        argv[optind - 1]);
			return false;
		}
		row = got >= ROW_BASE ? &command_rows[got - ROW_BASE] : row_of_letter(s, got);
		assert(row != NULL);
		if (out->given_count == ARGS_GIVEN_MAX) {
			help_refuse(text, s->command, "too many options: --", row->name);
			return false;
		}
		out->given[out->given_count].row = row;
		out->given[out->given_count++].value = optarg;
		out->values[row - command_rows] = row->argument != NULL ? optarg : "";
	}
	return true;
}

/* --help or --version wherever they stand; command and group as far as they are known. */
static bool
asks_for_help(const struct args *out, const char *group, struct buf *text)
{
	const struct command_row *help = command_option_named(NULL, "help");
	const struct command_row *version = command_option_named(NULL, "version");

	if (out->values[help - command_rows] != NULL) {
		help_show(text, group, out->command);
		return true;
	}
	if (out->values[version - command_rows] != NULL) {
		buf_text(text, "tasker-ctl " TASKER_VERSION "\n");
		return true;
	}
	return false;
}

static enum args_outcome
unknown_word(struct buf *text, const char *group, const char *word)
{
	const char *meant = command_suggest(group, word);

	help_refuse(text, NULL,
	        group == NULL ? "there is no group " : "there is no such command: ", word);
	if (meant != NULL)
		buf_format(text, "Did you mean %s%s%s?\n", group != NULL ? group : "",
		        group != NULL ? " " : "", meant);
	return ARGS_USAGE;
}

/* Counts of operands and options that must be there. */
static enum args_outcome
check_whole(const struct args *out, struct buf *text)
{
	const struct command_row *row;

	for (size_t n = 0; (row = command_option(out->command, n)) != NULL; n++) {
		if (row->fallback == command_required && out->values[row - command_rows] == NULL) {
			help_refuse(text, out->command, "this option must be given: --", row->name);
			return ARGS_USAGE;
		}
	}
	if (out->operand_count < command_operands_min(out->command)) {
		help_refuse(text, out->command, "something is missing: ", out->command->operands);
		return ARGS_USAGE;
	}
	if (out->operand_count > command_operands_max(out->command)) {
		help_refuse(text, out->command,
		        "unexpected: ", out->operands[command_operands_max(out->command)]);
		return ARGS_USAGE;
	}
	return ARGS_RUN;
}

/* The options in front of a word, then the word at *at. */
static enum args_outcome
next_word(int argc, char **argv, int *at, const char *group, struct args *out, struct buf *text)
{
	struct scan s;

	scan_begin(&s, NULL);
	if (!scan_options(&s, argc - *at, argv + *at, out, text))
		return ARGS_USAGE;
	*at += optind;
	if (asks_for_help(out, group, text))
		return ARGS_SHOWN;
	if (*at < argc)
		return ARGS_RUN;
	help_show(text, group, NULL);
	return ARGS_USAGE;
}

enum args_outcome
args_parse(int argc, char **argv, struct args *out, struct buf *text)
{
	struct scan s;
	const char *group;
	int at = 0;
	enum args_outcome outcome;

	*out = (struct args){0};
	outcome = next_word(argc, argv, &at, NULL, out, text);
	if (outcome != ARGS_RUN)
		return outcome;
	group = argv[at];
	if (command_group(group) == NULL)
		return unknown_word(text, NULL, group);
	outcome = next_word(argc, argv, &at, group, out, text);
	if (outcome != ARGS_RUN)
		return outcome;
	out->command = command_find(group, argv[at]);
	if (out->command == NULL)
		return unknown_word(text, group, argv[at]);
	scan_begin(&s, out->command);
	if (!scan_options(&s, argc - at, argv + at, out, text))
		return ARGS_USAGE;
	if (asks_for_help(out, group, text))
		return ARGS_SHOWN;
	out->operands = argv + at + optind;
	out->operand_count = (size_t)(argc - at - optind);
	return check_whole(out, text);
}

const char *
args_text(const struct args *args, const char *name)
{
	const struct command_row *row = command_option_named(args->command, name);
	const char *value;

	assert(row != NULL);
	value = args->values[row - command_rows];
	return value != NULL ? value : row->fallback;
}

bool
args_given(const struct args *args, const char *name)
{
	const struct command_row *row = command_option_named(args->command, name);

	assert(row != NULL);
	return args->values[row - command_rows] != NULL;
}

bool
args_int(const struct args *args, const char *name, int64_t min, int64_t max, int64_t *out,
        struct err *e)
{
	const char *text = args_text(args, name);
	char *end = NULL;
	long long n;

	assert(text != NULL);
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == ' ' || text[0] == '+' ||
	        n < min || n > max)
		return err_set(e, ERR_FORMAT, "--%s takes a whole number from %lld to %lld", name,
		        (long long)min, (long long)max);
	*out = n;
	return true;
}

const char *
args_repeated(const struct args *args, const char *name, size_t n)
{
	const struct command_row *row = command_option_named(args->command, name);

	assert(row != NULL);
	for (size_t i = 0; i < args->given_count; i++)
		if (args->given[i].row == row && n-- == 0)
			return args->given[i].value;
	return NULL;
}

const char *
args_operand(const struct args *args, size_t n)
{
	return n < args->operand_count ? args->operands[n] : NULL;
}

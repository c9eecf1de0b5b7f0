/*
 * A command line, read by commands.def. Nothing is printed and nothing ends here: the outcome says
 * what to do, and text what to print.
 *
 * Options for all commands may stand before the group, between group and command, or behind the
 * command; behind it the command's own options win where a name or letter is the same.
 */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include <stdint.h>

#include "ctl/command.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

enum { ARGS_TEXT_MAX = 16384, ARGS_GIVEN_MAX = 64 };

enum args_outcome {
	ARGS_USAGE = 0, /* text to stderr, exit 2 */
	ARGS_RUN,
	ARGS_SHOWN, /* --help or --version: text to stdout, exit 0 */
};

/* Everything is borrowed from argv. */
struct args {
	const struct command_row *command;
	const char *values[COMMAND_ROWS]; /* of the row of the same number; NULL: not given */
	struct {
		const struct command_row *row;
		const char *value;
	} given[ARGS_GIVEN_MAX]; /* every option in order, for those that may be repeated */
	size_t given_count;
	char *const *operands;
	size_t operand_count;
};

/* argv may be put in another order. out is whole only for ARGS_RUN. Not for two threads at once
 * (getopt). */
MUST_CHECK enum args_outcome args_parse(int argc, char **argv, struct args *out, struct buf *text);

/* What an option was given, else its default, else NULL. The command must have it. */
BORROWED const char *args_text(const struct args *args, const char *name);
bool args_given(const struct args *args, const char *name);
/* ERR_FORMAT if it is no whole number from min to max; it must be given or have a default. */
MUST_CHECK bool args_int(const struct args *args, const char *name, int64_t min, int64_t max,
        int64_t *out, struct err *e);

/* What a repeatable option was given the nth time, or NULL. The command must have it. */
BORROWED const char *args_repeated(const struct args *args, const char *name, size_t n);

/* The nth operand, or NULL. */
BORROWED const char *args_operand(const struct args *args, size_t n);

#endif

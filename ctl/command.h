/*
 * The command line's vocabulary: commands.def as data. Parsing, help, "did you mean" and the check
 * of docs/cli.md all read these rows, which are constants and live for ever.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>

#include "ctl/exit_status.h"
#include "shared/base/attr.h"

struct ctl;
typedef enum exit_status (*command_fn)(struct ctl *ctl);

enum command_kind { COMMAND_OPTION, COMMAND_GROUP, COMMAND_COMMAND };

struct command_row {
	enum command_kind kind;
	int letter; /* of an OPTION: 0 for none */
	const char *name;
	const char *group;    /* of a COMMAND */
	const char *what;     /* one line for people */
	const char *operands; /* of a COMMAND: "TASK [STEP]" */
	command_fn run;       /* of a COMMAND */
	const char *argument; /* of an OPTION: NULL for a switch */
	const char *fallback; /* of an OPTION: NULL for none, or command_required */
};

/* The default of an option that must be given. */
extern const char command_required[];

enum {
#define OPTION(...) +1
#define GROUP(...) +1
#define COMMAND(...) +1
	COMMAND_ROWS = 0
#include "ctl/commands.def"
#undef OPTION
#undef GROUP
#undef COMMAND
};

/* All of commands.def, in order. */
extern const struct command_row command_rows[COMMAND_ROWS];

/* The row of that group; of that command in a group; NULL if there is none. */
BORROWED const struct command_row *command_group(const char *name);
BORROWED const struct command_row *command_find(const char *group, const char *name);

/* The nth option of a command, or with NULL the nth of those for all; NULL past the end. */
BORROWED const struct command_row *command_option(const struct command_row *command, size_t n);
/* The option of that name: the command's own first, then those for all; NULL if there is none. */
BORROWED const struct command_row *command_option_named(
        const struct command_row *command, const char *name);

/* The group (group NULL) or command that was probably meant, or NULL. */
BORROWED const char *command_suggest(const char *group, const char *name);

/* How many operands a command takes. */
size_t command_operands_min(const struct command_row *command);
size_t command_operands_max(const struct command_row *command);

/* What commands.def names: each runs one command and says how it ended. */
#define OPTION(...)
#define GROUP(...)
#define COMMAND(group, function, ...) enum exit_status function(struct ctl *ctl);
#include "ctl/commands.def"
#undef OPTION
#undef GROUP
#undef COMMAND

#endif

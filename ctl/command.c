#include "ctl/command.h"

#include <string.h>

#include "shared/base/suggest.h"

const char command_required[] = "";

#define REQUIRED command_required
const struct command_row command_rows[COMMAND_ROWS] = {
#define OPTION(n, l, a, f, w)                                                                      \
	{.kind = COMMAND_OPTION,                                                                   \
	        .name = (n),                                                                       \
	        .letter = (l),                                                                     \
	        .argument = (a),                                                                   \
	        .fallback = (f),                                                                   \
	        .what = (w)},
#define GROUP(n, w) {.kind = COMMAND_GROUP, .name = (n), .what = (w)},
#define COMMAND(g, r, n, o, w)                                                                     \
	{.kind = COMMAND_COMMAND,                                                                  \
	        .name = (n),                                                                       \
	        .group = (g),                                                                      \
	        .run = (r),                                                                        \
	        .operands = (o),                                                                   \
	        .what = (w)},
#include "ctl/commands.def"
#undef OPTION
#undef GROUP
#undef COMMAND
};

static bool
is_in(const struct command_row *row, enum command_kind kind, const char *group)
{
	return row->kind == kind && (group == NULL || strcmp(row->group, group) == 0);
}

static const struct command_row *
find(enum command_kind kind, const char *group, const char *name)
{
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		if (is_in(&command_rows[i], kind, group) && strcmp(command_rows[i].name, name) == 0)
			return &command_rows[i];
	return NULL;
}

const struct command_row *
command_group(const char *name)
{
	return find(COMMAND_GROUP, NULL, name);
}

const struct command_row *
command_find(const char *group, const char *name)
{
	return find(COMMAND_COMMAND, group, name);
}

const struct command_row *
command_option(const struct command_row *command, size_t n)
{
	const struct command_row *row = command == NULL ? command_rows : command + 1;

	for (; row < command_rows + COMMAND_ROWS && row->kind == COMMAND_OPTION; row++, n--)
		if (n == 0)
			return row;
	return NULL;
}

static const struct command_row *
option_of(const struct command_row *command, const char *name)
{
	const struct command_row *row;

	for (size_t n = 0; (row = command_option(command, n)) != NULL; n++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

const struct command_row *
command_option_named(const struct command_row *command, const char *name)
{
	const struct command_row *own = command != NULL ? option_of(command, name) : NULL;

	return own != NULL ? own : option_of(NULL, name);
}

const char *
command_suggest(const char *group, const char *name)
{
	enum command_kind kind = group == NULL ? COMMAND_GROUP : COMMAND_COMMAND;
	struct suggest s = suggest_for(name);

	for (size_t i = 0; i < COMMAND_ROWS; i++)
		if (is_in(&command_rows[i], kind, group))
			suggest_offer(&s, command_rows[i].name);
	return s.best;
}

/* Words of the operands column; those in brackets may be left out. */
static size_t
count_operands(const char *text, bool optional_too)
{
	size_t n = 0;

	for (size_t len; *text != '\0'; text += len) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (len > 0 && (optional_too || *text != '['))
			n++;
	}
	return n;
}

size_t
command_operands_min(const struct command_row *command)
{
	return count_operands(command->operands, false);
}

size_t
command_operands_max(const struct command_row *command)
{
	return count_operands(command->operands, true);
}

#include "ctl/help.h"

#include <stdio.h>
#include <string.h>

#include "ctl/show.h"

static const struct {
	enum exit_status status;
	const char *what;
} endings[] = {
        {EXIT_STATUS_OK,          "it worked"                                     },
        {EXIT_STATUS_NO,          "it failed, or the answer is no"                },
        {EXIT_STATUS_USAGE,       "the command line is wrong"                     },
        {EXIT_STATUS_MISSING,     "not found"                                     },
        {EXIT_STATUS_AUTH,        "not authenticated, or not allowed"             },
        {EXIT_STATUS_CONFLICT,    "it exists already"                             },
        {EXIT_STATUS_UNREACHABLE, "the daemon cannot be reached, or is in trouble"},
        {EXIT_STATUS_TIMEOUT,     "the wait is over, the task is not"             },
        {EXIT_STATUS_INTERRUPTED, "interrupted"                                   },
};

/* Two columns; a long left one gets a line of its own. */
static void
put_pair(struct buf *text, const char *left, const char *right)
{
	enum { LEFT = 28 };

	if (strlen(left) <= LEFT)
		buf_format(text, "  %-*s  %s\n", LEFT, left, right);
	else
		buf_format(text, "  %s\n  %-*s  %s\n", left, LEFT, "", right);
}

static void
put_option(struct buf *text, const struct command_row *row)
{
	char left[96], what[512];
	const char *fallback = row->fallback;

	(void)snprintf(left, sizeof(left), "%c%c%s--%s%s%s", row->letter != 0 ? '-' : ' ',
	        row->letter != 0 ? row->letter : ' ', row->letter != 0 ? ", " : "  ", row->name,
	        row->argument != NULL ? " " : "", row->argument != NULL ? row->argument : "");
	if (fallback == command_required)
		(void)snprintf(what, sizeof(what), "%s (required)", row->what);
	else if (fallback != NULL)
		(void)snprintf(what, sizeof(what), "%s [%s]", row->what, fallback);
	else
		(void)snprintf(what, sizeof(what), "%s", row->what);
	put_pair(text, left, what);
}

static void
put_options(struct buf *text, const char *title, const struct command_row *command)
{
	const struct command_row *row;

	for (size_t n = 0; (row = command_option(command, n)) != NULL; n++) {
		if (n == 0)
			buf_format(text, "\n%s:\n", title);
		put_option(text, row);
	}
}

static void
show_command(struct buf *text, const struct command_row *command)
{
	buf_format(text, "tasker-ctl %s %s - %s\n\nUsage: tasker-ctl %s %s [OPTION]...%s%s\n",
	        command->group, command->name, command->what, command->group, command->name,
	        command->operands[0] != '\0' ? " " : "", command->operands);
	put_options(text, "Options", command);
	put_options(text, "Options of all commands", NULL);
}

static void
show_group(struct buf *text, const struct command_row *group)
{
	buf_format(text,
	        "tasker-ctl %s - %s\n\nUsage: tasker-ctl %s COMMAND [OPTION]...\n\n"
	        "Commands:\n",
	        group->name, group->what, group->name);
	for (size_t i = 0; i < COMMAND_ROWS; i++) {
		const struct command_row *row = &command_rows[i];
		char left[96];

		if (row->kind != COMMAND_COMMAND || strcmp(row->group, group->name) != 0)
			continue;
		(void)snprintf(left, sizeof(left), "%s%s%s", row->name,
		        row->operands[0] != '\0' ? " " : "", row->operands);
		put_pair(text, left, row->what);
	}
	buf_format(text, "\nTry tasker-ctl %s COMMAND --help.\n", group->name);
}

static void
show_program(struct buf *text)
{
	buf_text(text, "tasker-ctl - keys, tokens, tasks and workers of Tasker\n\n"
	               "Usage: tasker-ctl [OPTION]... GROUP COMMAND [OPTION]...\n\nGroups:\n");
	for (size_t i = 0; i < COMMAND_ROWS; i++)
		if (command_rows[i].kind == COMMAND_GROUP)
			put_pair(text, command_rows[i].name, command_rows[i].what);
	put_options(text, "Options of all commands", NULL);
	buf_text(text, "\nCredentials come from the environment, the first that is set: "
	               "TASKER_ORCHESTRATION_AUTH_TOKEN\nor TASKER_WORKER_AUTH_TOKEN, "
	               "TASKER_AUTH_TOKEN, TASKER_API_KEY, TASKER_JWT_PRIVATE_KEY_PATH.\n"
	               "\nExit codes:\n");
	for (size_t i = 0; i < COUNT(endings); i++) {
		char left[16];

		(void)snprintf(left, sizeof(left), "%d", (int)endings[i].status);
		put_pair(text, left, endings[i].what);
	}
}

void
help_show(struct buf *text, const char *group, const struct command_row *command)
{
	const struct command_row *row = group != NULL ? command_group(group) : NULL;

	if (command != NULL)
		show_command(text, command);
	else if (row != NULL)
		show_group(text, row);
	else
		show_program(text);
}

void
help_refuse(
        struct buf *text, const struct command_row *command, const char *what, const char *which)
{
	buf_format(text, "tasker-ctl: %s", what);
	show_clean(text, which, strnlen(which, 200));
	buf_format(text, "\nTry tasker-ctl %s%s%s%s--help.\n",
	        command != NULL ? command->group : "", command != NULL ? " " : "",
	        command != NULL ? command->name : "", command != NULL ? " " : "");
}

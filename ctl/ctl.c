#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/show.h"

enum { MESSAGE_MAX = 2048, TIMEOUT_MAX_S = 7 * 24 * 3600 };

const char *
ctl_env(const struct ctl *ctl, const char *name)
{
	return endpoint_env(ctl->world->env, name);
}

static bool
colours(const struct ctl_world *world, bool tty)
{
	const char *term = endpoint_env(world->env, "TERM");

	return tty && endpoint_env(world->env, "NO_COLOR") == NULL && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

static void PRINTF(4, 0) say(const struct ctl_world *world, const char *colour, const char *word,
        const char *fmt, va_list ap)
{
	AUTO(buf) struct buf clean = BUF(8 * (size_t)MESSAGE_MAX);
	bool coloured = colours(world, world->err_tty);
	char text[MESSAGE_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	show_clean(&clean, text, strlen(text));
	(void)fflush(world->out); /* where both go to one place, what was said first comes first */
	(void)fprintf(world->err, "%s%s%s%.*s\n", coloured ? colour : "", word,
	        coloured ? "\033[0m" : "", (int)clean.len, clean.len > 0 ? clean.data : "");
}

enum exit_status
ctl_fail(struct ctl *ctl, enum exit_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctl->world, "\033[1;31m", "error: ", fmt, ap);
	va_end(ap);
	return status;
}

void
ctl_hint(struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctl->world, "\033[36m", "hint: ", fmt, ap);
	va_end(ap);
}

void
ctl_note(struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctl->world, "", "", fmt, ap);
	va_end(ap);
}

struct table_look
ctl_look(const struct ctl *ctl)
{
	return (struct table_look){
	        .tty = ctl->world->out_tty, .colours = colours(ctl->world, ctl->world->out_tty)};
}

enum exit_status
ctl_print(struct ctl *ctl, OWNED struct table *table)
{
	struct err e = {0};
	bool ok = table_print(table, ctl->world->out, NULL, &e);

	table_free(table);
	return ok ? EXIT_STATUS_OK : ctl_fail(ctl, EXIT_STATUS_NO, "%s", e.text);
}

/* The options that all commands have. */
static bool
understand(struct ctl *ctl, struct err *e)
{
	const char *format =
	        args_text(&ctl->args, args_given(&ctl->args, "format") ? "format" : "output");
	int64_t seconds = 0;

	ctl->verbose = args_given(&ctl->args, "verbose");
	ctl->json = strcmp(format, "json") == 0;
	if (!ctl->json && strcmp(format, "table") != 0)
		return err_set(e, ERR_FORMAT, "the output is table or json, not %.40s", format);
	if (args_given(&ctl->args, "timeout") &&
	        !args_int(&ctl->args, "timeout", 1, TIMEOUT_MAX_S, &seconds, e))
		return false;
	ctl->timeout_ms = (int)(seconds * 1000);
	if (args_given(&ctl->args, "config") && strcmp(ctl->args.command->group, "config") != 0)
		return err_set(e, ERR_FORMAT,
		        "--config names a daemon's configuration, which only the group config "
		        "reads; "
		        "addresses and credentials come from the environment");
	return true;
}

static enum exit_status
run(struct ctl *ctl)
{
	struct err e = {0};
	enum exit_status status;

	if (!understand(ctl, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	status = ctl->args.command->run(ctl);
	for (size_t i = 0; i < ENDPOINTS; i++)
		fetch_free(ctl->fetches[i]);
	return status;
}

enum exit_status
ctl_run(const struct ctl_world *world, int argc, char **argv)
{
	AUTO(buf) struct buf text = BUF(ARGS_TEXT_MAX);
	struct ctl ctl = {.world = world};
	enum args_outcome outcome = args_parse(argc, argv, &ctl.args, &text);
	enum exit_status status = outcome == ARGS_SHOWN ? EXIT_STATUS_OK : EXIT_STATUS_USAGE;

	if (outcome == ARGS_RUN)
		status = run(&ctl);
	else if (text.len > 0)
		(void)fwrite(
		        text.data, 1, text.len, outcome == ARGS_SHOWN ? world->out : world->err);
	/* A full disk or a reader that left must not look like success. */
	if (fflush(world->out) != 0 && status == EXIT_STATUS_OK)
		status = ctl_fail(&ctl, EXIT_STATUS_NO, "cannot write the answer");
	return status;
}

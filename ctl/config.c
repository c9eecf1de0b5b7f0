/* config check, show: a daemon's configuration, read as the daemon would read it. */
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/show.h"
#include "shared/config/config_show.h"

/* "worker" in the file's name means the worker's; else the orchestration's. */
static enum config_role
role_of(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;

	return name != NULL && strstr(name, "worker") != NULL ? CONFIG_WORKER
	                                                      : CONFIG_ORCHESTRATION;
}

static bool
read_role(const struct args *args, const char *path, enum config_role *out, struct err *e)
{
	const char *given = args_text(args, "role");

	*out = role_of(path);
	if (given == NULL)
		return true;
	if (strcmp(given, config_role_name(CONFIG_WORKER)) == 0)
		*out = CONFIG_WORKER;
	else if (strcmp(given, config_role_name(CONFIG_ORCHESTRATION)) == 0)
		*out = CONFIG_ORCHESTRATION;
	else
		return err_set(
		        e, ERR_FORMAT, "--role takes orchestration or worker, not %.40s", given);
	return true;
}

static void
tell(struct ctl *ctl, const struct config_lines *lines, const char *word)
{
	for (size_t i = 0; i < lines->count; i++)
		ctl_note(ctl, "%s%s", word, lines->text[i]);
	if (lines->more > 0)
		ctl_note(ctl, "%sand %zu more", word, lines->more);
}

static enum exit_status
load(struct ctl *ctl, OWNED struct config **out)
{
	const struct args *a = &ctl->args;
	const char *path = args_operand(a, 0) != NULL ? args_operand(a, 0) : args_text(a, "config");
	struct config_source source = {.path = path, .env = ctl->world->env};
	struct config_notes notes;
	struct err e = {0};
	bool ok;

	if (!read_role(a, path, &source.role, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	ok = config_load(&source, &notes, out, &e);
	tell(ctl, &notes.warnings, "warning: ");
	if (ok)
		return EXIT_STATUS_OK;
	if (notes.problems.count == 0)
		return ctl_fail(ctl, EXIT_STATUS_NO, "%s", e.text);
	tell(ctl, &notes.problems, "error: ");
	return EXIT_STATUS_NO;
}

enum exit_status
run_config_check(struct ctl *ctl)
{
	AUTO(config) struct config *config = NULL;
	enum exit_status status = load(ctl, &config);

	if (status == EXIT_STATUS_OK && config != NULL)
		(void)fprintf(ctl->world->out, "The %s's configuration is valid (%s)\n",
		        config_role_name(config->role),
		        config->path != NULL ? config->path : "no file; defaults only");
	return status;
}

static void
show_line(const char *key, const char *value, void *arg)
{
	AUTO(buf) struct buf line = BUF(MIB(1));
	struct ctl *ctl = arg;

	buf_format(&line, "%s = ", key);
	show_clean(&line, value, strlen(value));
	if (buf_ok(&line))
		(void)fprintf(ctl->world->out, "%.*s\n", (int)line.len, line.data);
}

enum exit_status
run_config_show(struct ctl *ctl)
{
	AUTO(config) struct config *config = NULL;
	enum exit_status status = load(ctl, &config);
	struct err e = {0};

	if (status != EXIT_STATUS_OK)
		return status;
	if (!config_show(config, show_line, ctl, &e))
		return ctl_fail(ctl, EXIT_STATUS_NO, "%s", e.text);
	return EXIT_STATUS_OK;
}

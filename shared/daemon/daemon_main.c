#include "shared/daemon/daemon_main.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/runtime/process.h"

static void
print_lines(const struct config_lines *lines, const char *kind)
{
	for (size_t i = 0; i < lines->count; i++)
		(void)fprintf(stderr, "%s: %s\n", kind, lines->text[i]);
	if (lines->more > 0)
		(void)fprintf(stderr, "%s: and %zu more\n", kind, lines->more);
}

/* NULL: the reasons are printed. */
static struct config *
load(const struct config_source *source)
{
	static struct config_notes notes; /* too large for a stack frame; main is entered once */
	struct config *config = NULL;
	struct err e = {0};
	bool loaded = config_load(source, &notes, &config, &e);

	print_lines(&notes.warnings, "warning");
	if (loaded)
		return config;
	if (notes.problems.count == 0)
		(void)fprintf(stderr, "error: %s\n", e.text);
	print_lines(&notes.problems, "error");
	return NULL;
}

static int
check(const struct daemon_program *p, const struct config *config)
{
	struct err e = {0};

	if (p->check(config, &e)) {
		(void)printf("%s: the configuration is good\n",
		        config->path != NULL ? config->path : "(no file)");
		return EXIT_CODE_OK;
	}
	(void)fprintf(stderr, "error: %s\n", e.text);
	return EXIT_CODE_CONFIG;
}

static enum log_format
format_of(const struct config *config)
{
	if (strcmp(config->log_format, "json") == 0)
		return LOG_JSON;
	return strcmp(config->log_format, "text") == 0 ? LOG_TEXT : LOG_AUTO;
}

static int
run(const struct daemon_program *p, const struct daemon_start *start)
{
	const struct config *config = start->config;
	enum log_level level = LEVEL_INFO;
	struct err e = {0};
	int code;

	(void)log_level_parse(config->log_level, &level);
	log_open(STDERR_FILENO, format_of(config), level,
	        p->role == CONFIG_WORKER ? "worker" : "orchestration");
	if (!log_start(&e)) {
		(void)fprintf(stderr, "error: %s\n", e.text);
		return EXIT_CODE_TEMPORARY;
	}
	LOG(INFO, "config.loaded", TEXT_F("file", config->path != NULL ? config->path : "(none)"));
	code = p->run(start);
	log_stop();
	return code;
}

int
daemon_main(const struct daemon_program *program, int argc, char **argv)
{
	AUTO(config) struct config *config = NULL;
	static struct options options; /* holds texts; main is entered once */
	struct config_source source;
	enum options_outcome asked;

	process_prepare();
	asked = options_parse(&program->options, argc, argv, &options);
	switch (asked) {
	case OPTIONS_USAGE:
	default:
		(void)fputs(options.text, stderr);
		return EXIT_CODE_USAGE;
	case OPTIONS_SHOWN:
		(void)fputs(options.text, stdout);
		return EXIT_CODE_OK;
	case OPTIONS_CHECK:
	case OPTIONS_RUN:
		break;
	}
	source = (struct config_source){.role = program->role,
	        .path = options.config,
	        .sets = options.sets,
	        .set_count = options.set_count,
	        .env = (const char *const *)environ};
	config = load(&source);
	if (config == NULL)
		return EXIT_CODE_CONFIG;
	if (asked == OPTIONS_CHECK)
		return check(program, config);
	if (options.operand_count > 0)
		return program->command(config, options.operands, options.operand_count);
	return run(program, &(struct daemon_start){config, &source, options.port_file});
}

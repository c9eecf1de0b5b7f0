/*
 * The command line both daemons share. options_parse() prints nothing and ends nothing: it says
 * what to do, and the text to print with it.
 */
#ifndef SHARED_CONFIG_OPTIONS_H
#define SHARED_CONFIG_OPTIONS_H

#include "shared/base/attr.h"
#include "shared/config/config.h"

enum { OPTIONS_TEXT = 2048 };

enum options_outcome {
	OPTIONS_USAGE = 0, /* text to stderr, exit 64 */
	OPTIONS_RUN,
	OPTIONS_CHECK, /* --check-config: load, report, exit 0 or 78 */
	OPTIONS_SHOWN, /* --help or --version: text to stdout, exit 0 */
};

/* Who is asking. */
struct options_program {
	const char *name;     /* "tasker-worker" */
	const char *version;  /* "0.1.0" */
	const char *summary;  /* one line for --help */
	const char *operands; /* "[db migrate|check|backup]", or NULL: none are taken */
};

/* All borrowed from argv, which is put in order: options first, operands behind them. */
struct options {
	const char *config;    /* --config, or NULL */
	const char *port_file; /* --port-file, or NULL */
	const char *sets[CONFIG_SETS_MAX];
	size_t set_count;
	char *const *operands;
	size_t operand_count;
	char text[OPTIONS_TEXT]; /* what to print, with its newline; else empty */
};

/* out is set whatever the outcome. Not for two threads at once (getopt). */
MUST_CHECK enum options_outcome options_parse(
        const struct options_program *program, int argc, char **argv, struct options *out);

#endif

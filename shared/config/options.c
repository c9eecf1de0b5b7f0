#include "shared/config/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct option_row {
	const char *name;
	int letter;
	const char *argument, *what;
} rows[] = {
#define OPTION(n, l, a, w) {(n), (l), (a), (w)},
#include "shared/config/options.def"
#undef OPTION
};

/* Appends to the text; what does not fit is cut. */
static void PRINTF(2, 3) say(struct options *out, const char *fmt, ...)
{
	size_t used = strlen(out->text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(out->text + used, sizeof(out->text) - used, fmt, ap);
	va_end(ap);
}

static void
say_help(const struct options_program *program, struct options *out)
{
	say(out, "%s - %s\n\nUsage: %s [OPTION]...%s%s\n\n", program->name, program->summary,
	        program->name, program->operands != NULL ? " " : "",
	        program->operands != NULL ? program->operands : "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char left[40];

		(void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name,
		        rows[i].argument != NULL ? " " : "",
		        rows[i].argument != NULL ? rows[i].argument : "");
		say(out, "  %-20s  %s\n", left, rows[i].what);
	}
	say(out, "\nEvery key can also be set by a variable: TASKER_WEB_THREADS=2.\n");
}

static enum options_outcome
refuse(const struct options_program *program, struct options *out, const char *what,
        const char *which)
{
	out->text[0] = '\0';
	say(out, "%s: %s%.200s\nTry %s --help.\n", program->name, what, which, program->name);
	for (char *c = out->text; *c != '\0'; c++)
		if (((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f)
			*c = '?';
	return OPTIONS_USAGE;
}

static bool
is_assignment(const char *text)
{
	const char *equals = strchr(text, '=');

	return equals != NULL && equals != text;
}

static void
fill(struct option longs[COUNT(rows) + 1])
{
	memset(longs, 0, (COUNT(rows) + 1) * sizeof(*longs));
	for (size_t i = 0; i < COUNT(rows); i++)
		longs[i] = (struct option){.name = rows[i].name,
		        .has_arg = rows[i].argument != NULL ? required_argument : no_argument,
		        .val = rows[i].letter};
}

/* One option; true to go on, false with the outcome. */
static bool
take(const struct options_program *program, int letter, const char *argument, struct options *out,
        enum options_outcome *outcome)
{
	switch (letter) {
	case 'c':
		out->config = argument;
		return true;
	case 'p':
		out->port_file = argument;
		return true;
	case 'C':
		*outcome = OPTIONS_CHECK;
		return true;
	case 's':
		if (!is_assignment(argument))
			*outcome = refuse(program, out, "--set takes KEY=VALUE, not ", argument);
		else if (out->set_count == CONFIG_SETS_MAX)
			*outcome = refuse(program, out, "too many --set", "");
		else
			out->sets[out->set_count++] = argument;
		return *outcome != OPTIONS_USAGE;
	case 'V':
		say(out, "%s %s\n", program->name, program->version);
		*outcome = OPTIONS_SHOWN;
		return false;
	default:
		say_help(program, out);
		*outcome = OPTIONS_SHOWN;
		return false;
	}
}

enum options_outcome
options_parse(const struct options_program *program, int argc, char **argv, struct options *out)
{
	struct option longs[COUNT(rows) + 1];
	enum options_outcome outcome = OPTIONS_RUN;
	int letter;

	*out = (struct options){0};
	fill(longs);
	optind = 0; /* glibc: start anew */
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (letter == ':')
			return refuse(program, out, "an argument is missing: ", argv[optind - 1]);
		if (letter == '?')
			return refuse(program, out, "no such option: ", argv[optind - 1]);
		if (!take(program, letter, optarg, out, &outcome))
			return outcome;
	}
	out->operands = argv + optind;
	out->operand_count = (size_t)(argc - optind);
	if (out->operand_count > 0 && program->operands == NULL)
		return refuse(program, out, "unexpected: ", argv[optind]);
	return outcome;
}

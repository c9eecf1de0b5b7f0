/*
 * What loading a configuration has to say: problems that refuse it and warnings that do not.
 *
 * Plain data of fixed size, so that reporting needs no memory; beyond CONFIG_NOTES lines only the
 * number is kept. A line is one line: control characters are replaced when it is added.
 */
#ifndef SHARED_CONFIG_CONFIG_NOTES_H
#define SHARED_CONFIG_CONFIG_NOTES_H

#include <stddef.h>

#include "shared/base/attr.h"

enum { CONFIG_NOTES = 20, CONFIG_NOTE_TEXT = 240 };

struct config_lines {
	char text[CONFIG_NOTES][CONFIG_NOTE_TEXT];
	size_t count; /* lines in text */
	size_t more;  /* lines that found no room */
};

struct config_notes {
	struct config_lines problems, warnings;
};

/* Adds one line, cut to CONFIG_NOTE_TEXT - 1 bytes. */
void config_lines_add(struct config_lines *lines, const char *fmt, ...) PRINTF(2, 3);

#endif

#include "shared/config/config_notes.h"

#include <stdarg.h>
#include <stdio.h>

void
config_lines_add(struct config_lines *lines, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (lines->count == CONFIG_NOTES) {
		lines->more++;
		return;
	}
	text = lines->text[lines->count++];
	va_start(ap, fmt);
	(void)vsnprintf(text, CONFIG_NOTE_TEXT, fmt, ap);
	va_end(ap);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

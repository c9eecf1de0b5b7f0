#include "shared/template/show.h"

#include <stdbool.h>
#include <string.h>

struct show
show_text(const char *text)
{
	struct show s = {{0}};
	size_t len = strnlen(text, SHOW_MAX + 1);
	bool cut = len > SHOW_MAX;

	if (cut)
		for (len = SHOW_MAX; len > 0 && (text[len] & 0xC0) == 0x80; len--)
			;
	memcpy(s.text, text, len);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s.text[i] < 0x20 || s.text[i] == 0x7F)
			s.text[i] = '?';
	if (cut)
		memcpy(s.text + len, "...", 4);
	return s;
}

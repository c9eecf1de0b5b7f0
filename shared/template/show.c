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
	for (size_t i = 0; i < len; i++)
		s.text[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : text[i];
	if (cut)
		memcpy(s.text + len, "...", 4);
	return s;
}

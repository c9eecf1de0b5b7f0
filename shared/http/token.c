#include "shared/http/token.h"

#include <strings.h>

/* RFC 9110 §5.6.2 tchar: the map shows each where it stands in ASCII. */
static bool
token_char(char c)
{
	static const char map[] = "                                "
	                          " ! #$%&'  *+ -. 0123456789      "
	                          " ABCDEFGHIJKLMNOPQRSTUVWXYZ   ^_"
	                          "`abcdefghijklmnopqrstuvwxyz | ~ ";
	const unsigned char at = (unsigned char)c;

	return at < sizeof(map) - 1 && c != ' ' && map[at] == c;
}

size_t
token_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && token_char(text[n]))
		n++;
	return n;
}

bool
token_same(struct span s, const char *name, size_t len)
{
	return s.len == len && strncasecmp(s.text, name, len) == 0;
}

struct span
token_trimmed(const char *text, size_t len)
{
	while (len > 0 && (text[0] == ' ' || text[0] == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return (struct span){text, len};
}

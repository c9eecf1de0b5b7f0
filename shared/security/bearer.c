#include "shared/security/bearer.h"

#include <string.h>
#include <strings.h>

static const char scheme[] = "Bearer ";

/* token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool
is_token68(const char *text, size_t len)
{
	size_t body = len;

	while (body > 0 && text[body - 1] == '=')
		body--;
	for (size_t i = 0; i < body; i++) {
		char c = text[i];
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';

		if (!alpha && !digit && (c == '\0' || strchr("-._~+/", c) == NULL))
			return false;
	}
	return body > 0;
}

bool
bearer_parse(const char *value, size_t len, BORROWED const char **token, size_t *token_len)
{
	size_t skip = strlen(scheme);

	if (len <= skip || strncasecmp(value, scheme, skip) != 0 ||
	        !is_token68(value + skip, len - skip))
		return false;
	*token = value + skip;
	*token_len = len - skip;
	return true;
}

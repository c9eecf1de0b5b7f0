#include "shared/security/bearer.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "Bearer ";

/* token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=", a bit per character. */
static const uint32_t token68[8] = {
        [1] = 0x03ffe800, /* + - . / 0-9 */
        [2] = 0x87fffffe, /* A-Z _ */
        [3] = 0x47fffffe, /* a-z ~ */
};

bool
bearer_is_token68(const char *text, size_t len)
{
	size_t body = len;
	uint32_t all = 1;

	while (body > 0 && text[body - 1] == '=')
		body--;
	for (size_t i = 0; i < body; i++) {
		unsigned char c = (unsigned char)text[i];

		all &= token68[c >> 5] >> (c & 31);
	}
	return body > 0 && all != 0;
}

bool
bearer_parse(const char *value, size_t len, BORROWED const char **token, size_t *token_len)
{
	size_t skip = strlen(scheme);

	if (len <= skip || strncasecmp(value, scheme, skip) != 0)
		return false;
	*token = value + skip;
	*token_len = len - skip;
	return true;
}

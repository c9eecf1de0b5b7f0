/* sees: http */
/* Z10: an accepted path has one reading: no dot segment, no empty one, nothing hidden in escapes.
 */
#include <string.h>

#include "shared/http/target.h"
#include "tests/fuzz/fuzz.h"

static int
hex(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c | 0x20);

	return at != NULL && c > ' ' ? (int)(at - digits) : -1;
}

/* The reference: decodes the escapes, then looks for what a second reader could trip over. */
static void
claim_plain(const char *path, size_t len)
{
	char decoded[4096];
	size_t n = 0, segment = 1;

	CLAIM(len >= 1 && len <= sizeof(decoded) - 2 && path[0] == '/');
	for (size_t i = 0; i < len; i++) {
		const bool escaped = path[i] == '%';
		int c = (unsigned char)path[i];

		CLAIM(c > ' ' && c < 0x7f && c != '#' && c != '\\' && c != '?');
		if (escaped) {
			CLAIM(i + 2 < len && hex(path[i + 1]) >= 0 && hex(path[i + 2]) >= 0);
			c = hex(path[i + 1]) * 16 + hex(path[i + 2]);
			i += 2;
			CLAIM(c >= 0x20 && c != 0x7f && c != '/' && c != '\\' && c != '.');
		}
		decoded[n++] = (char)c;
	}
	decoded[n] = '/';
	for (size_t i = 1; i <= n; i++) {
		if (decoded[i] != '/')
			continue;
		CLAIM(i > segment || i == n);
		CLAIM(!(i - segment == 1 && decoded[segment] == '.'));
		CLAIM(!(i - segment == 2 && decoded[segment] == '.' &&
		        decoded[segment + 1] == '.'));
		segment = i + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct target t = {0}, again = {0};

	if (size > 4000 || target_parse(text, size, &t) != NULL)
		return 0;
	claim_plain(t.path.text, t.path.len);
	CLAIM(t.path.text == text && t.path.len + t.query.len + (t.has_query ? 1 : 0) == size);
	CLAIM(t.has_query || t.query.len == 0);
	/* The path by itself is as good as with its query. */
	CLAIM(target_parse(t.path.text, t.path.len, &again) == NULL && !again.has_query);
	return 0;
}

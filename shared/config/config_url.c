#include "shared/config/config_url.h"

#include <string.h>

/*
 * Where the password stands: from the first colon after "scheme://" to the last @. A password that
 * was not percent-encoded may hold any of / ? # @, so the last @ of the whole text ends it.
 */
static const char *
find_password(const char *url, const char **end)
{
	const char *start = strstr(url, "://");
	const char *at = strrchr(url, '@');
	const char *colon = start == NULL ? NULL : strchr(start + 3, ':');

	*end = at;
	return colon != NULL && at != NULL && colon < at ? colon + 1 : NULL;
}

void
config_url_mask(const char *url, struct buf *out)
{
	const char *end;
	const char *password = find_password(url, &end);
	const char *rest = url;
	size_t len;

	if (password != NULL) {
		buf_add(out, url, (size_t)(password - url));
		buf_text(out, "***");
		rest = end;
	}
	len = strcspn(rest, "?");
	buf_add(out, rest, len);
	if (rest[len] == '?')
		buf_text(out, "?***");
}

bool
config_url_has_password(const char *url)
{
	const char *end;
	const char *query = strchr(url, '?');

	return find_password(url, &end) != NULL ||
	       (query != NULL && strstr(query, "password") != NULL);
}

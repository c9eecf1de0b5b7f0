#include "shared/fetch/fetch_head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { SECONDS_MAX = 86400 };

static void
forget(struct fetch_response *r)
{
	r->retry_after_s = -1;
	r->max_age_s = -1;
	r->content_type[0] = '\0';
	r->request_id[0] = '\0';
	r->location[0] = '\0';
}

struct span {
	const char *text;
	size_t len;
};

static bool
is_named(struct span name, const char *wanted)
{
	return name.len == strlen(wanted) && strncasecmp(name.text, wanted, name.len) == 0;
}

static void
keep(char *place, size_t size, struct span value)
{
	if (place[0] != '\0' || value.len >= size)
		return;
	memcpy(place, value.text, value.len);
	place[value.len] = '\0';
}

/* RFC 9110 section 10.2.3; of its two forms we read the number. */
static int
seconds(struct span value)
{
	int n = 0;

	if (value.len == 0)
		return -1;
	for (size_t i = 0; i < value.len; i++) {
		if (!isdigit((unsigned char)value.text[i]))
			return -1;
		if (n < SECONDS_MAX)
			n = n * 10 + (value.text[i] - '0');
	}
	return n < SECONDS_MAX ? n : SECONDS_MAX;
}

static struct span
trimmed(const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	while (len > 0 && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	return (struct span){text, len};
}

/* RFC 9111 section 5.2.2. The first directive that says how long counts. */
static int
max_age(struct span value)
{
	static const char age[] = "max-age=";

	while (value.len > 0) {
		const char *comma = memchr(value.text, ',', value.len);
		const size_t len = comma != NULL ? (size_t)(comma - value.text) : value.len;
		struct span one = trimmed(value.text, len);

		if (is_named(one, "no-store") || is_named(one, "no-cache"))
			return 0;
		if (one.len >= sizeof(age) && strncasecmp(one.text, age, sizeof(age) - 1) == 0)
			return seconds((struct span){
			        one.text + sizeof(age) - 1, one.len - (sizeof(age) - 1)});
		value.text += comma != NULL ? len + 1 : len;
		value.len -= comma != NULL ? len + 1 : len;
	}
	return -1;
}

void
fetch_head_line(struct fetch_response *r, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	struct span name, value;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		forget(r);
		return;
	}
	if (colon == NULL)
		return;
	name = (struct span){line, (size_t)(colon - line)};
	value = trimmed(colon + 1, len - name.len - 1);
	if (is_named(name, "Content-Type"))
		keep(r->content_type, sizeof(r->content_type), value);
	else if (is_named(name, "X-Request-Id"))
		keep(r->request_id, sizeof(r->request_id), value);
	else if (is_named(name, "Location"))
		keep(r->location, sizeof(r->location), value);
	else if (is_named(name, "Cache-Control") && r->max_age_s < 0)
		r->max_age_s = max_age(value);
	else if (is_named(name, "Retry-After") && r->retry_after_s < 0)
		r->retry_after_s = seconds(value);
}

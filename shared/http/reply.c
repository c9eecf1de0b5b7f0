#include "shared/http/reply.h"

#include <string.h>
#include <strings.h>
#include <time.h>

static const char crlf[] = "\r\n";

/* ---- small writers; the caller knows that there is room ---- */

static char *
put(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

static char *
put_number(char *at, size_t n)
{
	char digits[20];
	size_t first = sizeof(digits);

	do {
		digits[--first] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return put(at, digits + first, sizeof(digits) - first);
}

static char *
put_two(char *at, int n)
{
	*at++ = (char)('0' + n / 10 % 10);
	*at++ = (char)('0' + n % 10);
	return at;
}

void
reply_date(int64_t second, char out[REPLY_DATE])
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
	        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const time_t t = (time_t)second;
	struct tm tm = {0};
	char *at = out;

	(void)gmtime_r(&t, &tm);
	at = put(at, days[tm.tm_wday % 7], 3);
	at = put(at, ", ", 2);
	at = put_two(at, tm.tm_mday);
	*at++ = ' ';
	at = put(at, months[tm.tm_mon % 12], 3);
	*at++ = ' ';
	at = put_two(at, (tm.tm_year + 1900) / 100);
	at = put_two(at, (tm.tm_year + 1900) % 100);
	*at++ = ' ';
	at = put_two(at, tm.tm_hour);
	*at++ = ':';
	at = put_two(at, tm.tm_min);
	*at++ = ':';
	at = put_two(at, tm.tm_sec);
	(void)put(at, " GMT", 5);
}

/* ---- parts of a head ---- */

static struct span
status_line(int status)
{
#define TEXT(text) ((struct span){text, sizeof(text) - 1})
#define STATUS(code, phrase)                                                                       \
	case code:                                                                                 \
		return TEXT("HTTP/1.1 " #code " " phrase "\r\n");
	switch (status) {
#include "shared/http/status.def"
	default: /* our own mistake, but a client still gets a reply */
		return TEXT("HTTP/1.1 500 Internal Server Error\r\n");
	}
#undef STATUS
#undef TEXT
}

static void
refresh_common(struct reply_writer *w, int64_t second)
{
	char date[REPLY_DATE], *at = w->common;

	reply_date(second, date);
	at = put(at, "Date: ", 6);
	at = put(at, date, REPLY_DATE - 1);
	at = put(at, "\r\nX-Content-Type-Options: nosniff\r\n", 35);
	w->common_len = (size_t)(at - w->common);
	w->second = second;
}

static bool
text_is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool
name_is_clean(const char *name)
{
	if (*name == '\0')
		return false;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~' || *name == ':')
			return false;
	return true;
}

/* Framing is ours alone. */
static bool
name_is_ours(const char *name)
{
	static const char *const ours[] = {
	        "Connection", "Content-Length", "Date", "Transfer-Encoding"};

	for (size_t i = 0; i < COUNT(ours); i++)
		if (strcasecmp(name, ours[i]) == 0)
			return true;
	return false;
}

/* Room is left for the line that ends the head. */
static char *
put_field(char *at, const char *end, const char *name, const char *value)
{
	const size_t name_len = strlen(name), value_len = strlen(value);

	if (!text_is_clean(value) || name_len + value_len + 6 > (size_t)(end - at))
		return at;
	at = put(at, name, name_len);
	at = put(at, ": ", 2);
	at = put(at, value, value_len);
	return put(at, crlf, 2);
}

static char *
put_fields(char *at, const char *end, const struct http_reply *r, bool *cacheable)
{
	for (size_t i = 0; i < r->field_count; i++) {
		const struct reply_field *f = &r->fields[i];

		if (f->value == NULL || !name_is_clean(f->name) || name_is_ours(f->name))
			continue;
		*cacheable |= strcasecmp(f->name, "Cache-Control") == 0;
		at = put_field(at, end, f->name, f->value);
	}
	return at;
}

static bool
has_length(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

bool
reply_has_body(int status, enum method method)
{
	return has_length(status) && method != METHOD_HEAD;
}

void
reply_write_head(struct reply_writer *w, const struct http_reply *r, size_t body_len,
        enum reply_connection connection, int64_t wall_us)
{
	static const struct span said[] = {
	        [REPLY_STAYS] = {"",                           0 },
	        [REPLY_STAYS_AND_SAYS_SO] = {"Connection: keep-alive\r\n", 24},
	        [REPLY_CLOSES] = {"Connection: close\r\n",      19},
	};
	const struct span status = status_line(r->status);
	const char *end = w->bytes + sizeof(w->bytes) - sizeof("Cache-Control: no-store\r\n\r\n");
	char *at = w->bytes;
	bool cacheable = false;

	if (w->second != wall_us / 1000000)
		refresh_common(w, wall_us / 1000000);
	at = put(at, status.text, status.len);
	at = put(at, w->common, w->common_len);
	at = put(at, said[connection].text, said[connection].len);
	if (has_length(r->status)) {
		at = put(at, "Content-Length: ", 16);
		at = put_number(at, body_len);
		at = put(at, crlf, 2);
	}
	if (r->content_type != NULL)
		at = put_field(at, end, "Content-Type", r->content_type);
	at = put_fields(at, end, r, &cacheable);
	if (!cacheable)
		at = put(at, "Cache-Control: no-store\r\n", 25);
	at = put(at, crlf, 2);
	w->len = (size_t)(at - w->bytes);
}

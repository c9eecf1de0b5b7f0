#include "shared/http/target.h"

#include <string.h>

#include "shared/base/hex.h"

/* The byte that the escape at text stands for; -1 if it is none. */
static int
escape(const char *text, size_t len)
{
	if (len < 3 || hex_digit(text[1]) < 0 || hex_digit(text[2]) < 0)
		return -1;
	return hex_digit(text[1]) * 16 + hex_digit(text[2]);
}

static const char *
path_escape_fault(int byte)
{
	if (byte < 0)
		return "a malformed escape in the path";
	if (byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\' || byte == '.')
		return "an escape in the path that hides a separator, a dot or a control character";
	return NULL;
}

/* Is the segment that ends before end, and begins after the last slash, '.' or '..'? */
static bool
dot_segment(const char *segment, const char *end)
{
	const size_t len = (size_t)(end - segment);

	return (len == 1 && segment[0] == '.') ||
	       (len == 2 && segment[0] == '.' && segment[1] == '.');
}

/* path begins with '/'; its bytes are printable. */
static const char *
path_fault(const char *path, size_t len)
{
	const char *end = path + len, *segment = path + 1;

	for (const char *p = path + 1; p < end; p++) {
		if (*p == '/') {
			if (p == segment)
				return "an empty segment in the path";
			if (dot_segment(segment, p))
				return "a dot segment in the path";
			segment = p + 1;
		} else if (*p == '\\') {
			return "a backslash in the path";
		} else if (*p == '%') {
			const char *fault = path_escape_fault(escape(p, (size_t)(end - p)));

			if (fault != NULL)
				return fault;
		}
	}
	return dot_segment(segment, end) ? "a dot segment in the path" : NULL;
}

static const char *
query_fault(const char *query, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (query[i] != '%')
			continue;
		switch (escape(query + i, len - i)) {
		case -1:
			return "a malformed escape in the query";
		case 0:
			return "an escaped NUL in the query";
		default:
			break;
		}
	}
	return NULL;
}

const char *
target_parse(const char *text, size_t len, struct target *out)
{
	struct target t = {
	        .path = {text,       len},
                  .query = {text + len, 0  }
        };
	const char *mark, *fault;

	if (len == 0 || text[0] != '/')
		return "the target is not in origin form";
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '#')
			return "a character in the target that has to be escaped";
	mark = memchr(text, '?', len);
	if (mark != NULL) {
		t.has_query = true;
		t.path.len = (size_t)(mark - text);
		t.query = (struct span){mark + 1, len - t.path.len - 1};
	}
	fault = path_fault(t.path.text, t.path.len);
	if (fault == NULL)
		fault = query_fault(t.query.text, t.query.len);
	if (fault == NULL)
		*out = t;
	return fault;
}

#include "shared/http/request_line.h"

#include <string.h>

#include "shared/http/head_verdict.h"
#include "shared/http/target.h"
#include "shared/http/token.h"

/* The methods we know; RFC 9110 §9.1: names are case-sensitive. */
static const struct {
	const char *name;
	enum method method;
	bool takes_body;
} methods[] = {
        {"GET",     METHOD_GET,     false},
        {"HEAD",    METHOD_HEAD,    false},
        {"POST",    METHOD_POST,    true },
        {"PUT",     METHOD_PUT,     true },
        {"PATCH",   METHOD_PATCH,   true },
        {"DELETE",  METHOD_DELETE,  false},
        {"OPTIONS", METHOD_OPTIONS, false},
};

static struct head_result
judge_method(const char *text, size_t len, struct http_head *out)
{
	for (size_t i = 0; i < COUNT(methods); i++) {
		if (strlen(methods[i].name) != len || memcmp(methods[i].name, text, len) != 0)
			continue;
		out->method = methods[i].method;
		return head_fine();
	}
	return head_refused(HEAD_METHOD, "a method that is not known here");
}

static struct head_result
judge_version(const char *text, size_t len, struct http_head *out)
{
	if (len != 8 || memcmp(text, "HTTP/", 5) != 0 || text[5] < '0' || text[5] > '9' ||
	        text[6] != '.' || text[7] < '0' || text[7] > '9')
		return head_bad("a malformed protocol version");
	if (text[5] != '1' || text[7] > '1')
		return head_refused(
		        HEAD_VERSION, "a protocol version other than HTTP/1.0 and HTTP/1.1");
	out->minor = text[7] - '0';
	return head_fine();
}

struct head_result
request_line_judge(struct span line, struct http_head *out)
{
	const size_t method = token_len(line.text, line.len);
	const char *target = line.text + method + 1, *space;
	struct target parts = {0};
	struct head_result r;
	const char *fault;

	if (method == 0 || method == line.len || line.text[method] != ' ')
		return head_bad("a malformed request line");
	r = judge_method(line.text, method, out);
	if (r.verdict != HEAD_OK)
		return r;
	space = memchr(target, ' ', line.len - method - 1);
	if (space == NULL)
		return head_bad("a malformed request line");
	r = judge_version(space + 1, (size_t)(line.text + line.len - space - 1), out);
	if (r.verdict != HEAD_OK)
		return r;
	out->target = (struct span){target, (size_t)(space - target)};
	fault = target_parse(target, out->target.len, &parts);
	if (fault != NULL)
		return head_bad(fault);
	if (parts.path.len > HTTP_PATH_MAX)
		return head_refused(HEAD_TARGET_LONG, "the path is too long");
	out->path = parts.path;
	out->query = parts.query;
	out->has_query = parts.has_query;
	return head_fine();
}

bool
method_takes_body(enum method m)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (methods[i].method == m)
			return methods[i].takes_body;
	return false;
}

const char *
method_name(enum method m)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (methods[i].method == m)
			return methods[i].name;
	return "";
}

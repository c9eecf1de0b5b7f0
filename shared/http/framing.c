#include "shared/http/framing.h"

#include <string.h>

#include "shared/http/head_verdict.h"
#include "shared/http/request_line.h"
#include "shared/http/token.h"

enum { HOST_MAX = 255, LENGTH_DIGITS_MAX = 19 };

static bool
host_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static bool
host_port(const char *text, size_t len)
{
	unsigned port = 0;

	if (len > 5)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port <= UINT16_MAX;
}

/* A name or IPv4 address, or an IPv6 address in brackets; then perhaps a port (RFC 9110 §7.2). */
static bool
host_valid(struct span host)
{
	static const char v6[] = "0123456789abcdefABCDEF:.";
	const bool bracketed = host.len > 0 && host.text[0] == '[';
	size_t n = bracketed ? 1 : 0;

	if (host.len > HOST_MAX)
		return false;
	while (n < host.len && (bracketed ? memchr(v6, host.text[n], sizeof(v6) - 1) != NULL
	                                  : host_char(host.text[n])))
		n++;
	if (n == (bracketed ? 1 : 0))
		return false;
	if (bracketed && (n == host.len || host.text[n++] != ']'))
		return false;
	if (n == host.len)
		return true;
	return host.text[n] == ':' && host_port(host.text + n + 1, host.len - n - 1);
}

static struct head_result
on_host(struct framing *f, struct span value, struct span raw)
{
	(void)raw;
	if (f->head->host.text != NULL)
		return head_bad("more than one Host");
	if (!host_valid(value))
		return head_bad("a malformed Host");
	f->head->host = value;
	return head_fine();
}

static struct head_result
on_content_length(struct framing *f, struct span value, struct span raw)
{
	uint64_t length = 0;

	if (f->head->body == BODY_CHUNKED)
		return head_bad("both Transfer-Encoding and Content-Length");
	if (f->head->body == BODY_LENGTH)
		return head_bad("more than one Content-Length");
	if (value.len == 0 || value.len > LENGTH_DIGITS_MAX ||
	        memchr(raw.text, '\t', raw.len) != NULL || (value.len > 1 && value.text[0] == '0'))
		return head_bad("a malformed Content-Length");
	for (size_t i = 0; i < value.len; i++) {
		if (value.text[i] < '0' || value.text[i] > '9')
			return head_bad("a malformed Content-Length");
		length = length * 10 + (uint64_t)(value.text[i] - '0');
	}
	f->head->body = BODY_LENGTH;
	f->head->content_length = length;
	return head_fine();
}

static struct head_result
on_transfer_encoding(struct framing *f, struct span value, struct span raw)
{
	if (f->head->body == BODY_LENGTH)
		return head_bad("both Content-Length and Transfer-Encoding");
	if (f->head->body == BODY_CHUNKED)
		return head_bad("more than one Transfer-Encoding");
	if (f->head->minor == 0)
		return head_bad("Transfer-Encoding in HTTP/1.0");
	if (memchr(raw.text, '\t', raw.len) != NULL)
		return head_bad("a malformed Transfer-Encoding");
	if (value.len != strlen("chunked") || memcmp(value.text, "chunked", value.len) != 0)
		return head_refused(HEAD_CODING, "a transfer coding other than chunked");
	f->head->body = BODY_CHUNKED;
	return head_fine();
}

static struct head_result
on_connection(struct framing *f, struct span value, struct span raw)
{
	const char *at = value.text, *end = value.text + value.len;

	(void)raw;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;
		const struct span option = token_trimmed(at, (size_t)(stop - at));

		if (token_len(option.text, option.len) != option.len)
			return head_bad("a malformed Connection");
		f->close |= token_same(option, "close", strlen("close"));
		f->keep_alive |= token_same(option, "keep-alive", strlen("keep-alive"));
		at = stop + 1;
	}
	return head_fine();
}

static struct head_result
on_expect(struct framing *f, struct span value, struct span raw)
{
	(void)raw;
	if (token_same(value, "100-continue", strlen("100-continue")))
		f->head->expect_continue = true;
	else
		f->head->unknown_expectation = true;
	return head_fine();
}

static const struct {
	const char *name;
	size_t len;
	struct head_result (*judge)(struct framing *f, struct span value, struct span raw);
} fields[] = {
        {"Host",              4,  on_host             },
        {"Content-Length",    14, on_content_length   },
        {"Transfer-Encoding", 17, on_transfer_encoding},
        {"Connection",        10, on_connection       },
        {"Expect",            6,  on_expect           },
};

struct head_result
framing_field(struct framing *f, const struct http_field *field, struct span raw)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (token_same(field->name, fields[i].name, fields[i].len))
			return fields[i].judge(f, field->value, raw);
	return head_fine();
}

struct head_result
framing_whole(const struct framing *f)
{
	struct http_head *h = f->head;
	const bool has_body =
	        h->body == BODY_CHUNKED || (h->body == BODY_LENGTH && h->content_length > 0);

	if (h->host.text == NULL && h->minor == 1)
		return head_bad("no Host");
	if (has_body && !method_takes_body(h->method))
		return head_bad("a body on a method that takes none");
	h->keep_alive = !f->close && (h->minor == 1 || f->keep_alive);
	/* RFC 9110 §10.1.1: void without a body, and from HTTP/1.0. */
	h->expect_continue = h->expect_continue && has_body && h->minor == 1;
	h->unknown_expectation = h->unknown_expectation && h->minor == 1;
	return head_fine();
}

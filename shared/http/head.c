/*
 * How the verdict stays independent of how the bytes arrived (HP17).
 *
 * The head is judged strictly from left to right: within a line each byte first, then the line as a
 * whole once its CRLF is there, then the next line; what concerns several fields comes after the
 * empty line. So a refusal depends only on the bytes before it, a prefix that was refused stays
 * refused whatever follows, and a prefix that was not is only ever INCOMPLETE. Limits take part in
 * that order: the first byte too many is the one that refuses.
 *
 * Judged again from the first byte, each call gives the same answer; *scanned only saves the work.
 * Bytes that continue an unfinished line cannot change anything if they are plain text, and two
 * walks a line (one at its CR, one at its LF) remain, so a head that comes byte by byte costs at
 * most 2 * (fields + 1) walks.
 *
 * Framing is the narrow reading everywhere: exactly one Content-Length of plain digits, or exactly
 * "chunked", never both, never in HTTP/1.0, never on a method whose body nobody would read.
 */
#include "shared/http/head.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "shared/base/buf.h"
#include "shared/http/target.h"

enum { SECOND_US = 1000000, HOST_MAX = 255, LENGTH_DIGITS_MAX = 19 };

const struct http_limits http_limits_default = {
        .head_bytes = KIB(16),
        .head_fields = 64,
        .head_us = 10LL * SECOND_US,
        .body_us = 30LL * SECOND_US,
        .idle_us = 60LL * SECOND_US,
        .write_us = 30LL * SECOND_US,
        .body_min_rate = 1024,
        .connections = 0,
        .connections_per_address = 0,
        .requests = 10000,
        .lifetime_us = 3600LL * SECOND_US,
        .memory = KIB(64),
        .pipeline = 16,
};

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

static const int verdict_status[] = {
        [HEAD_INCOMPLETE] = 0,
        [HEAD_OK] = 200,
        [HEAD_BAD] = 400,
        [HEAD_TOO_LARGE] = 431,
        [HEAD_TARGET_LONG] = 414,
        [HEAD_METHOD] = 501,
        [HEAD_VERSION] = 505,
        [HEAD_CODING] = 501,
};

struct walk {
	const char *bytes;
	size_t len, at; /* at: where the next line begins */
	const struct http_limits *limits;
	struct http_head *out;
	bool close, keep_alive; /* said by Connection */
};

static struct head_result
refused(enum head_verdict verdict, const char *reason)
{
	return (struct head_result){.verdict = verdict, .reason = reason};
}

static struct head_result
bad(const char *reason)
{
	return refused(HEAD_BAD, reason);
}

static const struct head_result fine = {.verdict = HEAD_OK};
static const struct head_result incomplete = {.verdict = HEAD_INCOMPLETE};

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

static size_t
token_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && token_char(text[n]))
		n++;
	return n;
}

static bool
same(struct span s, const char *name, size_t len)
{
	return s.len == len && strncasecmp(s.text, name, len) == 0;
}

static struct span
trimmed(const char *text, size_t len)
{
	while (len > 0 && (text[0] == ' ' || text[0] == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return (struct span){text, len};
}

/* ---- lines ---- */

/* Eight bytes at once: is none of them a control character? A tab says no too; that is only slow.
 */
static bool
plain8(const char *bytes)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t word, del;

	memcpy(&word, bytes, sizeof(word));
	del = word ^ (ones * 0x7f);
	return ((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & tops) == 0;
}

/* The first byte from at on that may not stand inside a line: a control character but the tab. */
static size_t
text_end(const char *bytes, size_t at, size_t len)
{
	for (;;) {
		size_t stop;

		while (len - at >= 8 && plain8(bytes + at))
			at += 8;
		stop = len - at < 8 ? len : at + 8;
		for (; at < stop; at++) {
			const unsigned char c = (unsigned char)bytes[at];

			if ((c < 0x20 && c != '\t') || c == 0x7f)
				return at;
		}
		if (at == len)
			return at;
	}
}

/* Takes the next line without its CRLF; INCOMPLETE if its end is not among the first len bytes. */
static struct head_result
next_line(struct walk *w, size_t len, struct span *line)
{
	const size_t end = text_end(w->bytes, w->at, len);

	if (end == len)
		return incomplete;
	if (w->bytes[end] == '\n')
		return bad("a bare LF in the head");
	if (w->bytes[end] != '\r')
		return bad("a control character in the head");
	if (end + 1 == len)
		return incomplete;
	if (w->bytes[end + 1] != '\n')
		return bad("a bare CR in the head");
	*line = (struct span){w->bytes + w->at, end - w->at};
	w->at = end + 2;
	return fine;
}

/* ---- request line ---- */

static struct head_result
judge_method(const char *text, size_t len, struct http_head *out)
{
	for (size_t i = 0; i < COUNT(methods); i++) {
		if (strlen(methods[i].name) != len || memcmp(methods[i].name, text, len) != 0)
			continue;
		out->method = methods[i].method;
		return fine;
	}
	return refused(HEAD_METHOD, "a method that is not known here");
}

static struct head_result
judge_version(const char *text, size_t len, struct http_head *out)
{
	if (len != 8 || memcmp(text, "HTTP/", 5) != 0 || text[5] < '0' || text[5] > '9' ||
	        text[6] != '.' || text[7] < '0' || text[7] > '9')
		return bad("a malformed protocol version");
	if (text[5] != '1' || text[7] > '1')
		return refused(HEAD_VERSION, "a protocol version other than HTTP/1.0 and HTTP/1.1");
	out->minor = text[7] - '0';
	return fine;
}

static struct head_result
judge_request_line(struct span line, struct http_head *out)
{
	const size_t method = token_len(line.text, line.len);
	const char *target = line.text + method + 1, *space;
	struct target parts = {0};
	struct head_result r;
	const char *fault;

	if (method == 0 || method == line.len || line.text[method] != ' ')
		return bad("a malformed request line");
	r = judge_method(line.text, method, out);
	if (r.verdict != HEAD_OK)
		return r;
	space = memchr(target, ' ', line.len - method - 1);
	if (space == NULL)
		return bad("a malformed request line");
	r = judge_version(space + 1, (size_t)(line.text + line.len - space - 1), out);
	if (r.verdict != HEAD_OK)
		return r;
	out->target = (struct span){target, (size_t)(space - target)};
	fault = target_parse(target, out->target.len, &parts);
	if (fault != NULL)
		return bad(fault);
	if (parts.path.len > HTTP_PATH_MAX)
		return refused(HEAD_TARGET_LONG, "the path is too long");
	out->path = parts.path;
	out->query = parts.query;
	out->has_query = parts.has_query;
	return fine;
}

static struct head_result
request_line(struct walk *w)
{
	const size_t most = (size_t)HTTP_REQUEST_LINE_MAX + 2;
	struct span line = {0};
	struct head_result r = next_line(w, w->len < most ? w->len : most, &line);

	if (r.verdict == HEAD_INCOMPLETE && w->len >= most)
		return refused(HEAD_TARGET_LONG, "the request line is too long");
	return r.verdict == HEAD_OK ? judge_request_line(line, w->out) : r;
}

/* ---- fields that the framing rests on ---- */

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
on_host(struct walk *w, struct span value, struct span raw)
{
	(void)raw;
	if (w->out->host.text != NULL)
		return bad("more than one Host");
	if (!host_valid(value))
		return bad("a malformed Host");
	w->out->host = value;
	return fine;
}

static struct head_result
on_content_length(struct walk *w, struct span value, struct span raw)
{
	uint64_t length = 0;

	if (w->out->body == BODY_CHUNKED)
		return bad("both Transfer-Encoding and Content-Length");
	if (w->out->body == BODY_LENGTH)
		return bad("more than one Content-Length");
	if (value.len == 0 || value.len > LENGTH_DIGITS_MAX ||
	        memchr(raw.text, '\t', raw.len) != NULL || (value.len > 1 && value.text[0] == '0'))
		return bad("a malformed Content-Length");
	for (size_t i = 0; i < value.len; i++) {
		if (value.text[i] < '0' || value.text[i] > '9')
			return bad("a malformed Content-Length");
		length = length * 10 + (uint64_t)(value.text[i] - '0');
	}
	w->out->body = BODY_LENGTH;
	w->out->content_length = length;
	return fine;
}

static struct head_result
on_transfer_encoding(struct walk *w, struct span value, struct span raw)
{
	if (w->out->body == BODY_LENGTH)
		return bad("both Content-Length and Transfer-Encoding");
	if (w->out->body == BODY_CHUNKED)
		return bad("more than one Transfer-Encoding");
	if (w->out->minor == 0)
		return bad("Transfer-Encoding in HTTP/1.0");
	if (memchr(raw.text, '\t', raw.len) != NULL)
		return bad("a malformed Transfer-Encoding");
	if (value.len != strlen("chunked") || memcmp(value.text, "chunked", value.len) != 0)
		return refused(HEAD_CODING, "a transfer coding other than chunked");
	w->out->body = BODY_CHUNKED;
	return fine;
}

static struct head_result
on_connection(struct walk *w, struct span value, struct span raw)
{
	const char *at = value.text, *end = value.text + value.len;

	(void)raw;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;
		const struct span option = trimmed(at, (size_t)(stop - at));

		if (token_len(option.text, option.len) != option.len)
			return bad("a malformed Connection");
		w->close |= same(option, "close", strlen("close"));
		w->keep_alive |= same(option, "keep-alive", strlen("keep-alive"));
		at = stop + 1;
	}
	return fine;
}

static struct head_result
on_expect(struct walk *w, struct span value, struct span raw)
{
	(void)raw;
	if (same(value, "100-continue", strlen("100-continue")))
		w->out->expect_continue = true;
	else
		w->out->unknown_expectation = true;
	return fine;
}

/* ---- fields ---- */

static const struct {
	const char *name;
	size_t len;
	struct head_result (*judge)(struct walk *w, struct span value, struct span raw);
} framing[] = {
        {"Host",              4,  on_host             },
        {"Content-Length",    14, on_content_length   },
        {"Transfer-Encoding", 17, on_transfer_encoding},
        {"Connection",        10, on_connection       },
        {"Expect",            6,  on_expect           },
};

static struct head_result
field_line(struct walk *w, struct span line)
{
	const size_t name = token_len(line.text, line.len);
	struct http_field *f = &w->out->fields[w->out->field_count];
	struct span raw;

	if (line.text[0] == ' ' || line.text[0] == '\t')
		return bad("a line of the head that begins with a blank");
	if (name == 0 || name == line.len || line.text[name] != ':')
		return bad("a malformed field name");
	if (w->out->field_count == w->limits->head_fields)
		return refused(HEAD_TOO_LARGE, "too many fields");
	raw = (struct span){line.text + name + 1, line.len - name - 1};
	f->name = (struct span){line.text, name};
	f->value = trimmed(raw.text, raw.len);
	w->out->field_count++;
	for (size_t i = 0; i < COUNT(framing); i++)
		if (same(f->name, framing[i].name, framing[i].len))
			return framing[i].judge(w, f->value, raw);
	return fine;
}

/* What only the whole head tells. */
static struct head_result
judge_whole(struct walk *w)
{
	struct http_head *h = w->out;
	const bool has_body =
	        h->body == BODY_CHUNKED || (h->body == BODY_LENGTH && h->content_length > 0);

	if (h->host.text == NULL && h->minor == 1)
		return bad("no Host");
	for (size_t i = 0; i < COUNT(methods); i++)
		if (methods[i].method == h->method && has_body && !methods[i].takes_body)
			return bad("a body on a method that takes none");
	h->keep_alive = !w->close && (h->minor == 1 || w->keep_alive);
	/* RFC 9110 §10.1.1: void without a body, and from HTTP/1.0. */
	h->expect_continue = h->expect_continue && has_body && h->minor == 1;
	h->unknown_expectation = h->unknown_expectation && h->minor == 1;
	return (struct head_result){.verdict = HEAD_OK, .consumed = w->at};
}

static struct head_result
walk_head(struct walk *w)
{
	struct head_result r = request_line(w);

	while (r.verdict == HEAD_OK) {
		struct span line = {0};

		r = next_line(w, w->len, &line);
		if (r.verdict == HEAD_OK && line.len == 0)
			return judge_whole(w);
		if (r.verdict == HEAD_OK)
			r = field_line(w, line);
	}
	if (r.verdict == HEAD_INCOMPLETE && w->len >= w->limits->head_bytes)
		return refused(HEAD_TOO_LARGE, "the head is too large");
	return r;
}

/* Are the bytes from scanned on plain text inside a line that was unfinished before? */
static bool
line_goes_on(const char *bytes, size_t scanned, size_t len)
{
	const size_t most = (size_t)HTTP_REQUEST_LINE_MAX + 2;

	if (scanned == 0 || bytes[scanned - 1] == '\r' || (scanned < most && len >= most))
		return false;
	return text_end(bytes, scanned, len) == len;
}

struct head_result
http_head_parse(const char *bytes, size_t len, const struct http_limits *limits, size_t *scanned,
        struct http_head *out)
{
	struct walk w = {.bytes = bytes, .len = len, .limits = limits, .out = out};
	struct head_result r;

	assert(limits->head_fields <= HTTP_FIELDS_MAX && *scanned <= len);
	if (w.len > limits->head_bytes)
		w.len = limits->head_bytes;
	if (w.len < limits->head_bytes && line_goes_on(bytes, *scanned, w.len)) {
		*scanned = w.len;
		return incomplete;
	}
	memset(out, 0, offsetof(struct http_head, fields));
	r = walk_head(&w);
	*scanned = r.verdict == HEAD_INCOMPLETE ? w.len : 0;
	return r;
}

const struct http_field *
http_head_field(const struct http_head *h, const char *name)
{
	const size_t len = strlen(name);

	for (size_t i = 0; i < h->field_count; i++)
		if (same(h->fields[i].name, name, len))
			return &h->fields[i];
	return NULL;
}

size_t
http_head_count(const struct http_head *h, const char *name)
{
	const size_t len = strlen(name);
	size_t n = 0;

	for (size_t i = 0; i < h->field_count; i++)
		n += same(h->fields[i].name, name, len) ? 1 : 0;
	return n;
}

const char *
method_name(enum method m)
{
	for (size_t i = 0; i < COUNT(methods); i++)
		if (methods[i].method == m)
			return methods[i].name;
	return "";
}

int
head_verdict_status(enum head_verdict v)
{
	return verdict_status[v];
}

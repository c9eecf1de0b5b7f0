/*
 * The head of one HTTP/1.1 request, parsed strictly from a complete head or refused.
 *
 * What RFC 9112 leaves to taste is refused here, because two parsers that read one request
 * differently are how requests are smuggled: spec rows HP1 to HP12. Spans point into the bytes
 * that were given.
 */
#ifndef SHARED_HTTP_HEAD_H
#define SHARED_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"

enum method {
	METHOD_NONE = 0,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS
};

struct span {
	const char *text;
	size_t len;
};

struct http_field {
	struct span name, value; /* value without surrounding blanks */
};

/* HTTP_PATH_MAX is 414; the line is the request line without its CRLF (RFC 9112 §3 asks for 8000).
 */
enum { HTTP_FIELDS_MAX = 128, HTTP_PATH_MAX = 4096, HTTP_REQUEST_LINE_MAX = 8192 };

struct http_limits {
	size_t head_bytes;  /* 16384: request line and fields, LM1 */
	size_t head_fields; /* 64, at most HTTP_FIELDS_MAX */
	/* LM2, absolute, microseconds; head_us also until the first byte of a new connection, which
	 * with TLS is new once it has shaken hands (TL5) */
	int64_t handshake_us, head_us, body_us, idle_us, write_us;
	size_t body_min_rate; /* bytes a second, after the first second */
	size_t unsent;        /* bytes of replies that wait for their readers, of the server, LM6 */
	size_t connections;   /* of the whole server, LM3 */
	size_t connections_per_address;
	size_t requests;     /* of one connection, LM8 */
	int64_t lifetime_us; /* of one connection */
	size_t memory;       /* of one connection beside the row's body limit, LM7; two heads fit */
	size_t pipeline;     /* requests answered in one turn of a connection, HP14 */
};
extern const struct http_limits http_limits_default;

/* NONE: neither length nor coding was declared (411 where a body is due); LENGTH may be 0. */
enum http_body { BODY_NONE = 0, BODY_LENGTH, BODY_CHUNKED };

struct http_head {
	enum method method;
	struct span target, path, query; /* path: raw, checked; query without '?', empty if none */
	bool has_query;
	int minor; /* HTTP/1.minor: 0 or 1 */
	struct span host;
	enum http_body body;
	uint64_t content_length;
	bool keep_alive;
	bool expect_continue;
	bool unknown_expectation; /* 417 later */
	size_t field_count;
	struct http_field fields[HTTP_FIELDS_MAX]; /* only the first field_count are set */
};

/* Zero is "more bytes are needed"; everything else but OK is a refusal and closes the connection.
 */
enum head_verdict {
	HEAD_INCOMPLETE = 0,
	HEAD_OK,
	HEAD_BAD,         /* 400 */
	HEAD_TOO_LARGE,   /* 431 */
	HEAD_TARGET_LONG, /* 414: the path or the request line */
	HEAD_METHOD,      /* 501 */
	HEAD_VERSION,     /* 505 */
	HEAD_CODING,      /* 501: a transfer coding we do not know */
};

struct head_result {
	enum head_verdict verdict;
	size_t consumed;    /* bytes of the head with its empty line, when OK */
	const char *reason; /* a fixed sentence for log and body when refused: "a bare LF in the
	                       head" */
};

/*
 * Parses from the first byte each time; the verdict does not depend on how the bytes were split
 * (HP17). scanned remembers across calls how far no end was found, so repeated calls stay linear;
 * start it at 0.
 */
struct head_result http_head_parse(const char *bytes, size_t len, const struct http_limits *limits,
        size_t *scanned, struct http_head *out);

/* The first field of that name (case-insensitive), or NULL; and how many there are. */
BORROWED const struct http_field *http_head_field(const struct http_head *h, const char *name);
size_t http_head_count(const struct http_head *h, const char *name);

/* "GET"; "" for none. */
const char *method_name(enum method m);
/* The status that a refusal is answered with. */
int head_verdict_status(enum head_verdict v);

#endif

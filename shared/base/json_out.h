/*
 * JSON out: a streaming writer onto a buffer. Commas and colons are its business.
 *
 *     struct json_out w = json_out_on(&body);
 *     json_open(&w, '{'); json_put_text(&w, "name", name); json_put_int(&w, "n", 7); json_close(&w,
 * '}');
 *
 * A key of NULL writes an array item (or the root). Strings are escaped, invalid UTF-8
 * becomes U+FFFD, so the result is always one line of valid JSON without
 * control characters. Failures stick to the buffer.
 */
#ifndef SHARED_BASE_JSON_OUT_H
#define SHARED_BASE_JSON_OUT_H

#include "shared/base/buf.h"

struct json_out {
	struct buf *buf;
	bool comma; /* a value has been written at this level */
};

/* A writer that appends to buf, which may hold other things already. */
struct json_out json_out_on(struct buf *buf);

/* Each value is a member of that name, an item, or the root, whichever its place asks for. */
void json_open(struct json_out *w, const char *key, char bracket);         /* '{' or '[' */
void json_close(struct json_out *w, char bracket);                         /* '}' or ']' */
void json_put_text(struct json_out *w, const char *key, const char *text); /* NULL writes null */
void json_put_bytes(struct json_out *w, const char *key, const char *text, size_t len);
void json_put_int(struct json_out *w, const char *key, int64_t n);
void json_put_double(struct json_out *w, const char *key, double n); /* not finite: null */
void json_put_bool(struct json_out *w, const char *key, bool b);
void json_put_null(struct json_out *w, const char *key);
void json_put_time(struct json_out *w, const char *key, int64_t wall_us); /* 0: null */
/* A value that is JSON already, compact and checked; len 0 writes null. */
void json_put_raw(struct json_out *w, const char *key, const char *json, size_t len);

/* Escaped content without quotes, for callers that build a string piecewise. */
void json_escape(struct buf *buf, const char *text, size_t len);

#endif

/*
 * The head of a reply: always with a length (HP16), a date, no-store and nosniff; what the caller
 * adds can neither break the framing nor inject a line.
 */
#ifndef SHARED_HTTP_REPLY_H
#define SHARED_HTTP_REPLY_H

#include "shared/http/server.h"

enum { REPLY_HEAD_MAX = 8192, REPLY_COMMON_MAX = 128 };

/* One a loop: the fields that are the same for a whole second, and the head being written. */
struct reply_writer {
	int64_t second; /* of common; zero-initialised it is never right */
	size_t common_len, len;
	char common[REPLY_COMMON_MAX];
	char bytes[REPLY_HEAD_MAX];
};

enum reply_connection { REPLY_STAYS = 0, REPLY_STAYS_AND_SAYS_SO, REPLY_CLOSES };

/*
 * Writes the head of r into w->bytes, w->len long. body_len is what Content-Length says; 204 and
 * 304 carry none. A field with a control character, a malformed name, a name that the framing owns
 * (Connection, Content-Length, Date, Transfer-Encoding) or no room left is dropped. Cache-Control
 * of the caller replaces ours.
 */
void reply_write_head(struct reply_writer *w, const struct http_reply *r, size_t body_len,
        enum reply_connection connection, int64_t wall_us);

/* Does a reply of that status to that method carry a body? */
bool reply_has_body(int status, enum method method);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7) and a NUL. */
enum { REPLY_DATE = 30 };
void reply_date(int64_t second, char out[REPLY_DATE]);

#endif

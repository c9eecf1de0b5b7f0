/* A blocking HTTP/1.1 client over a raw loopback socket: what tests send is exactly what goes out.
 */
#ifndef TESTS_LIB_WIRE_H
#define TESTS_LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"

struct wire_reply {
	int status; /* 0: the connection ended or the time was over before a whole reply */
	char *head; /* status line and fields, terminated; owned */
	char *body; /* terminated; owned */
	size_t body_len;
	bool closed; /* the peer closed after it */
};

void wire_reply_free(struct wire_reply *r);

static inline void
auto_wire_reply_(struct wire_reply *r)
{
	wire_reply_free(r);
}

/* A connected socket to 127.0.0.1:port, or -1. */
int wire_connect(int port);
int wire_connect_plain(int port); /* whatever wire_through() says */
/* How wire_connect() connects from now on, on every thread: such as tls_relay(). NULL: plainly. */
void wire_through(int (*connects)(int port));
bool wire_send(int fd, const void *bytes, size_t len);

/* Reads one reply; no_body for the answer to HEAD. Interim 100 replies are counted, not returned.
 */
struct wire_reply wire_read(int fd, int timeout_ms, bool no_body, int *interim);
/* Does the peer close within the time (end of file or reset)? */
bool wire_closes(int fd, int timeout_ms);

/* The value of a field of the head, or NULL; valid until the next call on this thread. */
BORROWED const char *wire_field(const struct wire_reply *r, const char *name);

/* One request on a new connection. headers: whole lines with CRLF, or "". body may be NULL. */
struct wire_reply wire_call(
        int port, const char *method, const char *path, const char *headers, const char *body);

#endif

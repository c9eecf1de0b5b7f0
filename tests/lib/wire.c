#include "tests/lib/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "tests/lib/patience.h"

void
wire_reply_free(struct wire_reply *r)
{
	free(r->head);
	free(r->body);
	*r = (struct wire_reply){0};
}

static int (*through)(int port);

void
wire_through(int (*connects)(int port))
{
	through = connects;
}

int
wire_connect(int port)
{
	return through != NULL ? through(port) : wire_connect_plain(port);
}

int
wire_connect_plain(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		(void)close(fd);
		return -1;
	}
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

bool
wire_send(int fd, const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len > 0) {
		ssize_t n = send(fd, from, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		from += n;
		len -= (size_t)n;
	}
	return true;
}

/* More bytes, or 0 at the end of file, -1 when the time is over or the connection was reset. */
static ssize_t
more(int fd, struct buf *in, int64_t until_us)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = (until_us - clock_mono_us()) / 1000;
		char *room;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return -1;
		room = buf_room(in, KIB(16));
		if (room == NULL)
			return -1;
		n = recv(fd, room, KIB(16), 0);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n > 0)
			in->len += (size_t)n;
		return n;
	}
}

static char *
field_in(const char *head, const char *name)
{
	static _Thread_local char value[4096];
	size_t len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			const char *from = line + len + 1 + strspn(line + len + 1, " \t");
			size_t n = strcspn(from, "\r");

			if (n >= sizeof(value))
				return NULL;
			memcpy(value, from, n);
			value[n] = '\0';
			return value;
		}
	}
	return NULL;
}

const char *
wire_field(const struct wire_reply *r, const char *name)
{
	return r->head != NULL ? field_in(r->head, name) : NULL;
}

/* Takes the next head off the front of in, waiting for it; NULL if none comes. */
static char *
next_head(int fd, struct buf *in, int64_t until_us)
{
	for (;;) {
		char *end = in->len >= 4 ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;

		if (end != NULL) {
			size_t len = (size_t)(end - in->data) + 4;
			char *head = strndup(in->data, len);

			buf_drop(in, len);
			return head;
		}
		if (more(fd, in, until_us) <= 0)
			return NULL;
	}
}

/* The servers under test always send a length; a reply without one has no body. */
struct wire_reply
wire_read(int fd, int timeout_ms, bool no_body, int *interim)
{
	AUTO(buf) struct buf in = BUF(MIB(64));
	struct wire_reply r = {0};
	int64_t until = clock_mono_us() + (int64_t)patience_ms(timeout_ms) * 1000;
	size_t want = 0;
	const char *length;

	for (;;) {
		r.head = next_head(fd, &in, until);
		if (r.head == NULL || sscanf(r.head, "HTTP/1.1 %d", &r.status) != 1)
			return r;
		if (r.status >= 200)
			break;
		if (interim != NULL)
			*interim += 1;
		free(r.head);
		r = (struct wire_reply){0};
	}
	length = field_in(r.head, "Content-Length");
	if (length != NULL && !no_body && r.status != 204 && r.status != 304)
		want = strtoul(length, NULL, 10);
	while (in.len < want)
		if (more(fd, &in, until) <= 0)
			break;
	if (in.len < want)
		r.status = 0;
	r.body_len = in.len < want ? in.len : want;
	r.body = strndup(in.data != NULL ? in.data : "", r.body_len);
	return r;
}

bool
wire_closes(int fd, int timeout_ms)
{
	char sink[4096];
	int64_t until = clock_mono_us() + (int64_t)patience_ms(timeout_ms) * 1000;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = (until - clock_mono_us()) / 1000;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		if (recv(fd, sink, sizeof(sink), 0) <= 0)
			return true;
	}
}

struct wire_reply
wire_call(int port, const char *method, const char *path, const char *headers, const char *body)
{
	AUTO(buf) struct buf out = BUF(MIB(64));
	struct wire_reply r = {0};
	int fd = wire_connect(port);

	if (fd < 0)
		return r;
	buf_format(&out, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, path, headers);
	if (body != NULL)
		buf_format(&out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		        strlen(body));
	buf_text(&out, "\r\n");
	if (body != NULL)
		buf_text(&out, body);
	if (buf_ok(&out) && wire_send(fd, out.data, out.len))
		r = wire_read(fd, 10000, strcmp(method, "HEAD") == 0, NULL);
	(void)close(fd);
	return r;
}

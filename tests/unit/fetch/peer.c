#include "tests/unit/fetch/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int
listen_somewhere(int *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = 10}; /* no test hangs */

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

int
peer_dead_port(void)
{
	int port;

	(void)close(listen_somewhere(&port));
	return port;
}

/* The length of the request at text once it is whole, else 0. */
static size_t
whole(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strstr(text, "Content-Length: ");
	size_t head;

	if (end == NULL)
		return 0;
	head = (size_t)(end - text) + 4;
	if (length != NULL && length < end)
		head += strtoul(length + strlen("Content-Length: "), NULL, 10);
	return strlen(text) >= head ? head : 0;
}

static bool
read_request(int fd, char *text)
{
	size_t len = 0;

	while (whole(text) == 0) {
		ssize_t n = recv(fd, text + len, PEER_REQUEST_MAX - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
	}
	return true;
}

static void
send_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* the client has had enough */
		text += n;
		len -= (size_t)n;
	}
}

static void
wait_for_the_end(int fd)
{
	char rest[256];

	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
}

static int
connected(struct peer *p)
{
	struct timeval patience = {.tv_sec = 10};
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		p->connections++;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	}
	return fd;
}

static void *
play(void *arg)
{
	struct peer *p = arg;
	int fd = -1;

	for (size_t i = 0; i < p->lines; i++) {
		const struct peer_line *line = &p->script[i];

		if (fd < 0)
			fd = connected(p);
		if (fd < 0 || (!line->unasked && !read_request(fd, p->request[p->requests++])))
			break;
		if (line->heard != NULL)
			line->heard(p->fetch);
		send_all(fd, line->answer);
		if (line->end == PEER_HOLD)
			wait_for_the_end(fd);
		if (line->end != PEER_KEEP) {
			(void)close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

void
peer_start(struct peer *p, struct fetch *f, const struct peer_line *script, size_t lines)
{
	int port;

	ck_assert_uint_le(lines, PEER_REQUESTS);
	*p = (struct peer){.fetch = f, .script = script, .lines = lines};
	p->listener = listen_somewhere(&port);
	(void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%d/v1/tasks", port);
	ck_assert_int_eq(pthread_create(&p->thread, NULL, play, p), 0);
}

void
peer_end(struct peer *p)
{
	(void)pthread_join(p->thread, NULL);
	(void)close(p->listener);
}

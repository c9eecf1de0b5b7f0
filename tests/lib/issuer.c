#include "tests/lib/issuer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SET_MAX = 1 << 17, SLICE_MS = 100, CHUNKS = 4096 };

struct issuer {
	int listener, end_fd;
	char url[64];
	pthread_t thread;

	pthread_mutex_t lock; /* of what follows */
	enum issuer_mode mode;
	const char *fields;
	char set[SET_MAX];
	unsigned requests;
};

/* True: time is up. False: the client is gone, or the issuer is to end. */
static bool
waits(struct issuer *i, int fd, int ms)
{
	struct pollfd fds[] = {
	        {.fd = i->end_fd, .events = POLLIN   },
                {.fd = fd,        .events = POLLRDHUP}
        };

	return poll(fds, 2, ms) == 0;
}

static bool
sends(int fd, const void *bytes, size_t len)
{
	return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

PRINTF(2, 3) static void say(int fd, const char *fmt, ...)
{
	static char text[SET_MAX + 1024];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(text))
		(void)sends(fd, text, (size_t)len);
}

static void
reply(int fd, const char *status, const char *type, const char *fields, const char *body)
{
	say(fd,
	        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: "
	        "close\r\n\r\n%s",
	        status, type, strlen(body), fields != NULL ? fields : "", body);
}

static void
drip(struct issuer *i, int fd, const char *set)
{
	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	        strlen(set));
	for (; *set != '\0' && waits(i, fd, SLICE_MS); set++)
		if (!sends(fd, set, 1))
			return;
}

static void
flood(struct issuer *i, int fd)
{
	static char chunk[16 * 1024 + 16];

	say(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	        "Transfer-Encoding: chunked\r\n\r\n");
	memset(chunk, ' ', sizeof(chunk));
	memcpy(chunk, "4000\r\n", 6);
	memcpy(chunk + 6 + 0x4000, "\r\n", 2);
	for (int n = 0; n < CHUNKS && waits(i, fd, 0); n++)
		if (!sends(fd, chunk, 6 + 0x4000 + 2))
			return;
}

static void
twice(int fd, const char *set)
{
	static char text[2 * SET_MAX];
	const char *first = strchr(set, '['), *end = first != NULL ? strchr(first, '}') : NULL;

	if (end == NULL)
		return;
	(void)snprintf(
	        text, sizeof(text), "{\"keys\":[%.*s,%s", (int)(end - first), first + 1, first + 1);
	reply(fd, "200 OK", "application/json", NULL, text);
}

static void
answer(struct issuer *i, int fd, enum issuer_mode mode, const char *set, const char *fields)
{
	static const char json[] = "application/jwk-set+json";

	switch (mode) {
	case ISSUER_GOOD:
		reply(fd, "200 OK", json, fields, set);
		break;
	case ISSUER_SLOW:
		drip(i, fd, set);
		break;
	case ISSUER_HANG:
		(void)waits(i, fd, 60000);
		break;
	case ISSUER_ERROR:
		reply(fd, "500 Internal Server Error", json, fields, set);
		break;
	case ISSUER_MISSING:
		reply(fd, "404 Not Found", json, fields, set);
		break;
	case ISSUER_MOVED:
		reply(fd, "302 Found", json, "Location: /elsewhere\r\n", set);
		break;
	case ISSUER_GARBAGE:
		reply(fd, "200 OK", json, fields, "\x01\x02{{{{");
		break;
	case ISSUER_HTML:
		reply(fd, "200 OK", "text/html", fields, "<html>maintenance</html>");
		break;
	case ISSUER_TRUNCATED:
		say(fd, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%.*s",
		        json, strlen(set), (int)strlen(set) / 2, set);
		break;
	case ISSUER_ENDLESS:
		flood(i, fd);
		break;
	case ISSUER_GZIP:
		reply(fd, "200 OK", json, "Content-Encoding: gzip\r\n", "\x1f\x8b\x08\x01\x02\x03");
		break;
	case ISSUER_EMPTY:
		reply(fd, "200 OK", json, fields, "{\"keys\":[]}");
		break;
	case ISSUER_TWICE:
		twice(fd, set);
		break;
	case ISSUER_NO_HTTP:
	case ISSUER_MODES:
	default:
		say(fd, "220 mail.example ESMTP\r\n");
		break;
	}
}

static void
serve_one(struct issuer *i, int fd)
{
	static char set[SET_MAX];
	char request[2048];
	enum issuer_mode mode;
	const char *fields;

	if (recv(fd, request, sizeof(request), 0) <= 0)
		return;
	(void)pthread_mutex_lock(&i->lock);
	i->requests++;
	mode = i->mode;
	fields = i->fields;
	memcpy(set, i->set, sizeof(set));
	(void)pthread_mutex_unlock(&i->lock);
	answer(i, fd, mode, set, fields);
	(void)shutdown(fd, SHUT_WR);
	(void)waits(i, fd, 1000);
}

static void *
serve(void *arg)
{
	struct issuer *i = arg;
	struct pollfd fds[] = {
	        {.fd = i->end_fd,   .events = POLLIN},
                {.fd = i->listener, .events = POLLIN}
        };

	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0) {
		const int fd = accept4(i->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0) {
			serve_one(i, fd);
			(void)close(fd);
		}
	}
	return NULL;
}

struct issuer *
issuer_start(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	struct issuer *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	(void)pthread_mutex_init(&i->lock, NULL);
	i->end_fd = eventfd(0, EFD_CLOEXEC);
	i->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (i->end_fd < 0 || i->listener < 0 ||
	        bind(i->listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	        listen(i->listener, 64) != 0 ||
	        getsockname(i->listener, (struct sockaddr *)&at, &len) != 0 ||
	        pthread_create(&i->thread, NULL, serve, i) != 0) {
		free(i);
		return NULL;
	}
	(void)snprintf(i->url, sizeof(i->url), "http://127.0.0.1:%d/jwks", ntohs(at.sin_port));
	return i;
}

void
issuer_stop(struct issuer *i)
{
	const uint64_t one = 1;

	if (i == NULL)
		return;
	if (write(i->end_fd, &one, sizeof(one)) == sizeof(one))
		(void)pthread_join(i->thread, NULL);
	(void)close(i->listener);
	(void)close(i->end_fd);
	(void)pthread_mutex_destroy(&i->lock);
	free(i);
}

const char *
issuer_url(const struct issuer *i)
{
	return i->url;
}

void
issuer_say(struct issuer *i, enum issuer_mode mode, const char *set, const char *fields)
{
	(void)pthread_mutex_lock(&i->lock);
	i->mode = mode;
	i->fields = fields;
	if (set != NULL)
		(void)snprintf(i->set, sizeof(i->set), "%s", set);
	(void)pthread_mutex_unlock(&i->lock);
}

unsigned
issuer_requests(struct issuer *i)
{
	unsigned n;

	(void)pthread_mutex_lock(&i->lock);
	n = i->requests;
	(void)pthread_mutex_unlock(&i->lock);
	return n;
}

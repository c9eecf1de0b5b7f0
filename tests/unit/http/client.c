/* The client of kit.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

struct client
client_adopt(int fd)
{
	return (struct client){.fd = fd, .in = BUF(MIB(64))};
}

static struct client
open_with(const struct kit *k, int receive_buffer)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)k->port)};
	struct client c = client_adopt(-1);
	const int on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(c.fd, 0);
	if (receive_buffer > 0)
		(void)setsockopt(
		        c.fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	(void)setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ck_assert_int_eq(connect(c.fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return c;
}

struct client
client_open(const struct kit *k)
{
	return open_with(k, 0);
}

struct client
client_open_small(const struct kit *k)
{
	return open_with(k, 4096);
}

void
client_close(struct client *c)
{
	(void)close(c->fd);
	buf_free(&c->in);
	free(c->body);
	free(c->head);
}

void
client_reset(struct client *c)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(c);
}

size_t
client_push(struct client *c, const char *bytes, size_t len, int wait_ms)
{
	const int64_t until = clock_mono_us() + wait_ms * 1000LL;
	size_t done = 0;

	while (done < len && clock_mono_us() < until) {
		struct pollfd p = {.fd = c->fd, .events = POLLOUT};
		ssize_t n;

		(void)poll(&p, 1, 10);
		n = send(c->fd, bytes + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EAGAIN)
			break;
	}
	return done;
}

void
client_say(struct client *c, const char *text)
{
	ck_assert_uint_eq(client_push(c, text, strlen(text), KIT_WAIT_MS), strlen(text));
}

/* More bytes; 0 at the end, -1 when nothing comes in time. */
static ssize_t
more(struct client *c, int wait_ms)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	char *room = buf_room(&c->in, KIB(64));
	ssize_t n;

	ck_assert_ptr_nonnull(room);
	if (poll(&p, 1, wait_ms) <= 0)
		return -1;
	n = recv(c->fd, room, KIB(64), 0);
	if (n > 0)
		c->in.len += (size_t)n;
	return n > 0 ? n : 0;
}

static int
take_reply(struct client *c, bool no_body)
{
	const char *end, *length;
	size_t body = 0;
	int status;

	while (c->in.len == 0 || memmem(c->in.data, c->in.len, "\r\n\r\n", 4) == NULL)
		if (more(c, KIT_WAIT_MS) <= 0)
			return 0;
	free(c->head);
	free(c->body);
	end = (const char *)memmem(c->in.data, c->in.len, "\r\n\r\n", 4) + 4;
	c->head = strndup(c->in.data, (size_t)(end - c->in.data));
	buf_drop(&c->in, (size_t)(end - c->in.data));
	ck_assert_int_eq(strncmp(c->head, "HTTP/1.1 ", 9), 0);
	status = (int)strtol(c->head + 9, NULL, 10);
	length = strstr(c->head, "Content-Length: ");
	ck_assert_int_eq(length == NULL, status == 100 || status == 204); /* HP16 */
	if (length != NULL && !no_body)
		body = strtoul(length + 16, NULL, 10);
	while (c->in.len < body)
		if (more(c, KIT_WAIT_MS) <= 0)
			break;
	c->body =
	        strndup(c->in.data != NULL ? c->in.data : "", c->in.len < body ? c->in.len : body);
	if (c->in.len < body)
		return 0;
	buf_drop(&c->in, body);
	return status;
}

int
client_reply(struct client *c)
{
	return take_reply(c, false);
}

int
client_reply_to_head(struct client *c)
{
	return take_reply(c, true);
}

bool
client_ended(struct client *c)
{
	return c->in.len == 0 && more(c, KIT_WAIT_MS) == 0;
}

bool
client_silent(struct client *c, int wait_ms)
{
	return c->in.len == 0 && more(c, wait_ms) < 0;
}

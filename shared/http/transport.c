#include "shared/http/transport.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static enum transport_verdict
failure(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? TRANSPORT_AGAIN : TRANSPORT_BROKEN;
}

static enum transport_verdict
plain_read(struct transport *t, void *bytes, size_t len, size_t *done)
{
	ssize_t n;

	do {
		n = recv(t->fd, bytes, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return TRANSPORT_EOF;
	if (n < 0)
		return failure();
	*done = (size_t)n;
	return TRANSPORT_OK;
}

static enum transport_verdict
plain_write(struct transport *t, struct iovec *parts, int count, size_t *done)
{
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
	ssize_t n;

	do {
		n = sendmsg(t->fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return failure();
	*done = (size_t)n;
	return TRANSPORT_OK;
}

static void
plain_shut(struct transport *t)
{
	(void)shutdown(t->fd, SHUT_WR);
}

static void
plain_discard(struct transport *t)
{
	const struct linger none = {.l_onoff = 1};

	(void)setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static size_t
plain_untaken(const struct transport *t)
{
	int bytes = 0;

	return ioctl(t->fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

static void
plain_close(struct transport *t)
{
	(void)close(t->fd);
	t->fd = -1;
}

struct transport
transport_plain(int fd)
{
	static const struct transport_kind plain = {
	        plain_read, plain_write, plain_shut, plain_discard, plain_untaken, plain_close};

	return (struct transport){.kind = &plain, .fd = fd, .ready = true};
}

#include "tests/net/offer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/rand.h"
#include "tests/lib/wire.h"

enum {
	REPLY = 8192,
	REQUEST = 4096,
	EVENTS = 256,
	LATE_MS = 10000, /* how long replies are waited for at the end */
	US_PER_S = 1000000,
};

struct line {
	int fd;
	bool asking;
	int64_t due_us;
	size_t len;
	char bytes[REPLY];
};

struct run {
	const struct offer_settings *s;
	struct offered *out;
	int epoll;
	struct line *lines;
	struct line **free_lines; /* a stack */
	size_t free_count, asking;
	uint64_t nonce;
	int64_t from_us, counted_us, until_us;
};

static void
ask(struct run *r, struct line *l, int64_t due_us)
{
	char body[512], request[REQUEST];
	const int len = snprintf(body, sizeof(body),
	        "{\"name\":\"%s\",\"namespace\":\"%s\",\"version\":\"1.0.0\",\"context\":"
	        "{\"nonce\":\"%llx\"},\"initiator\":\"net\",\"source_system\":\"test\",\"reason\":"
	        "\"overload\"}",
	        r->s->name, r->s->ns, (unsigned long long)r->nonce++);
	const int all = snprintf(request, sizeof(request),
	        "POST /v1/tasks HTTP/1.1\r\nHost: net\r\n%sContent-Type: application/json\r\n"
	        "Content-Length: %d\r\n\r\n%s",
	        r->s->headers, len, body);

	l->due_us = due_us;
	l->len = 0;
	l->asking = true;
	r->asking++;
	if (send(l->fd, request, (size_t)all, MSG_NOSIGNAL | MSG_DONTWAIT) != all)
		(void)shutdown(l->fd, SHUT_RDWR); /* it is read as an end */
}

/* Counts what is due in the measured part of the run; status 0: the connection ended. */
static void
answered(struct run *r, struct line *l, int status)
{
	struct offered *o = r->out;
	const int64_t took = clock_mono_us() - l->due_us;

	l->asking = false;
	r->asking--;
	if (l->due_us >= r->counted_us && status == 201) {
		o->created++;
		histogram_add(&o->created_us, took);
	} else if (l->due_us >= r->counted_us && status == 503) {
		o->refused++;
		o->without_retry_after += strstr(l->bytes, "\r\nRetry-After: ") == NULL ? 1 : 0;
		histogram_add(&o->refused_us, took);
	} else if (l->due_us >= r->counted_us) {
		o->failed++;
	}
	r->free_lines[r->free_count++] = l;
}

/* Is the reply whole? */
static bool
is_whole(const struct line *l)
{
	const char *end = strstr(l->bytes, "\r\n\r\n");
	const char *length = strstr(l->bytes, "\r\nContent-Length: ");

	return end != NULL && length != NULL &&
	       l->len >= (size_t)(end - l->bytes) + 4 + strtoul(length + 18, NULL, 10);
}

static void
hear(struct run *r, struct line *l)
{
	const ssize_t n = recv(l->fd, l->bytes + l->len, REPLY - 1 - l->len, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		(void)epoll_ctl(r->epoll, EPOLL_CTL_DEL, l->fd, NULL);
		if (l->asking) {
			answered(r, l, 0);
			r->free_count--; /* it is gone for good */
		}
		return;
	}
	l->len += (size_t)n;
	l->bytes[l->len] = '\0';
	if (l->asking && is_whole(l))
		answered(r, l, (int)strtol(l->bytes + 9, NULL, 10));
}

/* Sends what is due by now. */
static void
ask_due(struct run *r, int64_t now)
{
	if (now >= r->until_us)
		return;
	if (r->s->per_s <= 0) {
		while (r->free_count > 0) {
			r->out->due += now >= r->counted_us ? 1 : 0;
			ask(r, r->free_lines[--r->free_count], now);
		}
		return;
	}
	for (;;) {
		const int64_t due = r->from_us; /* from_us moves along: the next one's time */

		if (due > now)
			return;
		r->from_us = due + (int64_t)(US_PER_S / r->s->per_s);
		r->out->due += due >= r->counted_us ? 1 : 0;
		if (r->free_count > 0)
			ask(r, r->free_lines[--r->free_count], due);
		else if (due >= r->counted_us)
			r->out->unsent++;
	}
}

static bool
connect_all(struct run *r)
{
	for (size_t i = 0; i < r->s->connections; i++) {
		struct line *l = &r->lines[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = l};

		l->fd = wire_connect(r->s->port);
		if (l->fd < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, l->fd, &event) != 0)
			return false;
		r->free_lines[r->free_count++] = l;
	}
	return true;
}

static void
drive(struct run *r)
{
	struct epoll_event events[EVENTS];
	int64_t now = clock_mono_us();

	r->from_us = now;
	r->until_us = now + (int64_t)(r->s->seconds * US_PER_S);
	r->counted_us = now + (int64_t)(r->s->seconds * US_PER_S / 5);
	while (now < r->until_us ||
	        (r->asking > 0 && now < r->until_us + (int64_t)LATE_MS * 1000)) {
		int n;

		ask_due(r, now);
		n = epoll_wait(r->epoll, events, EVENTS, 1);
		for (int i = 0; i < n; i++)
			hear(r, events[i].data.ptr);
		now = clock_mono_us();
	}
	r->out->failed += r->asking;
	r->out->seconds = (double)(r->until_us - r->counted_us) / US_PER_S;
}

bool
offer(const struct offer_settings *settings, struct offered *out)
{
	struct run r = {.s = settings, .out = out, .nonce = rand_u64()};
	bool connected;

	*out = (struct offered){.seconds = 0};
	r.epoll = epoll_create1(EPOLL_CLOEXEC);
	r.lines = calloc(settings->connections, sizeof(*r.lines));
	r.free_lines = calloc(settings->connections, sizeof(struct line *));
	connected = r.epoll >= 0 && r.lines != NULL && r.free_lines != NULL && connect_all(&r);
	if (connected)
		drive(&r);
	for (size_t i = 0; r.lines != NULL && i < settings->connections; i++)
		if (r.lines[i].fd > 0)
			(void)close(r.lines[i].fd);
	(void)close(r.epoll);
	free(r.free_lines);
	free(r.lines);
	return connected;
}

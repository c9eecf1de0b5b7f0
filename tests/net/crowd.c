#include "tests/net/crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"

enum {
	CONNECT_MS = 10000,
	TICK_MS = 20,
	EVENTS = 256,
	DEAF_BYTES = 4096, /* the kernel takes twice that */
	LINE = 12,         /* "HTTP/1.1 408" */
	US_PER_MS = 1000,
	US_PER_S = 1000000,
};

struct member {
	int fd; /* -1: not connected, or ended */
	size_t sent, got;
	char line[LINE + 1];
	int64_t begun_us, answered_us, ended_us; /* 0: not yet */
	int64_t drip_us;
};

struct crowd {
	struct crowd_settings settings;
	pthread_t thread;
	bool running;
	int epoll;
	struct member *members;
	atomic_bool ending;
	atomic_size_t connected, refused, ended, answered;
	atomic_int_least64_t late_us; /* the longest that a wait took beyond its time */
};

static struct sockaddr_in
loopback(const char *address, int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	(void)inet_pton(AF_INET, address, &at.sin_addr);
	return at;
}

/* A blocking connect: on loopback it is done when the daemon's backlog has taken it. */
static int
connect_from(const char *from, int port, bool deaf, int flags)
{
	const struct sockaddr_in own = loopback(from, 0), to = loopback("127.0.0.1", port);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), small = DEAF_BYTES;

	if (fd < 0)
		return -1;
	if (deaf)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
	        (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 &&
	                errno != EINPROGRESS)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static void
end_member(struct crowd *c, struct member *m)
{
	(void)close(m->fd);
	m->fd = -1;
	m->ended_us = clock_mono_us();
	c->ended++;
}

/* The last status line is kept: replies of ours are small and come whole, but for the deaf. */
static void
hear(struct crowd *c, struct member *m)
{
	char bytes[8192];
	const ssize_t n = recv(m->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_member(c, m);
		return;
	}
	if ((size_t)n >= LINE && memcmp(bytes, "HTTP/1.1 ", 9) == 0) {
		c->answered += m->answered_us == 0 ? 1 : 0;
		m->answered_us = clock_mono_us();
		memcpy(m->line, bytes, LINE);
	}
}

/* Sends up to n bytes of the script. An error shows as an event of its own. */
static void
say(struct crowd *c, struct member *m, size_t n)
{
	const size_t left = c->settings.len - m->sent;
	ssize_t sent = 0;

	if (left > 0 && n > 0)
		sent = send(m->fd, c->settings.script + m->sent, n < left ? n : left,
		        MSG_NOSIGNAL | MSG_DONTWAIT);
	m->sent += sent > 0 ? (size_t)sent : 0;
}

static void
drip_all(struct crowd *c, int64_t now)
{
	const struct crowd_settings *s = &c->settings;

	for (size_t i = 0; s->drip > 0 && i < s->count; i++) {
		struct member *m = &c->members[i];

		if (m->fd < 0 || now < m->drip_us)
			continue;
		m->drip_us += (int64_t)s->drip_ms * US_PER_MS;
		say(c, m, s->drip);
	}
}

static void *
crowd_main(void *arg)
{
	struct crowd *c = arg;
	struct epoll_event events[EVENTS];

	while (!c->ending) {
		const int64_t from = clock_mono_us();
		const int n = epoll_wait(c->epoll, events, EVENTS, TICK_MS);
		const int64_t late = clock_mono_us() - from - (int64_t)TICK_MS * US_PER_MS;

		if (late > c->late_us)
			c->late_us = late;
		for (int i = 0; i < n; i++) {
			struct member *m = events[i].data.ptr;

			if (m->fd < 0)
				continue;
			if (c->settings.deaf)
				end_member(c, m); /* only its end is watched */
			else
				hear(c, m);
		}
		drip_all(c, clock_mono_us());
	}
	return NULL;
}

static void
join_one(struct crowd *c, struct member *m)
{
	const struct crowd_settings *s = &c->settings;
	struct epoll_event event = {
	        .events = s->deaf ? EPOLLHUP | EPOLLERR : EPOLLIN, .data.ptr = m};

	m->fd = connect_from(s->from, s->port, s->deaf, 0);
	if (m->fd < 0) {
		c->refused++;
		return;
	}
	m->begun_us = clock_mono_us();
	m->drip_us = m->begun_us + (int64_t)s->drip_ms * US_PER_MS;
	say(c, m, s->at_once);
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, m->fd, &event) == 0)
		c->connected++;
}

struct crowd *
crowd_start(const struct crowd_settings *settings)
{
	struct crowd *c = calloc(1, sizeof(*c));
	const int64_t until = clock_mono_us() + (int64_t)CONNECT_MS * US_PER_MS;

	if (c == NULL)
		return NULL;
	c->settings = *settings;
	c->members = calloc(settings->count, sizeof(*c->members));
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; c->members != NULL && i < settings->count; i++)
		c->members[i].fd = -1;
	c->running = c->members != NULL && c->epoll >= 0 &&
	             pthread_create(&c->thread, NULL, crowd_main, c) == 0;
	if (!c->running) {
		crowd_free(c);
		return NULL;
	}
	for (size_t i = 0; i < settings->count && clock_mono_us() < until; i++)
		join_one(c, &c->members[i]);
	return c;
}

void
crowd_free(struct crowd *c)
{
	if (c == NULL)
		return;
	c->ending = true;
	if (c->running)
		(void)pthread_join(c->thread, NULL);
	for (size_t i = 0; c->members != NULL && i < c->settings.count; i++)
		if (c->members[i].fd >= 0)
			(void)close(c->members[i].fd);
	if (c->epoll >= 0)
		(void)close(c->epoll);
	free(c->members);
	free(c);
}

struct crowd_numbers
crowd_numbers(struct crowd *c)
{
	return (struct crowd_numbers){.connected = c->connected,
	        .refused = c->refused,
	        .ended = c->ended,
	        .answered = c->answered};
}

bool
crowd_ends(struct crowd *c, int within_ms)
{
	const int64_t until = clock_mono_us() + (int64_t)within_ms * US_PER_MS;

	while (c->ended < c->connected && clock_mono_us() < until)
		(void)poll(NULL, 0, TICK_MS);
	return c->ended == c->connected;
}

size_t
crowd_status(const struct crowd *c, int status)
{
	size_t count = 0;

	for (size_t i = 0; i < c->settings.count; i++) {
		const struct member *m = &c->members[i];
		const int got = m->line[0] != '\0' ? (int)strtol(m->line + 9, NULL, 10) : 0;

		count += m->ended_us != 0 && got == status;
	}
	return count;
}

void
crowd_answer_times(const struct crowd *c, struct histogram *out)
{
	*out = (struct histogram){.total = 0};
	for (size_t i = 0; i < c->settings.count; i++)
		if (c->members[i].answered_us != 0)
			histogram_add(out,
			        (c->members[i].answered_us - c->members[i].begun_us) / US_PER_MS);
}

void
crowd_end_times(const struct crowd *c, struct histogram *out)
{
	*out = (struct histogram){.total = 0};
	for (size_t i = 0; i < c->settings.count; i++)
		if (c->members[i].ended_us != 0)
			histogram_add(
			        out, (c->members[i].ended_us - c->members[i].begun_us) / US_PER_MS);
}

int
crowd_late_ms(const struct crowd *c)
{
	return (int)(c->late_us / US_PER_MS);
}

struct flood
crowd_flood(int port, const char *from, size_t count, size_t per_s)
{
	const int64_t begun = clock_mono_us();
	const struct linger hard = {.l_onoff = 1};
	struct flood f = {.tried = count};

	for (size_t i = 0; i < count; i++) {
		const int64_t due = begun + (int64_t)(i * US_PER_S / per_s);
		const int64_t left = due - clock_mono_us();
		const int fd = connect_from(from, port, false, SOCK_NONBLOCK);

		if (left > US_PER_MS)
			(void)poll(NULL, 0, (int)(left / US_PER_MS));
		if (fd < 0)
			continue;
		f.connected++;
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		(void)close(fd);
	}
	f.took_ms = (int)((clock_mono_us() - begun) / US_PER_MS);
	return f;
}

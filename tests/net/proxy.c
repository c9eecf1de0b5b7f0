#include "tests/net/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"

enum { ROOM = 65536, MARKS = 64, BACKLOG = 256, US_PER_S = 1000000, US_PER_MS = 1000 };

/* When bytes arrived, so that each can be late by the same time. */
struct mark {
	size_t end; /* of the bytes, counted from the stream's beginning */
	int64_t at_us;
};

/* One direction of one connection. */
struct flow {
	int from, to;
	char bytes[ROOM];
	size_t len;
	size_t taken, given; /* of the stream so far */
	struct mark marks[MARKS];
	size_t mark_count;
	int64_t next_drip_us;
	size_t cut_at; /* SIZE_MAX: not yet chosen */
	size_t head;   /* how much of CRLF CRLF was seen, 4: all of it */
	bool eof, shut;
};

struct tunnel {
	int client, server; /* -1: free */
	struct flow up, down;
};

struct proxy {
	pthread_t thread;
	pthread_mutex_t lock; /* what follows up to numbers is shared */
	struct proxy_fault fault_up, fault_down;
	int to;
	bool ending;
	struct proxy_numbers numbers;
	bool started;
	int fd, port, wake;
	uint64_t chance;
	struct tunnel tunnels[PROXY_PAIRS];
};

static uint64_t
next_chance(struct proxy *p, uint64_t below)
{
	uint64_t x = p->chance += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (x ^ (x >> 31)) % below;
}

/* ---- connections ---- */

static void
close_with(int fd, bool reset)
{
	const struct linger hard = {.l_onoff = 1};

	if (reset)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(fd);
}

static void
tunnel_close(struct tunnel *t, bool reset)
{
	close_with(t->client, reset);
	close_with(t->server, reset);
	t->client = t->server = -1;
}

static int
connect_to(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		(void)close(fd);
		return -1;
	}
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static struct tunnel *
free_tunnel(struct proxy *p)
{
	for (size_t i = 0; i < PROXY_PAIRS; i++)
		if (p->tunnels[i].client < 0)
			return &p->tunnels[i];
	return NULL;
}

static void
flow_init(struct flow *f, int from, int to)
{
	*f = (struct flow){.from = from, .to = to, .cut_at = SIZE_MAX};
}

static bool
is_refused(struct proxy *p)
{
	const struct proxy_fault f = p->fault_up;

	return p->to == 0 || (f.kind == PROXY_REFUSE && next_chance(p, 100) < f.amount);
}

static void
accept_one(struct proxy *p)
{
	struct tunnel *t = free_tunnel(p);
	const int one = 1;
	int client, server;

	if (t == NULL)
		return;
	client = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		return;
	server = is_refused(p) ? -1 : connect_to(p->to);
	if (server < 0) {
		p->numbers.refused++;
		close_with(client, true);
		return;
	}
	p->numbers.accepted++;
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	t->client = client;
	t->server = server;
	flow_init(&t->up, client, server);
	flow_init(&t->down, server, client);
}

/* ---- one direction ---- */

/* How many of the bytes held are due by now; *wake is when more will be. */
static size_t
due(struct flow *f, const struct proxy_fault *fault, int64_t now, int64_t *wake)
{
	size_t upto = 0;

	switch (fault->kind) {
	case PROXY_STOP:
		return 0;
	case PROXY_DRIP:
		if (f->len > 0 && now < f->next_drip_us) {
			*wake = f->next_drip_us < *wake ? f->next_drip_us : *wake;
			return 0;
		}
		return f->len > 0 ? 1 : 0;
	case PROXY_DELAY:
		for (size_t i = 0; i < f->mark_count; i++) {
			const int64_t at = f->marks[i].at_us + (int64_t)fault->amount * US_PER_MS;

			if (at > now) {
				*wake = at < *wake ? at : *wake;
				break;
			}
			upto = f->marks[i].end - f->given;
		}
		return upto;
	case PROXY_PASS:
	case PROXY_CUT:
	case PROXY_RESET:
	case PROXY_REFUSE:
		break;
	}
	return f->len;
}

/* The bytes of a stream that are its first head, as far as it has come. */
static size_t
head_len(struct flow *f, size_t n)
{
	static const char end[] = "\r\n\r\n";
	size_t i = 0;

	for (; i < n && f->head < 4; i++)
		f->head = f->bytes[i] == end[f->head] ? f->head + 1 : f->bytes[i] == '\r' ? 1 : 0;
	return i;
}

/* How many of n bytes may pass before the connection is cut. */
static size_t
before_cut(struct proxy *p, struct flow *f, const struct proxy_fault *fault, size_t n)
{
	if (fault->kind == PROXY_RESET) {
		const size_t skip = head_len(f, n);

		if (f->head < 4)
			return n;
		if (f->cut_at == SIZE_MAX)
			f->cut_at = f->given + skip + next_chance(p, (uint64_t)fault->amount + 1);
	} else if (fault->kind == PROXY_CUT && f->cut_at == SIZE_MAX) {
		f->cut_at = f->given + next_chance(p, (uint64_t)fault->amount + 1);
	} else if (fault->kind != PROXY_CUT) {
		f->cut_at = SIZE_MAX;
		return n;
	}
	return f->cut_at - f->given < n ? f->cut_at - f->given : n;
}

static void
drop(struct flow *f, size_t n)
{
	size_t past = 0;

	f->len -= n;
	f->given += n;
	memmove(f->bytes, f->bytes + n, f->len);
	while (past < f->mark_count && f->marks[past].end <= f->given)
		past++;
	f->mark_count -= past;
	memmove(f->marks, f->marks + past, f->mark_count * sizeof(f->marks[0]));
}

enum flow_verdict { FLOW_BROKEN = 0, FLOW_CUT, FLOW_OK };

static enum flow_verdict
forward(struct proxy *p, struct flow *f, const struct proxy_fault *fault, int64_t *wake)
{
	const int64_t now = clock_mono_us();
	const size_t n = due(f, fault, now, wake), most = before_cut(p, f, fault, n);
	ssize_t sent = 0;

	if (most > 0)
		sent = send(f->to, f->bytes, most, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return FLOW_BROKEN;
	if (sent > 0)
		drop(f, (size_t)sent);
	if (sent > 0 && fault->kind == PROXY_DRIP) {
		f->next_drip_us = now + US_PER_S / (fault->amount > 0 ? fault->amount : 1);
		*wake = f->next_drip_us < *wake ? f->next_drip_us : *wake;
	}
	if (most < n && sent == (ssize_t)most)
		return FLOW_CUT;
	if (f->eof && f->len == 0 && !f->shut && fault->kind != PROXY_STOP) {
		f->shut = true;
		(void)shutdown(f->to, SHUT_WR);
	}
	return FLOW_OK;
}

/* False: the connection was reset. */
static bool
take(struct flow *f)
{
	const ssize_t n = recv(f->from, f->bytes + f->len, ROOM - f->len, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	f->eof = n == 0;
	f->len += (size_t)n;
	f->taken += (size_t)n;
	if (n > 0)
		f->marks[f->mark_count++] =
		        (struct mark){.end = f->taken, .at_us = clock_mono_us()};
	return true;
}

static bool
wants_bytes(const struct flow *f, const struct proxy_fault *fault)
{
	return !f->eof && f->len < ROOM && f->mark_count < MARKS && fault->kind != PROXY_STOP;
}

/* ---- the thread ---- */

static void
serve_flow(struct proxy *p, struct tunnel *t, struct flow *f, short events, int64_t *wake)
{
	const struct proxy_fault fault = f == &t->up ? p->fault_up : p->fault_down;
	uint64_t *bytes = f == &t->up ? &p->numbers.up : &p->numbers.down;
	const size_t before = f->given;
	enum flow_verdict verdict = FLOW_BROKEN;

	if (t->client < 0)
		return;
	if ((events & (POLLIN | POLLHUP | POLLERR)) == 0 || !wants_bytes(f, &fault) || take(f))
		verdict = forward(p, f, &fault, wake);
	*bytes += f->given - before;
	p->numbers.cut += verdict == FLOW_CUT ? 1 : 0;
	/* A reset travels no further than the fault lets it. */
	if (verdict == FLOW_CUT)
		tunnel_close(t, fault.kind == PROXY_RESET);
	else if (verdict == FLOW_BROKEN || (t->up.shut && t->down.shut))
		tunnel_close(t, verdict == FLOW_BROKEN);
}

/* What a socket is watched for: bytes that are wanted of it, room for bytes that are due. */
static struct pollfd
watch(const struct flow *in, const struct flow *out, const struct proxy_fault *in_fault,
        const struct proxy_fault *out_fault)
{
	struct pollfd w = {.fd = in->from};

	if (wants_bytes(in, in_fault))
		w.events |= POLLIN;
	if (out->len > 0 && (out_fault->kind == PROXY_PASS || out_fault->kind == PROXY_REFUSE))
		w.events |= POLLOUT;
	if (w.events == 0)
		w.fd = -1; /* or a hangup that may not be seen yet would make this spin */
	return w;
}

static void
serve(struct proxy *p, const struct pollfd *ready, int64_t *wake)
{
	for (size_t i = 0; i < PROXY_PAIRS; i++) {
		struct tunnel *t = &p->tunnels[i];

		if (t->client < 0)
			continue;
		serve_flow(p, t, &t->up, ready[2 * i].revents, wake);
		serve_flow(p, t, &t->down, ready[2 * i + 1].revents, wake);
	}
}

static void
prepare(struct proxy *p, struct pollfd *all)
{
	for (size_t i = 0; i < PROXY_PAIRS; i++) {
		const struct tunnel *t = &p->tunnels[i];

		all[2 * i] = all[2 * i + 1] = (struct pollfd){.fd = -1};
		if (t->client < 0)
			continue;
		all[2 * i] = watch(&t->up, &t->down, &p->fault_up, &p->fault_down);
		all[2 * i + 1] = watch(&t->down, &t->up, &p->fault_down, &p->fault_up);
	}
	all[2 * PROXY_PAIRS] =
	        (struct pollfd){.fd = free_tunnel(p) != NULL ? p->fd : -1, .events = POLLIN};
	all[2 * PROXY_PAIRS + 1] = (struct pollfd){.fd = p->wake, .events = POLLIN};
}

static void *
proxy_main(void *arg)
{
	struct proxy *p = arg;
	struct pollfd all[2 * PROXY_PAIRS + 2];
	int64_t wake = INT64_MAX;
	uint64_t wakes;
	bool ending = false;

	while (!ending) {
		const int64_t left = wake - clock_mono_us();

		(void)pthread_mutex_lock(&p->lock);
		prepare(p, all);
		(void)pthread_mutex_unlock(&p->lock);
		(void)poll(all, COUNT(all),
		        wake == INT64_MAX ? -1
		        : left > 0        ? (int)((left + US_PER_MS - 1) / US_PER_MS)
		                          : 0);
		if (all[2 * PROXY_PAIRS + 1].revents != 0 &&
		        read(p->wake, &wakes, sizeof(wakes)) < 0)
			break;
		wake = INT64_MAX;
		(void)pthread_mutex_lock(&p->lock);
		ending = p->ending;
		serve(p, all, &wake);
		if (all[2 * PROXY_PAIRS].revents != 0)
			accept_one(p);
		(void)pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* ---- from outside ---- */

static void
rouse(struct proxy *p)
{
	const uint64_t one = 1;

	/* The only failure is a counter that is full, and then it is awake. */
	if (write(p->wake, &one, sizeof(one)) < 0)
		return;
}

static bool
listen_at(struct proxy *p)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->fd < 0 || p->wake < 0 || bind(p->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	        listen(p->fd, BACKLOG) != 0 ||
	        getsockname(p->fd, (struct sockaddr *)&at, &len) != 0)
		return false;
	p->port = ntohs(at.sin_port);
	return true;
}

struct proxy *
proxy_new(uint64_t seed)
{
	struct proxy *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->fd = p->wake = -1;
	p->chance = seed;
	(void)pthread_mutex_init(&p->lock, NULL);
	for (size_t i = 0; i < PROXY_PAIRS; i++)
		p->tunnels[i].client = p->tunnels[i].server = -1;
	p->started = listen_at(p) && pthread_create(&p->thread, NULL, proxy_main, p) == 0;
	if (!p->started) {
		proxy_free(p);
		return NULL;
	}
	return p;
}

void
proxy_free(struct proxy *p)
{
	if (p == NULL)
		return;
	if (p->started) {
		(void)pthread_mutex_lock(&p->lock);
		p->ending = true;
		(void)pthread_mutex_unlock(&p->lock);
		rouse(p);
		(void)pthread_join(p->thread, NULL);
	}
	for (size_t i = 0; i < PROXY_PAIRS; i++)
		if (p->tunnels[i].client >= 0)
			tunnel_close(&p->tunnels[i], false);
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->wake >= 0)
		(void)close(p->wake);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}

int
proxy_port(const struct proxy *p)
{
	return p->port;
}

void
proxy_to(struct proxy *p, int port)
{
	(void)pthread_mutex_lock(&p->lock);
	p->to = port;
	(void)pthread_mutex_unlock(&p->lock);
	rouse(p);
}

void
proxy_set(struct proxy *p, struct proxy_fault up, struct proxy_fault down)
{
	(void)pthread_mutex_lock(&p->lock);
	p->fault_up = up;
	p->fault_down = down;
	(void)pthread_mutex_unlock(&p->lock);
	rouse(p);
}

struct proxy_numbers
proxy_numbers(struct proxy *p)
{
	struct proxy_numbers n;

	(void)pthread_mutex_lock(&p->lock);
	n = p->numbers;
	(void)pthread_mutex_unlock(&p->lock);
	return n;
}

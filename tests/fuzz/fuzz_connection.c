/* sees: http */
/*
 * Z9: one connection from its first byte to its end, whatever its client sends and whenever the
 * owner answers.
 *
 * The input is a script. Its bytes are what the client sends; 0xff begins an order:
 *   t  one turn of the loop                   g  the client reads what there is
 *   r  the owner replies to what it holds     R  the same, and closes
 *   B  replies with more than a socket takes  b  reads the body
 *   o  replies or reads the body at once from now on, as the last of r R B b; and back
 *   w  the client ends its sending side       x  the client goes
 *   e  the deadline that runs is due          d  the server drains; D by force
 * and anything else, another 0xff too, is itself a byte.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/http/connection.h"
#include "shared/http/endpoint.h"
#include "tests/fuzz/fuzz.h"

enum {
	BODY_MOST = 512,
	BIG = 64 * 1024,
	SOCKET_BYTES = 4608,
	REQUESTS_MAX = 1024,
	TURNS_AT_END = 64,
	SCRIPT_MAX = 8192,
};

struct asked {
	bool head, big;
	bool interim; /* 100 may precede its reply */
	bool read;    /* its body was asked for */
	int status;   /* that the owner gave it; 0: none */
};

struct run {
	struct http_endpoint *ep;
	struct exchange *held; /* the request in progress */
	struct asked asked[REQUESTS_MAX];
	size_t heads, dones, refusals;
	struct buf got; /* by the client */
	int client;
	char manner; /* of r R B b */
	bool at_once;
	bool reading, ended; /* the body is being read; nothing may be parsed any more */
	bool gone;           /* the owner of the request in progress was told */
};

static struct http_server *server;
static struct loop *loop;

static void
reply(struct run *r, char manner)
{
	struct exchange *x = r->held;
	struct asked *a = &r->asked[r->heads - 1];
	struct buf body = BUF(BIG + 32);
	const struct http_reply out = {
	        .status = 200,
	        .content_type = "text/plain",
	        .body = &body,
	        .close = manner == 'R',
	};

	a->big = manner == 'B';
	a->status = 200;
	buf_format(&body, "%zu.", r->heads);
	for (size_t i = 0; a->big && i < BIG / 16; i++)
		buf_add(&body, "0123456789abcdef", 16);
	r->ended = r->ended || out.close;
	exchange_reply(x, &out);
	buf_free(&body);
}

static void
act(struct run *r, char manner)
{
	if (r->held == NULL || r->reading || r->asked[r->heads - 1].status != 0)
		return;
	if (manner == 'b' && !r->asked[r->heads - 1].read) {
		r->reading = r->asked[r->heads - 1].read = true;
		exchange_read_body(r->held, BODY_MOST);
	} else {
		reply(r, manner);
	}
}

static void
on_head(struct exchange *x, void *arg)
{
	struct run *r = arg;
	const struct http_head *h = exchange_head(x);

	CLAIM(r->held == NULL && !r->ended);
	CLAIM(r->heads < REQUESTS_MAX);
	r->asked[r->heads++] =
	        (struct asked){.head = h->method == METHOD_HEAD, .interim = h->expect_continue};
	r->held = x;
	r->gone = false;
	r->ended = !h->keep_alive;
	exchange_set_user(x, r);
	if (r->at_once)
		act(r, r->manner);
}

static void
on_body(struct exchange *x, void *arg)
{
	struct run *r = arg;
	const struct http_head *h = exchange_head(x);
	size_t len = 0;
	const char *body = exchange_body(x, &len);

	CLAIM(x == r->held && r->reading);
	CLAIM(len <= BODY_MOST && body[len] == '\0');
	CLAIM(h->body == BODY_CHUNKED || len == (h->body == BODY_LENGTH ? h->content_length : 0));
	r->reading = false;
	if (r->at_once)
		reply(r, r->manner == 'b' ? 'r' : r->manner);
}

static void
on_refused(int status, const char *reason, struct buf *body, void *arg)
{
	struct run *r = arg;

	CLAIM(status >= 400 && reason != NULL && r->refusals == 0);
	CLAIM(r->held == NULL || r->reading);
	r->refusals++;
	r->ended = true;
	buf_text(body, "no.");
}

static void
on_gone(struct exchange *x, void *arg)
{
	struct run *r = arg;

	CLAIM(x == r->held && !r->gone && !exchange_alive(x));
	r->gone = true;
}

static void
on_done(struct exchange *x, void *arg)
{
	struct run *r = arg;

	CLAIM(x == r->held && exchange_user(x) == r);
	r->held = NULL;
	r->reading = false;
	r->dones++;
}

static void
begin(struct run *r)
{
	const struct http_callbacks callbacks = {on_head, on_body, on_refused, on_gone, on_done, r};
	const int small = SOCKET_BYTES;
	const char peer[INET6_ADDRSTRLEN] = "local";
	int pair[2];
	struct err e = {0};

	CLAIM(http_endpoint_new(server, loop, &callbacks, &r->ep, &e));
	CLAIM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	r->client = pair[1];
	CLAIM(admission_enter(&server->admission, 1) == ADMISSION_ENTERED);
	CLAIM(connection_new(r->ep, pair[0], 1, peer));
}

/* The one connection; NULL if it has ended. */
static struct connection *
connection_of(struct run *r)
{
	for (int kind = 0; kind < DEADLINE_KINDS; kind++) {
		struct deadline *d = deadlines_first(&r->ep->deadlines, (enum deadline_kind)kind);

		if (d != NULL)
			return (struct connection *)d;
	}
	return NULL;
}

static void
turn(void)
{
	(void)event_base_loop(loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/* The client takes what there is. */
static void
receive(struct run *r)
{
	ssize_t n = 1;

	while (r->client >= 0 && n > 0) {
		char *room = buf_room(&r->got, BIG);

		CLAIM(room != NULL);
		n = recv(r->client, room, BIG, 0);
		if (n > 0)
			r->got.len += (size_t)n;
	}
}

static void
hang_up(struct run *r)
{
	if (r->client >= 0)
		(void)close(r->client);
	r->client = -1;
}

static void
expire(struct run *r)
{
	struct connection *c = connection_of(r);

	if (c != NULL)
		connection_expired(c);
}

static void
order(struct run *r, char what)
{
	switch (what) {
	case 't':
		turn();
		break;
	case 'g':
		receive(r);
		break;
	case 'r':
	case 'R':
	case 'B':
	case 'b':
		r->manner = what;
		act(r, what);
		break;
	case 'o':
		r->at_once = !r->at_once;
		break;
	case 'w':
		if (r->client >= 0)
			(void)shutdown(r->client, SHUT_WR);
		break;
	case 'x':
		hang_up(r);
		break;
	case 'e':
		expire(r);
		break;
	case 'd':
	case 'D':
		r->ended = r->ended || what == 'D';
		http_endpoint_drain(r->ep, what == 'D', NULL, NULL);
		break;
	default:
		if (r->client >= 0)
			(void)send(r->client, &what, 1, MSG_NOSIGNAL);
		break;
	}
}

static void
play(struct run *r, const char *script, size_t len)
{
	const char *end = script + len;

	while (script < end) {
		const char *next = memchr(script, 0xff, (size_t)(end - script));
		size_t bytes = (size_t)((next != NULL ? next : end) - script);

		if (r->client >= 0 && bytes > 0)
			(void)send(r->client, script, bytes, MSG_NOSIGNAL);
		script += bytes;
		if (end - script < 2)
			return;
		order(r, script[1]);
		script += 2;
	}
}

/* Whatever is unfinished comes to its end: all deadlines pass, the owner answers. */
static void
finish(struct run *r)
{
	for (int i = 0; i < TURNS_AT_END && connection_of(r) != NULL; i++) {
		turn();
		receive(r);
		act(r, 'r');
		if (i % 4 == 3)
			expire(r);
	}
	receive(r);
	hang_up(r);
	for (int i = 0; i < TURNS_AT_END && connection_of(r) != NULL; i++) {
		turn();
		act(r, 'r');
		expire(r);
	}
	if (connection_of(r) != NULL)
		http_endpoint_drain(r->ep, true, NULL, NULL);
	r->reading = false;
	act(r, 'r');
	CLAIM(connection_of(r) == NULL && r->held == NULL && r->dones == r->heads);
	CLAIM(http_endpoint_stats(r->ep).exchanges_open == 0);
	CLAIM(http_endpoint_stats(r->ep).connections_open == 0);
	http_endpoint_free(r->ep);
}

/* One reply of the client's bytes from *at on; false if it is cut off or there is none. */
static bool
next_reply(const struct buf *got, size_t *at, const struct asked *a, size_t number)
{
	const char *head = got->data + *at;
	const char *end = memmem(head, got->len - *at, "\r\n\r\n", 4);
	const char *length;
	char body[32];
	size_t left, want;

	if (end == NULL)
		return false;
	CLAIM(strncmp(head, "HTTP/1.1 ", 9) == 0);
	left = got->len - (size_t)(end + 4 - got->data);
	*at = (size_t)(end + 4 - got->data);
	if (strncmp(head + 9, "100 ", 4) == 0) {
		CLAIM(a != NULL && a->interim);
		return true;
	}
	length = memmem(head, (size_t)(end - head), "\r\nContent-Length: ", 18);
	CLAIM(length != NULL);
	want = strtoul(length + 18, NULL, 10);
	if (a != NULL && a->head)
		return true;
	if (want > left)
		return false;
	if (a != NULL && a->status == 200 && strncmp(head + 9, "200 ", 4) == 0) {
		(void)snprintf(body, sizeof(body), "%zu.", number);
		CLAIM(want == strlen(body) + (a->big ? (size_t)BIG : 0));
		CLAIM(memcmp(end + 4, body, strlen(body)) == 0);
	}
	*at += want;
	return true;
}

/* Replies are those to the requests, in their order, and at most one refusal at the end. */
static void
judge(const struct run *r)
{
	size_t at = 0, replies = 0, closed_at = 0;

	while (at < r->got.len) {
		const size_t from = at;
		const struct asked *a = replies < r->heads ? &r->asked[replies] : NULL;
		const char *head = r->got.data + from;

		CLAIM(closed_at == 0); /* nothing follows the reply that closes */
		if (!next_reply(&r->got, &at, a, replies + 1))
			break;
		if (strncmp(head + 9, "100 ", 4) == 0)
			continue;
		replies++;
		if (memmem(head, at - from, "\r\nConnection: close\r\n", 21) != NULL)
			closed_at = at;
	}
	CLAIM(replies <= r->heads + r->refusals);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;
	struct err e = {0};

	if (size > SCRIPT_MAX)
		return 0;
	if (server == NULL) {
		struct http_limits limits = http_limits_default;

		limits.connections = limits.connections_per_address = 16;
		CLAIM(loop_new("fuzz", &loop, &e));
		CLAIM(http_server_new("127.0.0.1:0", -1, &limits, &server, &e));
	}
	r = (struct run){.client = -1, .manner = 'r', .got = BUF(MIB(256))};
	begin(&r);
	play(&r, (const char *)data, size);
	finish(&r);
	judge(&r);
	buf_free(&r.got);
	return 0;
}

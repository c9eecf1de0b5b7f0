#include "tests/unit/worker/fake_orchestration.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"

struct fake {
	int listener, last;
	char url[64];
	struct {
		int fd;
		char *in;
		size_t len;
	} connections[FAKE_CONNECTIONS];
	char body[FAKE_BODY];
};

struct fake *
fake_new(void)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	ck_assert_ptr_nonnull(f);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(f->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(f->listener, FAKE_CONNECTIONS), 0);
	ck_assert_int_eq(getsockname(f->listener, (struct sockaddr *)&at, &len), 0);
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d", ntohs(at.sin_port));
	for (size_t i = 0; i < FAKE_CONNECTIONS; i++) {
		f->connections[i].fd = -1;
		f->connections[i].in = malloc(FAKE_BODY);
		ck_assert_ptr_nonnull(f->connections[i].in);
	}
	return f;
}

void
fake_free(struct fake *f)
{
	for (int i = 0; i < FAKE_CONNECTIONS; i++) {
		fake_drop(f, i);
		free(f->connections[i].in);
	}
	(void)close(f->listener);
	free(f);
}

const char *
fake_url(struct fake *f)
{
	return f->url;
}

void
fake_drop(struct fake *f, int connection)
{
	if (f->connections[connection].fd >= 0)
		(void)close(f->connections[connection].fd);
	f->connections[connection].fd = -1;
	f->connections[connection].len = 0;
}

static void
welcome(struct fake *f)
{
	const int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	/* Round and round, so that a number means the same connection for a while. */
	for (int i = 1; i <= FAKE_CONNECTIONS; i++) {
		const int at = (f->last + i) % FAKE_CONNECTIONS;

		if (f->connections[at].fd < 0) {
			f->connections[at].fd = fd;
			f->connections[at].len = 0;
			f->last = at;
			return;
		}
	}
	ck_abort_msg("more connections than a link should make");
}

static void
hear(struct fake *f, int i)
{
	const ssize_t n = recv(f->connections[i].fd, f->connections[i].in + f->connections[i].len,
	        FAKE_BODY - 1 - f->connections[i].len, 0);

	if (n <= 0) {
		fake_drop(f, i);
		return;
	}
	f->connections[i].len += (size_t)n;
	f->connections[i].in[f->connections[i].len] = '\0';
}

static void
field(const char *head, const char *name, char *out, size_t size)
{
	const char *at = strcasestr(head, name);
	const char *end = at != NULL ? strstr(at + strlen(name), "\r\n") : NULL;

	out[0] = '\0';
	if (end != NULL)
		(void)snprintf(
		        out, size, "%.*s", (int)(end - at - (long)strlen(name)), at + strlen(name));
}

/* Cuts a whole request out of what connection i has sent. */
static bool
cut(struct fake *f, int i, struct fake_request *out)
{
	char *in = f->connections[i].in, *end, length[32];
	size_t head, body;

	if (f->connections[i].fd < 0 || f->connections[i].len == 0)
		return false;
	end = strstr(in, "\r\n\r\n");
	if (end == NULL)
		return false;
	head = (size_t)(end - in) + 4;
	field(in, "\r\ncontent-length: ", length, sizeof(length));
	body = strtoul(length, NULL, 10);
	if (f->connections[i].len < head + body)
		return false;
	memcpy(f->body, in + head, body);
	f->body[body] = '\0';
	out->connection = i;
	out->body = f->body;
	field(in, "\r\nauthorization: ", out->authorization, sizeof(out->authorization));
	ck_assert_int_eq(sscanf(in, "POST %127s HTTP/1.1", out->path), 1);
	f->connections[i].len -= head + body;
	memmove(in, in + head + body, f->connections[i].len + 1);
	return true;
}

bool
fake_try(struct fake *f, int timeout_ms, struct fake_request *out)
{
	const int64_t until = clock_mono_us() + timeout_ms * 1000LL;

	for (;;) {
		struct pollfd fds[FAKE_CONNECTIONS + 1];
		const int64_t left = until - clock_mono_us();

		for (int i = 0; i < FAKE_CONNECTIONS; i++) {
			if (cut(f, i, out))
				return true;
			fds[i] = (struct pollfd){.fd = f->connections[i].fd, .events = POLLIN};
		}
		fds[FAKE_CONNECTIONS] = (struct pollfd){.fd = f->listener, .events = POLLIN};
		if (left <= 0 || poll(fds, COUNT(fds), (int)(left / 1000) + 1) < 0)
			return false;
		if (fds[FAKE_CONNECTIONS].revents != 0)
			welcome(f);
		for (int i = 0; i < FAKE_CONNECTIONS; i++)
			if (fds[i].fd >= 0 && fds[i].revents != 0)
				hear(f, i);
	}
}

struct fake_request
fake_next(struct fake *f)
{
	struct fake_request r;

	ck_assert_msg(fake_try(f, FAKE_WAIT_MS, &r), "no request came");
	return r;
}

void
fake_answer(struct fake *f, int connection, int status, const char *body)
{
	char head[256];

	(void)snprintf(head, sizeof(head),
	        "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	        status, strlen(body));
	/* The link may have gone: then its answer is lost, which is what some tests want. */
	(void)send(f->connections[connection].fd, head, strlen(head), MSG_NOSIGNAL);
	(void)send(f->connections[connection].fd, body, strlen(body), MSG_NOSIGNAL);
}

bool
fake_is_gone(struct fake *f, int connection)
{
	char byte;

	return f->connections[connection].fd < 0 ||
	       recv(f->connections[connection].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void
fake_register(struct fake *f, const char *session, int lease_ms, int beat_ms)
{
	const struct fake_request r = fake_next(f);
	char answer[512];

	ck_assert_str_eq(r.path, "/v1/internal/workers");
	(void)snprintf(answer, sizeof(answer),
	        "{\"session\":\"%s\",\"lease_ms\":%d,\"beat_ms\":%d,\"templates\":[]}", session,
	        lease_ms, beat_ms);
	fake_answer(f, r.connection, 200, answer);
}

struct fake_request
fake_poll(struct fake *f, const char *session)
{
	const struct fake_request r = fake_next(f);
	char bearer[512];

	ck_assert_str_eq(r.path, "/v1/internal/poll");
	(void)snprintf(bearer, sizeof(bearer), "Bearer %s", session);
	ck_assert_str_eq(r.authorization, bearer);
	return r;
}

const char *
fake_member(const struct fake_request *r, const char *name)
{
	static char text[512];
	char pattern[64];
	const char *at;

	(void)snprintf(pattern, sizeof(pattern), "\"%s\":\"", name);
	at = strstr(r->body, pattern);
	text[0] = '\0';
	if (at != NULL)
		(void)sscanf(at + strlen(pattern), "%511[^\"]", text);
	return text;
}

void
fake_answer_poll(struct fake *f, const struct fake_request *r, const char *results,
        const char *steps, const char *cancel, const char *lost)
{
	static char answer[FAKE_BODY];

	(void)snprintf(answer, sizeof(answer),
	        "{\"id\":\"%s\",\"results\":[%s],\"steps\":[%s],\"cancel\":[%s],\"lost\":[%s]}",
	        fake_member(r, "id"), results, steps, cancel, lost);
	fake_answer(f, r->connection, 200, answer);
}

#include "tests/unit/http/kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/base/clock.h"
#include "tests/unit/unit.h"

/* ---- the owner of requests ---- */

static void note(struct kit *k, const char *fmt, ...) PRINTF(2, 3);

static void
note(struct kit *k, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)pthread_mutex_lock(&k->lock);
	buf_text(&k->journal, text);
	(void)pthread_mutex_unlock(&k->lock);
}

/* Check allocates where it asserts, so on the loop we only note what must not be. */
static void
expect(struct kit *k, bool holds)
{
	if (!holds)
		note(k, "wrong;");
}

static bool
asks_for(const struct exchange *x, const char *path)
{
	const struct span s = exchange_head(x)->path;

	return s.len >= strlen(path) && memcmp(s.text, path, strlen(path)) == 0;
}

static void
reply_path(struct exchange *x)
{
	const struct span path = exchange_head(x)->path;
	struct buf body = BUF(KIB(8));
	struct http_reply r = {.status = 200, .content_type = "text/plain", .body = &body};

	buf_add(&body, path.text, path.len);
	r.close = asks_for(x, "/bye");
	exchange_reply(x, &r);
	buf_free(&body);
}

static void
reply_peer(struct exchange *x)
{
	struct buf body = BUF(KIB(1));
	const struct http_reply r = {.status = 200, .content_type = "text/plain", .body = &body};

	buf_text(&body, exchange_peer(x));
	exchange_reply(x, &r);
	buf_free(&body);
}

static void
reply_status(struct exchange *x, int status)
{
	const struct http_reply r = {.status = status};

	exchange_reply(x, &r);
}

static void
reply_big(struct exchange *x)
{
	struct buf body = BUF(KIT_BIG);
	const struct http_reply r = {.status = 200, .content_type = "text/plain", .body = &body};
	char *room = buf_room(&body, KIT_BIG);

	if (room != NULL) {
		memset(room, 'b', KIT_BIG);
		body.len = KIT_BIG;
	}
	exchange_reply(x, &r);
	buf_free(&body);
}

static void
reply_failed(struct exchange *x)
{
	struct buf body = BUF(4);
	const struct http_reply r = {.status = 200, .content_type = "text/plain", .body = &body};

	buf_text(&body, "too long for it");
	exchange_reply(x, &r);
	buf_free(&body);
}

static void
on_head(struct exchange *x, void *arg)
{
	struct kit *k = arg;
	const struct span path = exchange_head(x)->path;

	note(k, "head %.*s;", (int)path.len, path.text);
	expect(k, exchange_loop(x) != NULL && exchange_alive(x));
	expect(k, exchange_started_us(x) <= clock_mono_us());
	exchange_set_user(x, k);
	if (asks_for(x, "/late"))
		k->held[k->held_count++ % KIT_HELD] = x;
	else if (asks_for(x, "/body"))
		exchange_read_body(x, KIT_BODY_MAX);
	else if (asks_for(x, "/large"))
		exchange_read_body(x, KIT_LARGE);
	else if (asks_for(x, "/deny"))
		reply_status(x, 401);
	else if (asks_for(x, "/empty"))
		reply_status(x, 204);
	else if (asks_for(x, "/big"))
		reply_big(x);
	else if (asks_for(x, "/fail"))
		reply_failed(x);
	else if (asks_for(x, "/peer"))
		reply_peer(x);
	else
		reply_path(x);
}

static void
on_body(struct exchange *x, void *arg)
{
	struct buf echo = BUF(KIT_LARGE);
	const struct http_reply r = {.status = 200, .content_type = "text/plain", .body = &echo};
	size_t len = 0;
	const char *body = exchange_body(x, &len);

	note(arg, "body %zu;", len);
	expect(arg, body[len] == '\0');
	buf_add(&echo, body, len);
	exchange_reply(x, &r);
	buf_free(&echo);
}

static void
on_refused(int status, const char *reason, struct buf *body, void *arg)
{
	note(arg, "refused %d;", status);
	buf_text(body, reason);
}

static void
on_gone(struct exchange *x, void *arg)
{
	note(arg, "gone;");
	expect(arg, !exchange_alive(x));
}

static void
on_done(struct exchange *x, void *arg)
{
	expect(arg, exchange_user(x) == arg);
	expect(arg, exchange_status(x) != 0 || exchange_sent(x) == 0);
	note(arg, "done %d;", exchange_status(x));
}

/* ---- the server ---- */

struct http_limits
kit_limits(void)
{
	struct http_limits limits = http_limits_default;

	limits.connections = 100;
	limits.connections_per_address = 100;
	return limits;
}

static void
start(struct kit *k, const struct http_limits *limits, const char *address, int listening_fd,
        struct tls_context *tls)
{
	const struct http_callbacks callbacks = {on_head, on_body, on_refused, on_gone, on_done, k};
	struct err e = {0};

	*k = (struct kit){.journal = BUF(MIB(4)), .lock = PTHREAD_MUTEX_INITIALIZER};
	/* Before any test makes allocations fail; those of the journal are not what it is about. */
	ck_assert_ptr_nonnull(buf_room(&k->journal, MIB(1)));
	ck_assert_msg(loop_new("http", &k->loop, &e), "%s", e.text);
	ck_assert_msg(http_server_new(address, listening_fd, limits, &k->server, &e), "%s", e.text);
	if (tls != NULL)
		http_server_tls(k->server, tls);
	ck_assert_msg(http_endpoint_new(k->server, k->loop, &callbacks, &k->ep, &e), "%s", e.text);
	k->port = http_server_port(k->server);
}

void
kit_start_at(struct kit *k, const struct http_limits *limits, const char *address, int listening_fd)
{
	struct err e = {0};

	start(k, limits, address, listening_fd, NULL);
	ck_assert_msg(loop_start(k->loop, &e), "%s", e.text);
}

void
kit_start(struct kit *k, const struct http_limits *limits)
{
	kit_start_at(k, limits, "127.0.0.1:0", -1);
	ck_assert_int_gt(k->port, 0);
}

void
kit_start_manual(struct kit *k, const struct http_limits *limits)
{
	start(k, limits, "127.0.0.1:0", -1, NULL);
	k->manual = true;
}

void
kit_start_tls(struct kit *k, const struct http_limits *limits, struct tls_context *tls)
{
	struct err e = {0};

	start(k, limits, "127.0.0.1:0", -1, tls);
	ck_assert_msg(loop_start(k->loop, &e), "%s", e.text);
}

void
kit_stop(struct kit *k)
{
	if (!k->manual) {
		loop_stop(k->loop);
		loop_join(k->loop);
	}
	http_endpoint_free(k->ep);
	kit_release_here(k, NULL);
	ck_assert_uint_eq(kit_count(k, "wrong;"), 0);
	http_server_free(k->server);
	loop_free(k->loop);
	buf_free(&k->journal);
}

void
kit_turn(struct kit *k)
{
	(void)event_base_loop(loop_base(k->loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

struct errand {
	struct mail mail;
	struct kit *kit;
	void (*fn)(struct kit *k, void *arg);
	void *arg;
	atomic_bool done;
};

static void
nap(void)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

static void
run_errand(struct mail *mail)
{
	struct errand *errand = (struct errand *)mail;

	errand->fn(errand->kit, errand->arg);
	atomic_store(&errand->done, true);
}

void
kit_on_loop(struct kit *k, void (*fn)(struct kit *k, void *arg), void *arg)
{
	struct errand errand = {.mail = {.deliver = run_errand}, .kit = k, .fn = fn, .arg = arg};

	loop_post(k->loop, &errand.mail);
	while (!atomic_load(&errand.done))
		nap();
}

void
kit_release_here(struct kit *k, void *arg)
{
	struct exchange *held[KIT_HELD];
	const size_t count = k->held_count;

	(void)arg;
	expect(k, count <= KIT_HELD);
	memcpy(held, k->held, sizeof(held));
	k->held_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (asks_for(held[i], "/late-body"))
			exchange_read_body(held[i], KIT_BODY_MAX);
		else
			reply_path(held[i]);
	}
}

void
kit_release(struct kit *k)
{
	kit_on_loop(k, kit_release_here, NULL);
}

static void
on_drained(void *arg)
{
	struct kit *k = arg;

	atomic_fetch_add(&k->drained, 1);
}

static void
drain_here(struct kit *k, void *arg)
{
	http_endpoint_drain(k->ep, *(bool *)arg, on_drained, k);
}

void
kit_drain(struct kit *k, bool force)
{
	kit_on_loop(k, drain_here, &force);
}

size_t
kit_count(struct kit *k, const char *text)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&k->lock);
	buf_char(&k->journal, '\0');
	for (const char *at = k->journal.data; (at = strstr(at, text)) != NULL; at += strlen(text))
		n++;
	k->journal.len--;
	(void)pthread_mutex_unlock(&k->lock);
	return n;
}

bool
kit_sees(struct kit *k, const char *text)
{
	const int64_t until = clock_mono_us() + KIT_WAIT_MS * 1000LL;

	while (kit_count(k, text) == 0) {
		if (clock_mono_us() > until)
			return false;
		nap();
	}
	return true;
}

bool
kit_has_connections(struct kit *k, uint64_t n)
{
	const int64_t until = clock_mono_us() + KIT_WAIT_MS * 1000LL;

	while (http_endpoint_stats(k->ep).connections_open != n) {
		if (clock_mono_us() > until)
			return false;
		nap();
	}
	return true;
}

/* ---- a transport that misbehaves ---- */

static struct kit_wire wire;
static const struct transport_kind *plain;

static enum transport_verdict
faulty_read(struct transport *t, void *bytes, size_t len, size_t *done)
{
	const enum transport_verdict v = wire.next_read;

	wire.next_read = TRANSPORT_OK;
	t->read_wants_write = v == TRANSPORT_AGAIN && wire.other_way;
	return v != TRANSPORT_OK ? v : plain->read(t, bytes, len, done);
}

static enum transport_verdict
faulty_write(struct transport *t, struct iovec *parts, int count, size_t *done)
{
	const enum transport_verdict v = wire.next_write;

	wire.next_write = TRANSPORT_OK;
	t->write_wants_read = t->held = v == TRANSPORT_AGAIN && wire.other_way;
	if (v != TRANSPORT_OK)
		return v;
	if (wire.write_most > 0) {
		count = 1;
		if (parts->iov_len > wire.write_most)
			parts->iov_len = wire.write_most;
	}
	return plain->write(t, parts, count, done);
}

static void
faulty_shut(struct transport *t)
{
	plain->shut(t);
}

static void
faulty_discard(struct transport *t)
{
	plain->discard(t);
}

static size_t
faulty_untaken(const struct transport *t)
{
	return plain->untaken(t);
}

static void
faulty_close(struct transport *t)
{
	plain->close(t);
}

struct connection *
kit_connection(struct kit *k)
{
	for (int kind = 0; kind < DEADLINE_KINDS; kind++) {
		struct deadline *d = deadlines_first(&k->ep->deadlines, (enum deadline_kind)kind);

		if (d != NULL)
			return (struct connection *)d;
	}
	return NULL;
}

void
kit_misbehave(struct kit *k, const struct kit_wire *how)
{
	static const struct transport_kind faulty = {faulty_read, faulty_write, faulty_shut,
	        faulty_discard, faulty_untaken, faulty_close};
	struct connection *c = kit_connection(k);

	ck_assert_ptr_nonnull(c);
	wire = *how;
	plain = c->io.kind != &faulty ? c->io.kind : plain;
	c->io.kind = &faulty;
}

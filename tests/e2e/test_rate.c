/*
 * A stranger who floods with bogus tokens, and rates that a reload changes, seen from outside (LM4,
 * LM5).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/lib/daemon.h"
#include "tests/lib/patience.h"
#include "tests/lib/token_maker.h"
#include "tests/lib/wire.h"
#include "tests/unit/unit.h"

enum {
	FLOOD_MS = 2000,
	FLOOD_PER_SECOND = 5000,
	BATCH = 50,
	SAMPLES_MAX = 5000, /* of the 10000 requests of a connection */
	P99_MS = 250,
	PER_SECOND = 50,
	BURST = 100,
	WITHIN_MS = 15000
};

#define KEY "tk_rate-0123456789abcdefghijklmnopqrstuvwxyzABCDE"
#define BY_KEY "X-API-Key: " KEY "\r\n"

#define LIMITS "verifications_per_second = 50\nverifications_burst = 100\n"

static const char *const roles[] = {"orchestration", "worker"};

struct rig {
	struct daemon d;
	char dir[64], toml[2048];
};

static void
write_toml(struct rig *r, const char *limits)
{
	(void)snprintf(r->toml, sizeof(r->toml),
	        "[web]\nbind_address = \"127.0.0.1:0\"\nthreads = 2\n[web.auth]\nenabled = true\n"
	        "jwt_public_key_path = \"users.pem\"\n"
	        "jwt_allowed_algorithms = [\"ES256\"]\n"
	        "[[web.auth.api_keys]]\nid = \"only\"\nkey = \"" KEY "\"\n"
	        "permissions = [\"system:*\"]\n[log]\naccess = false\n[limits]\n%s",
	        limits);
}

static void
open_rig(struct rig *r, const char *role, const char *limits)
{
	char *pem = token_key_pem(TOKEN_KEY_P256);

	write_toml(r, limits);
	ck_assert(daemon_dir(r->dir));
	ck_assert(daemon_file(r->dir, "users.pem", pem));
	ck_assert(daemon_start(&r->d, r->dir, role, r->toml));
	free(pem);
}

static void
close_rig(struct rig *r)
{
	ck_assert_int_eq(daemon_stop(&r->d, 15000), 0);
	daemon_dir_remove(r->dir);
}

/* A whole request for /v1/whoami with a token of that subject; owned. */
static char *
request(const char *subject, bool spoilt)
{
	char *claims = token_user_claims(subject, "system:*", (int64_t)time(NULL));
	char *token = token_make(TOKEN_KEY_P256, "ES256", claims), *text = NULL;

	if (spoilt)
		token_spoil(token);
	ck_assert_int_gt(asprintf(&text,
	                         "GET /v1/whoami HTTP/1.1\r\nHost: h\r\n"
	                         "Authorization: Bearer %s\r\n\r\n",
	                         token),
	        0);
	free(claims);
	free(token);
	return text;
}

/* From 127.0.0.<last>. */
static int
connect_from(int last, int port)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (unsigned)last)};
	const struct sockaddr_in to = {.sin_family = AF_INET,
	        .sin_port = htons((uint16_t)port),
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int
ask(int fd, const char *text)
{
	int interim = 0;

	if (!wire_send(fd, text, strlen(text)))
		return -1;
	AUTO(wire_reply)
	struct wire_reply reply = wire_read(fd, WITHIN_MS, false, &interim);

	return reply.status;
}

/* ---- the flood ---- */

struct flood {
	int port;
	const char *bogus;
	_Atomic bool over;
	unsigned sent, unauthorized, limited, without_wait, other;
	int64_t us;
};

/* What has come of the answers to a batch. */
struct stream {
	char bytes[65536];
	size_t len;
};

/* Takes a whole answer off the front: its status; 0 while there is none. */
static int
take_answer(struct stream *in, bool *says_when)
{
	const char *end, *length;
	size_t whole;
	int status = 0;

	in->bytes[in->len] = '\0';
	end = strstr(in->bytes, "\r\n\r\n");
	length = strstr(in->bytes, "Content-Length: ");
	if (end == NULL || length == NULL || length > end)
		return 0;
	whole = (size_t)(end + 4 - in->bytes) + strtoul(length + 16, NULL, 10);
	if (whole > in->len || sscanf(in->bytes, "HTTP/1.1 %d", &status) != 1)
		return 0;
	*says_when = memmem(in->bytes, whole, "Retry-After: ", 13) != NULL;
	memmove(in->bytes, in->bytes + whole, in->len - whole);
	in->len -= whole;
	return status;
}

static void
count_answers(struct flood *f, int fd)
{
	static struct stream in; /* one flood at a time */
	unsigned left = BATCH;

	for (in.len = 0; left > 0;) {
		const ssize_t n = recv(fd, in.bytes + in.len, sizeof(in.bytes) - 1 - in.len, 0);
		bool says_when = false;
		int status;

		if (n <= 0)
			break;
		in.len += (size_t)n;
		while (left > 0 && (status = take_answer(&in, &says_when)) != 0) {
			f->unauthorized += status == 401;
			f->limited += status == 429;
			f->without_wait += status == 429 && !says_when;
			f->other += status != 401 && status != 429;
			left--;
		}
	}
	f->other += left;
}

/* Sends a batch at its time and reads its answers, FLOOD_MS long; as fast as it can where that is
 * slower. */
static void *
flood(void *arg)
{
	struct flood *f = arg;
	const int64_t started = clock_mono_us(), batch_us = 1000000 * BATCH / FLOOD_PER_SECOND;
	const struct timeval patience = {.tv_sec = patience_ms(WITHIN_MS) / 1000};
	const int fd = connect_from(1, f->port);

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (int64_t n = 0; f->other == 0 && n * batch_us < FLOOD_MS * INT64_C(1000); n++) {
		const int64_t early = started + n * batch_us - clock_mono_us();

		if (early > 0)
			(void)poll(NULL, 0, (int)(early / 1000));
		for (int i = 0; i < BATCH; i++)
			f->sent += wire_send(fd, f->bogus, strlen(f->bogus));
		count_answers(f, fd);
	}
	(void)close(fd);
	f->us = clock_mono_us() - started;
	atomic_store(&f->over, true);
	return NULL;
}

struct sample {
	int64_t us[SAMPLES_MAX];
	size_t count;
};

static int
by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t
p99_us(struct sample *s)
{
	ck_assert_uint_gt(s->count, 0);
	qsort(s->us, s->count, sizeof(s->us[0]), by_value);
	return s->us[s->count * 99 / 100];
}

static void
timed(struct sample *s, int fd, const char *text)
{
	const int64_t started = clock_mono_us();

	ck_assert_int_eq(ask(fd, text), 200);
	s->us[s->count++] = clock_mono_us() - started;
}

/*
 * The token of this address was verified before the flood, on this connection's loop; that of the
 * other address is verified in the midst of it.
 */
START_TEST(lm5_a_flood_of_bogus_tokens_costs_the_valid_nothing)
{
	static struct sample here, there;
	char *known = request("alice", false), *other = request("bob", false),
	     *bogus = request("mallory", true), *late = request("carol", true);
	struct flood f = {.bogus = bogus};
	int same, away, stranger = 0;
	pthread_t thread;
	struct rig r;

	open_rig(&r, roles[_i], LIMITS);
	f.port = r.d.port;
	same = connect_from(1, r.d.port);
	away = connect_from(2, r.d.port);
	ck_assert_int_eq(ask(same, known), 200);
	ck_assert_int_eq(pthread_create(&thread, NULL, flood, &f), 0);
	while (!atomic_load(&f.over) && here.count < SAMPLES_MAX) {
		timed(&here, same, known);
		timed(&there, away, other);
		if (stranger != 429)
			stranger = ask(same, late);
		(void)poll(NULL, 0, 1);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	(void)fprintf(stderr,
	        "%s: %u bogus in %lld ms: 401 %u, 429 %u; p99 same address %lld us of %zu, "
	        "other %lld us of %zu\n",
	        roles[_i], f.sent, (long long)(f.us / 1000), f.unauthorized, f.limited,
	        (long long)p99_us(&here), here.count, (long long)p99_us(&there), there.count);
	ck_assert_uint_eq(f.other, 0);
	ck_assert_uint_eq(f.without_wait, 0);
	ck_assert_uint_gt(f.limited, 0);
	ck_assert_uint_le(
	        f.unauthorized, BURST + PER_SECOND * ((unsigned)(f.us / 1000000) + 1) + 2);
	ck_assert_int_eq(stranger, 429);
	ck_assert_int_le(p99_us(&here), patience_ms(P99_MS) * INT64_C(1000));
	ck_assert_int_le(p99_us(&there), patience_ms(P99_MS) * INT64_C(1000));
	(void)close(same);
	(void)close(away);
	free(known);
	free(other);
	free(bogus);
	free(late);
	close_rig(&r);
}
END_TEST

/* ---- rates and reload ---- */

static int
status(const struct rig *r, const char *path, const char *headers)
{
	AUTO(wire_reply) struct wire_reply reply = wire_call(r->d.port, "GET", path, headers, NULL);

	ck_assert(reply.status != 429 || wire_field(&reply, "Retry-After") != NULL);
	return reply.status;
}

static void
reload(struct rig *r, const char *limits)
{
	char name[64];

	write_toml(r, limits);
	(void)snprintf(name, sizeof(name), "%s.toml", r->d.role);
	ck_assert(daemon_file(r->dir, name, r->toml));
	ck_assert_int_eq(kill(r->d.pid, SIGHUP), 0);
}

static bool
becomes(const struct rig *r, const char *path, const char *headers, int wanted)
{
	for (int ms = 0; ms < patience_ms(WITHIN_MS); ms += 10) {
		if (status(r, path, headers) == wanted)
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

START_TEST(lm4_a_reload_limits_principals_and_addresses_and_lets_go)
{
	struct rig r;
	AUTO(wire_reply) struct wire_reply metrics = {0};

	open_rig(&r, roles[_i], "");
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(status(&r, "/v1/whoami", BY_KEY), 200);
	reload(&r, "requests_per_second = 1\n");
	ck_assert(becomes(&r, "/v1/whoami", BY_KEY, 429));
	ck_assert_int_eq(status(&r, "/v1/whoami", ""), 401);
	metrics = wire_call(r.d.port, "GET", "/metrics", "", NULL);
	ck_assert_ptr_nonnull(
	        strstr(metrics.body, "tasker_rate_limited_total{scope=\"principal\"}"));
	reload(&r, "address_requests_per_second = 1\n");
	ck_assert(becomes(&r, "/v1/whoami", "", 429));
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(status(&r, "/health/live", ""), 200);
	reload(&r, "");
	ck_assert(becomes(&r, "/v1/whoami", BY_KEY, 200));
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(status(&r, "/v1/whoami", BY_KEY), 200);
	close_rig(&r);
}
END_TEST

Suite *
rate_suite(void)
{
	Suite *s = suite_create("rate");
	TCase *tc = tcase_create("limits");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
	        tc, lm5_a_flood_of_bogus_tokens_costs_the_valid_nothing, 0, (int)COUNT(roles));
	tcase_add_loop_test(
	        tc, lm4_a_reload_limits_principals_and_addresses_and_lets_go, 0, (int)COUNT(roles));
	suite_add_tcase(s, tc);
	return s;
}

/*
 * F11 of security.md §5, LM2, LM3, LM6: clients that are slow, silent, deaf or too many, beside
 * normal traffic that must not notice. NET_LONG=1: 1,000 of each kind against both daemons with the
 * limits that daemons have by default, 10,000 idle ones, 10,000 connections a second; otherwise
 * fewer, with shorter limits, against the orchestration.
 *
 * The traffic's p99 is printed and must be below a second, whatever else the machine does; what it
 * is on a quiet machine is a figure of docs/performance.md.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "tests/net/crowd.h"
#include "tests/net/meter.h"
#include "tests/net/outage.h"
#include "tests/net/traffic.h"
#include "tests/unit/unit.h"

enum {
	TIMEOUT_S = 300,
	EXACT_MS = 500, /* how far from its time a deadline may be */
	P99_MS = 1000,
	RSS_KIB = 256 * 1024,
	CONTEXT = 900000, /* bytes of a task's context: its reply is as large */
	DEEP = 8,         /* requests of a deaf client: more than the kernel buffers */
	FILES = 160,      /* descriptors of the daemon that runs out of them */
	CALM_MS = 1500,
	BODY_ANNOUNCED = 900000,
	PIECE = 4096, /* of a body, four times a second: faster than the minimum */
};

struct limits {
	int head_ms, body_ms, idle_ms, write_ms;
};

struct siege {
	struct rig rig;
	struct traffic *traffic;
	struct limits limits;
	struct meter before;
	size_t crowd;
	bool is_long;
	int port;
	pid_t pid;
	char user[2048]; /* a header that signs in */
	char large[256]; /* a request with a large reply */
};

static const struct limits long_limits = {10000, 30000, 60000, 30000},
                           short_limits = {1000, 2500, 1500, 1500};

/* The environment wins over the file, and the rig's is the same for both daemons. */
static void
set_limit(const char *name, int value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", value);
	ck_assert_int_eq(setenv(name, text, 1), 0);
}

static void
make_large(struct siege *s)
{
	AUTO(buf) struct buf body = BUF(MIB(2));
	struct wire_reply r;
	char *id;

	buf_text(&body, "{\"name\":\"linear\",\"namespace\":\"demo\",\"version\":\"1.0.0\","
	                "\"context\":{\"large\":\"");
	for (int i = 0; i < CONTEXT; i++)
		buf_char(&body, 'x');
	buf_text(&body,
	        "\"},\"initiator\":\"net\",\"source_system\":\"test\",\"reason\":\"large\"}");
	buf_char(&body, '\0');
	r = rig_call(&s->rig, "POST", "/v1/tasks", body.data);
	id = pair_member(r.body, "task_uuid");
	ck_assert_msg(r.status == 201 && id != NULL, "%d %s", r.status, r.body);
	(void)snprintf(s->large, sizeof(s->large),
	        "GET /v1/tasks/%s HTTP/1.1\r\nHost: net\r\n" RIG_KEY "\r\n", id);
	wire_reply_free(&r);
	free(id);
}

static void
start(struct siege *s, bool worker)
{
	struct traffic_settings load = {.creates_per_s = 20, .reads_per_s = 80, .step_ms = 4};

	*s = (struct siege){.is_long = getenv("NET_LONG") != NULL};
	s->limits = s->is_long ? long_limits : short_limits;
	s->crowd = s->is_long ? 1000 : 150;
	set_limit("TASKER_LIMITS_HEAD_TIMEOUT_MS", s->limits.head_ms);
	set_limit("TASKER_LIMITS_BODY_TIMEOUT_MS", s->limits.body_ms);
	set_limit("TASKER_LIMITS_IDLE_TIMEOUT_MS", s->limits.idle_ms);
	set_limit("TASKER_LIMITS_WRITE_TIMEOUT_MS", s->limits.write_ms);
	ck_assert(rig_start(&s->rig, !worker));
	s->port = worker ? s->rig.pair.worker.port : s->rig.pair.orchestration.port;
	s->pid = worker ? s->rig.pair.worker.pid : s->rig.pair.orchestration.pid;
	(void)snprintf(s->user, sizeof(s->user), RIG_KEY);
	if (worker) {
		load = (struct traffic_settings){.reads_per_s = 100, .read_path = "/v1/templates"};
		(void)snprintf(s->large, sizeof(s->large),
		        "GET /api-docs/openapi.json HTTP/1.1\r\nHost: net\r\n\r\n");
	} else {
		make_large(s);
	}
	load.port = s->port;
	s->traffic = traffic_start(&load);
	ck_assert_ptr_nonnull(s->traffic);
	ck_assert(meter_read(s->pid, &s->before));
}

static void
finish(struct siege *s, const char *what)
{
	const long peak = meter_peak_kib(s->pid);
	struct traffic_numbers n;
	struct histogram times;
	struct meter after;

	traffic_stop(s->traffic);
	n = traffic_numbers(s->traffic);
	traffic_times(s->traffic, &times);
	ck_assert(meter_read(s->pid, &after));
	(void)printf("net: %s: traffic p50 %.1f ms, p99 %.1f ms, most %.1f ms of %llu requests; "
	             "resident at most %ld MiB; %.2f cores\n",
	        what, (double)histogram_at(&times, 0.5) / 1000,
	        (double)histogram_at(&times, 0.99) / 1000, (double)times.max / 1000,
	        (unsigned long long)times.total, peak / 1024, meter_cores(&s->before, &after));
	(void)fflush(stdout);
	ck_assert_uint_eq(n.failed, 0);
	ck_assert_uint_gt(n.read, 0);
	ck_assert_int_lt(histogram_at(&times, 0.99), P99_MS * 1000);
	ck_assert_int_gt(peak, 0);
	ck_assert_int_le(peak, RSS_KIB);
	traffic_free(s->traffic);
	ck_assert(rig_stop(&s->rig));
	rig_remove(&s->rig);
}

/* Every one was ended with that status, between those times. */
static void
expect(struct crowd *c, const char *what, int status, int from_ms, int to_ms)
{
	const struct crowd_numbers n = crowd_numbers(c);
	struct histogram times;

	ck_assert_msg(crowd_ends(c, to_ms + 3000), "%s: %zu of %zu have ended", what, n.ended,
	        n.connected);
	ck_assert_uint_eq(n.refused, 0);
	ck_assert_msg(crowd_status(c, status) == n.connected, "%s: %zu of %zu got %d", what,
	        crowd_status(c, status), n.connected, status);
	crowd_end_times(c, &times);
	if (status == 408)
		crowd_answer_times(c, &times);
	(void)printf("net: %zu %s: %d, %lld to %llu ms\n", n.connected, what, status,
	        (long long)histogram_at(&times, 0.001), (unsigned long long)times.max);
	(void)fflush(stdout);
	ck_assert_int_ge(histogram_at(&times, 0), from_ms - EXACT_MS);
	ck_assert_int_le((int64_t)times.max, to_ms + EXACT_MS);
	crowd_free(c);
}

static struct crowd *
assemble(const struct siege *s, struct crowd_settings how)
{
	struct crowd *c;

	how.port = s->port;
	how.count = how.count > 0 ? how.count : s->crowd;
	c = crowd_start(&how);
	ck_assert_ptr_nonnull(c);
	return c;
}

/* A request with a body for a route that takes one; script is the caller's. */
static void
write_body(const struct siege *s, bool worker, struct buf *script)
{
	buf_format(script,
	        "POST %s HTTP/1.1\r\nHost: net\r\n%sContent-Type: application/json\r\n"
	        "Content-Length: %d\r\n\r\n",
	        worker ? "/v1/templates/demo/linear/1.0.0/validate" : "/v1/tasks", s->user,
	        BODY_ANNOUNCED);
	for (int i = 0; i < BODY_ANNOUNCED; i++)
		buf_char(script, ' ');
	ck_assert(buf_ok(script));
}

/* Several kinds at once: what one of them costs, the others must not pay. */
static void
besiege(struct siege *s, bool worker)
{
	static const char head[] = "GET /health HTTP/1.1\r\nHost: net\r\nX-Slow: "
	                           "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\r\n\r\n";
	static const char ask[] = "GET /health HTTP/1.1\r\nHost: net\r\n\r\n";
	AUTO(buf) struct buf body = BUF(MIB(2));
	const struct limits *l = &s->limits;
	struct crowd *heads, *dribbles, *bodies = NULL, *silent, *idle;
	size_t body_head;

	write_body(s, worker, &body);
	body_head = body.len - BODY_ANNOUNCED;
	heads = assemble(s, (struct crowd_settings){.from = "127.0.0.2",
	                            .script = head,
	                            .len = sizeof(head) - 1,
	                            .at_once = 1,
	                            .drip = 1,
	                            .drip_ms = 1000});
	dribbles = assemble(s, (struct crowd_settings){.from = "127.0.0.3",
	                               .script = body.data,
	                               .len = body.len,
	                               .at_once = body_head,
	                               .drip = 1,
	                               .drip_ms = 1000});
	silent = assemble(s, (struct crowd_settings){.from = "127.0.0.4", .script = head});
	idle = assemble(s, (struct crowd_settings){.from = "127.0.0.5",
	                           .script = ask,
	                           .len = sizeof(ask) - 1,
	                           .at_once = sizeof(ask) - 1});
	if (!worker)
		bodies = assemble(s, (struct crowd_settings){.from = "127.0.0.7",
		                             .count = s->crowd / 10, /* LM6: 100 uploads */
		                             .script = body.data,
		                             .len = body.len,
		                             .at_once = body_head,
		                             .drip = PIECE,
		                             .drip_ms = 250});
	expect(dribbles, "bodies at 1 byte/s (LM2)", 408, 1000, 1500);
	expect(heads, "heads at 1 byte/s (LM2)", 408, l->head_ms, l->head_ms);
	expect(silent, "silent clients (LM2)", 0, l->head_ms, l->head_ms);
	expect(idle, "idle clients (LM2)", 200, l->idle_ms, l->idle_ms);
	if (bodies != NULL)
		expect(bodies, "bodies just fast enough (LM2)", 408, l->body_ms, l->body_ms);
}

/* Clients that ask for the largest reply there is, and for more of it than the kernel holds, and
 * read none of it. */
static void
deafen(struct siege *s)
{
	AUTO(buf) struct buf deep = BUF(KIB(8));
	struct crowd *deaf;

	for (int i = 0; i < DEEP; i++)
		buf_text(&deep, s->large);
	ck_assert(buf_ok(&deep));
	deaf = assemble(s, (struct crowd_settings){.from = "127.0.0.6",
	                           .script = deep.data,
	                           .len = deep.len,
	                           .at_once = deep.len,
	                           .deaf = true});
	expect(deaf, "deaf clients (LM2)", 0, s->limits.write_ms, s->limits.write_ms);
}

START_TEST(orchestration_outlasts_slow_clients_F11_LM2_LM6)
{
	struct siege s;

	start(&s, false);
	besiege(&s, false);
	deafen(&s);
	finish(&s, "slow clients, orchestration");
}
END_TEST

START_TEST(worker_outlasts_slow_clients_F11_LM2_LM6)
{
	struct siege s;

	if (getenv("NET_LONG") == NULL)
		return; /* the same server as the orchestration's */
	start(&s, true);
	besiege(&s, true);
	deafen(&s);
	finish(&s, "slow clients, worker");
}
END_TEST

Suite *
hostile_suite(void)
{
	Suite *s = suite_create("hostile");
	TCase *tc = tcase_create("clients");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, orchestration_outlasts_slow_clients_F11_LM2_LM6);
	tcase_add_test(tc, worker_outlasts_slow_clients_F11_LM2_LM6);
	suite_add_tcase(s, tc);
	return s;
}

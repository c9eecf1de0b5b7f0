/*
 * F11 of security.md §5, LM2, LM6: clients that are slow, silent, idle or deaf, beside normal
 * traffic that must not notice. NET_LONG=1: 1,000 of each kind against both daemons, with the
 * limits that daemons have by default; otherwise fewer, with shorter limits, against the
 * orchestration, as both have the same server.
 *
 * The traffic's p99 is printed and must be below a second, whatever else the machine does.
 */
#include <stdlib.h>

#include "shared/base/buf.h"
#include "tests/net/siege.h"
#include "tests/unit/unit.h"

enum {
	TIMEOUT_S = 300,
	DEEP = 8,            /* requests of a deaf client: more than the kernel buffers */
	DEAF_SHORT = 30,     /* their replies fit into limits.unsent_bytes */
	LARGE_MS = 30000,    /* what it may take to make 1,000 clients their replies */
	DEAF_P99_MS = 30000, /* each of those replies takes a core some milliseconds */
	BODY = 900000,       /* bytes announced */
	PIECE = 4096,        /* of a body, four times a second: faster than the minimum */
};

static const char head[] = "GET /health HTTP/1.1\r\nHost: net\r\nX-Slow: "
                           "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\r\n\r\n";
static const char ask[] = "GET /health HTTP/1.1\r\nHost: net\r\n\r\n";

/* Bodies below the minimum rate, and above it but for too long. The worker takes none. */
static void
upload(const struct siege *s, struct buf *script, OWNED struct crowd *out[2])
{
	struct crowd_settings how = {.from = "127.0.0.5", .drip = 1, .drip_ms = 1000};

	buf_format(script,
	        "POST /v1/tasks HTTP/1.1\r\nHost: net\r\n" RIG_KEY
	        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
	        BODY);
	how.at_once = script->len;
	for (int i = 0; i < BODY; i++)
		buf_char(script, ' ');
	ck_assert(buf_ok(script));
	how.script = script->data;
	how.len = script->len;
	out[0] = siege_crowd(s, how);
	how.from = "127.0.0.6";
	how.count = s->crowd / 10; /* LM6: 100 uploads */
	how.drip = PIECE;
	how.drip_ms = 250;
	out[1] = siege_crowd(s, how);
}

/* Heads, silence and idleness at once: what one of them costs, the others must not pay. */
static void
besiege(struct siege *s, bool uploads)
{
	AUTO(buf) struct buf script = BUF(MIB(2));
	struct crowd *bodies[2] = {NULL};
	const struct siege_limits *l = &s->limits;
	struct crowd *slow = siege_crowd(s, (struct crowd_settings){.from = "127.0.0.2",
	                                            .script = head,
	                                            .len = sizeof(head) - 1,
	                                            .at_once = 1,
	                                            .drip = 1,
	                                            .drip_ms = 1000});
	struct crowd *silent =
	        siege_crowd(s, (struct crowd_settings){.from = "127.0.0.3", .script = head});
	struct crowd *idle = siege_crowd(s, (struct crowd_settings){.from = "127.0.0.4",
	                                            .script = ask,
	                                            .len = sizeof(ask) - 1,
	                                            .at_once = sizeof(ask) - 1});

	if (uploads)
		upload(s, &script, bodies);
	siege_expect(slow, "heads at 1 byte/s (LM2)", 408, l->head_ms, l->head_ms);
	siege_expect(silent, "silent clients (LM2)", 0, l->head_ms, l->head_ms);
	siege_expect(idle, "idle clients (LM2)", 200, l->idle_ms, l->idle_ms);
	if (!uploads)
		return;
	siege_expect(bodies[0], "bodies at 1 byte/s (LM2)", 408, 1000, 1500);
	siege_expect(bodies[1], "bodies just fast enough (LM2)", 408, l->body_ms, l->body_ms);
}

START_TEST(orchestration_outlasts_slow_clients_F11_LM2_LM6)
{
	struct siege s;

	siege_start(&s, false);
	besiege(&s, true);
	siege_finish(&s, "slow clients, orchestration", SIEGE_P99_MS);
}
END_TEST

START_TEST(worker_outlasts_slow_clients_F11_LM2_LM6)
{
	struct siege s;

	siege_start(&s, true);
	besiege(&s, false);
	siege_finish(&s, "slow clients, worker", SIEGE_P99_MS);
}
END_TEST

static struct crowd *
deafen(const struct siege *s, struct buf *script, size_t count)
{
	for (int i = 0; i < DEEP; i++)
		buf_text(script, s->large);
	ck_assert(buf_ok(script));
	return siege_crowd(s, (struct crowd_settings){.from = "127.0.0.7",
	                              .count = count,
	                              .script = script->data,
	                              .len = script->len,
	                              .at_once = script->len,
	                              .deaf = true});
}

/* Clients that ask for the largest reply there is, for more of it than the kernel holds, and read
 * none of it. So many that their replies are beyond limits.unsent_bytes are cut before their time;
 * a stall counts from the last byte that found room, and it takes the daemon its time to get there.
 */
START_TEST(orchestration_outlasts_deaf_clients_F11_LM2_LM6)
{
	AUTO(buf) struct buf script = BUF(KIB(8));
	struct siege s;
	struct crowd *deaf;
	int ms;

	siege_start(&s, false);
	ms = s.limits.write_ms;
	deaf = deafen(&s, &script, s.is_long ? s.crowd : DEAF_SHORT);
	siege_expect(deaf, "deaf clients (LM2)", 0, s.is_long ? 0 : ms, ms + LARGE_MS);
	siege_finish(&s, "deaf clients, orchestration", DEAF_P99_MS);
}
END_TEST

/* The worker's largest replies fit into the kernel: to it they are taken, and then the connection
 * is idle. */
START_TEST(worker_outlasts_deaf_clients_F11_LM2_LM6)
{
	AUTO(buf) struct buf script = BUF(KIB(8));
	struct siege s;
	struct crowd *deaf;

	siege_start(&s, true);
	deaf = deafen(&s, &script, 0);
	siege_expect(deaf, "deaf clients (LM2)", 0, s.limits.idle_ms, s.limits.idle_ms + LARGE_MS);
	siege_finish(&s, "deaf clients, worker", SIEGE_P99_MS);
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
	tcase_add_test(tc, orchestration_outlasts_deaf_clients_F11_LM2_LM6);
	if (getenv("NET_LONG") != NULL) {
		tcase_add_test(tc, worker_outlasts_slow_clients_F11_LM2_LM6);
		tcase_add_test(tc, worker_outlasts_deaf_clients_F11_LM2_LM6);
	}
	suite_add_tcase(s, tc);
	return s;
}

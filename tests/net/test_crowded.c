/*
 * F11 of security.md §5, LM3: more clients than there is room for. At the cap, and without a
 * descriptor left, the daemon stops accepting instead of spinning, whoever is in is answered, and
 * when there is room again everybody gets in. NET_LONG=1 adds 10,000 idle clients, and the flood is
 * one of 10,000 connections a second.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/net/outage.h"
#include "tests/net/siege.h"
#include "tests/unit/unit.h"

enum {
	TIMEOUT_S = 120,
	ROOM = 96,      /* connections */
	EXHAUSTED = 70, /* descriptors, fewer than those and the daemon's own */
	CROWD = 300,
	CALM_MS = 1000,
	LINES_MAX = 30, /* of the log meanwhile */
	SOON_MS = 2000,
};

static const char ask[] = "GET /health HTTP/1.1\r\nHost: net\r\n\r\n";

static int
ask_on(int fd)
{
	struct wire_reply r = {.status = 0};
	int status;

	if (wire_send(fd, ask, sizeof(ask) - 1))
		r = wire_read(fd, SOON_MS, false, NULL);
	status = r.status;
	wire_reply_free(&r);
	return status;
}

/* Everybody may come from one address, and be silent for as long as he likes. */
static void
start_small(struct rig *rig)
{
	siege_limit("TASKER_LIMITS_CONNECTIONS_PER_ADDRESS", ROOM);
	siege_limit("TASKER_LIMITS_HEAD_TIMEOUT_MS", 60000);
	ck_assert(rig_start(rig, true));
}

struct shortage {
	const char *what;
	bool exhausted; /* no descriptors, rather than no connections */
};

static const struct shortage shortages[] = {
        {"at the cap of connections", false},
        {"without descriptors",       true },
};

/* Nothing moves: what the daemon does now it does for nothing. */
static void
stay_calm(const struct rig *rig, const char *what)
{
	const pid_t pid = rig->pair.orchestration.pid;
	const size_t lines = outage_lines(rig->pair.dir, "orchestration.log", "");
	struct meter before, after;
	double cores;

	(void)poll(NULL, 0, 300); /* whoever can be accepted is */
	ck_assert(meter_read(pid, &before));
	(void)poll(NULL, 0, CALM_MS);
	ck_assert(meter_read(pid, &after));
	cores = meter_cores(&before, &after);
	(void)printf("net: %s: %.1f %% of a core, %ld descriptors, %ld MiB\n", what, 100 * cores,
	        after.fds, after.rss_kib / 1024);
	(void)fflush(stdout);
	ck_assert_msg(cores < 0.05, "%s: %.2f cores", what, cores);
	ck_assert_uint_le(outage_lines(rig->pair.dir, "orchestration.log", "") - lines, LINES_MAX);
}

START_TEST(daemon_without_room_waits_without_spinning_F11_LM3)
{
	const struct shortage *kind = &shortages[_i];
	const struct rlimit few = {EXHAUSTED, EXHAUSTED};
	struct crowd *crowd;
	struct rig rig;
	int inside, fd;

	if (!kind->exhausted)
		siege_limit("TASKER_LIMITS_CONNECTIONS", ROOM);
	start_small(&rig);
	if (kind->exhausted)
		ck_assert_int_eq(prlimit(rig.pair.orchestration.pid, RLIMIT_NOFILE, &few, NULL), 0);
	inside = wire_connect(rig.pair.orchestration.port);
	ck_assert_int_eq(ask_on(inside), 200);
	crowd = crowd_start(&(struct crowd_settings){.port = rig.pair.orchestration.port,
	        .count = CROWD,
	        .from = "127.0.0.2",
	        .script = ask});
	ck_assert_ptr_nonnull(crowd);
	ck_assert_uint_eq(crowd_numbers(crowd).connected, CROWD); /* most are in the backlog */
	stay_calm(&rig, kind->what);
	ck_assert_int_eq(ask_on(inside), 200);
	fd = wire_connect(rig.pair.orchestration.port); /* at the end of the queue */
	ck_assert(wire_send(fd, ask, sizeof(ask) - 1));
	crowd_free(crowd);
	ck_assert_int_eq(ask_on(fd), 200);
	(void)close(fd);
	(void)close(inside);
	ck_assert(rig_stop(&rig));
	rig_remove(&rig);
}
END_TEST

/* Each has had one answer and is idle; from two addresses, as one may have half of all. */
START_TEST(idle_clients_cost_little_and_nobody_else_notices_F11_LM3)
{
	static const char *const from[] = {"127.0.0.2", "127.0.0.3"};
	struct crowd *crowds[COUNT(from)];
	struct meter crowded;
	struct siege s;
	size_t in = 0;

	siege_start(&s, false);
	for (size_t i = 0; i < COUNT(from); i++)
		crowds[i] = siege_crowd(&s, (struct crowd_settings){.from = from[i],
		                                    .count = 5000,
		                                    .script = ask,
		                                    .len = sizeof(ask) - 1,
		                                    .at_once = sizeof(ask) - 1});
	(void)poll(NULL, 0, 10000);
	ck_assert(meter_read(s.pid, &crowded));
	for (size_t i = 0; i < COUNT(from); i++) {
		const struct crowd_numbers n = crowd_numbers(crowds[i]);

		ck_assert_uint_eq(n.answered, n.connected);
		ck_assert_uint_eq(n.refused, 0);
		in += n.connected;
	}
	(void)printf("net: %zu idle clients: %+ld KiB private dirty\n", in,
	        crowded.dirty_kib - s.before.dirty_kib);
	for (size_t i = 0; i < COUNT(from); i++)
		siege_expect(
		        crowds[i], "idle clients (LM2)", 200, s.limits.idle_ms, s.limits.idle_ms);
	siege_finish(&s, "idle clients", SIEGE_P99_MS);
}
END_TEST

START_TEST(flood_of_connections_leaves_the_others_alone_F11)
{
	struct flood f;
	struct siege s;

	siege_start(&s, false);
	f = s.is_long ? crowd_flood(s.port, "127.0.0.2", 50000, 10000)
	              : crowd_flood(s.port, "127.0.0.2", 3000, 3000);
	(void)printf("net: flood: %zu connections in %d ms\n", f.connected, f.took_ms);
	ck_assert_uint_ge(f.connected, f.tried * 9 / 10);
	siege_finish(&s, "flood of connections", SIEGE_P99_MS);
}
END_TEST

Suite *
crowded_suite(void)
{
	Suite *s = suite_create("crowded");
	TCase *tc = tcase_create("room");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_loop_test(
	        tc, daemon_without_room_waits_without_spinning_F11_LM3, 0, (int)COUNT(shortages));
	if (getenv("NET_LONG") != NULL)
		tcase_add_test(tc, idle_clients_cost_little_and_nobody_else_notices_F11_LM3);
	tcase_add_test(tc, flood_of_connections_leaves_the_others_alone_F11);
	suite_add_tcase(s, tc);
	return s;
}

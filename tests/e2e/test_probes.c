/*
 * The HTTP probe file against both daemons through real sockets (HP1 to HP17, LM1): what is refused
 * gets exactly one error reply and a closed connection, so nothing behind it can be smuggled in;
 * what is accepted gets one reply of the gate.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/pair.h"
#include "tests/lib/certificates.h"
#include "tests/lib/probes.h"
#include "tests/lib/tls_peer.h"
#include "tests/unit/unit.h"

enum { REPLY_MS = 3000 };

static struct pair pair;

static void
start_with(const char *folder)
{
	static const char quick[] = "[limits]\nhead_timeout_ms = 500\nbody_timeout_ms = 500\n";

	token_maker_prepare();
	ck_assert(pair_start(
	        &pair, &(struct pair_settings){
	                       .worker = quick, .orchestration = quick, .certificates = folder}));
}

static void
start(void)
{
	start_with(NULL);
}

static void
stop(void)
{
	pair_stop(&pair);
}

static char certificates[64];

static int
through_tls(int port)
{
	static char ca[128];
	static const struct tls_wish trusting = {.ca_path = ca, .host = "127.0.0.1"};

	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", certificates);
	return tls_relay(port, &trusting);
}

static void
start_tls(void)
{
	(void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	ck_assert(daemon_dir(certificates));
	ck_assert(certificates_usual(certificates));
	wire_through(through_tls);
	start_with(certificates);
}

static void
stop_tls(void)
{
	stop();
	daemon_dir_remove(certificates);
	wire_through(NULL);
}

/* Sends the bytes, cut in two at the offset, and reads the first reply. */
static struct wire_reply
send_cut(int fd, const struct buf *bytes, size_t at)
{
	bool head = bytes->len > 5 && memcmp(bytes->data, "HEAD ", 5) == 0;

	if (at > 0) {
		(void)wire_send(fd, bytes->data, at);
		(void)poll(NULL, 0, 1);
	}
	(void)wire_send(fd, bytes->data + at, bytes->len - at);
	return wire_read(fd, REPLY_MS, head, NULL);
}

static void
check_probe(int port, const struct probe *p, const struct buf *bytes, size_t at)
{
	int fd = wire_connect(port);
	struct wire_reply r, second;

	ck_assert_int_ge(fd, 0);
	r = send_cut(fd, bytes, at);
	if (p->status != 0) {
		ck_assert_msg(r.status >= 400 && r.status < 600, "%s %s cut at %zu: %d", p->id,
		        p->name, at, r.status);
		second = wire_read(fd, REPLY_MS, false, NULL);
		ck_assert_msg(second.status == 0, "%s %s: a second reply, %d", p->id, p->name,
		        second.status);
		wire_reply_free(&second);
	} else {
		ck_assert_msg(r.status == 200 || r.status == 204 || r.status == 401 ||
		                      r.status == 404 || r.status == 405,
		        "%s %s cut at %zu: %d", p->id, p->name, at, r.status);
	}
	wire_reply_free(&r);
	(void)close(fd);
}

START_TEST(every_probe_is_judged_by_both_daemons_as_its_row_says)
{
	int ports[2] = {pair.orchestration.port, pair.worker.port};
	size_t refused = 0, accepted = 0;

	for (size_t i = 0; i < probe_count; i++) {
		AUTO(buf) struct buf bytes = BUF(PROBE_BYTES_MAX);

		probe_bytes(&probes[i], &bytes);
		check_probe(ports[_i], &probes[i], &bytes, 0);
		refused += probes[i].status != 0;
		accepted += probes[i].status == 0;
	}
	ck_assert_uint_ge(refused, 125);
	ck_assert_uint_ge(accepted, 27);
}
END_TEST

/* HP17 over the wire, for short probes of either kind; the unit test cuts all of them everywhere.
 */
START_TEST(verdict_does_not_depend_on_the_cut)
{
	int ports[2] = {pair.orchestration.port, pair.worker.port};
	size_t kinds[2] = {0, 0};

	for (size_t i = 0; i < probe_count; i++) {
		AUTO(buf) struct buf bytes = BUF(PROBE_BYTES_MAX);
		size_t *done = &kinds[probes[i].status != 0];

		probe_bytes(&probes[i], &bytes);
		if (bytes.len >= 120 || *done >= 4)
			continue;
		for (size_t at = 1; at < bytes.len; at++)
			check_probe(ports[_i], &probes[i], &bytes, at);
		*done += 1;
	}
}
END_TEST

Suite *
probes_suite(void)
{
	Suite *s = suite_create("probes");
	TCase *tc = tcase_create("wire"), *tls = tcase_create("TLS");

	tcase_add_unchecked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, every_probe_is_judged_by_both_daemons_as_its_row_says, 0, 2);
	tcase_add_loop_test(tc, verdict_does_not_depend_on_the_cut, 0, 2);
	suite_add_tcase(s, tc);
	tcase_add_unchecked_fixture(tls, start_tls, stop_tls);
	tcase_set_timeout(tls, 120);
	tcase_add_loop_test(tls, every_probe_is_judged_by_both_daemons_as_its_row_says, 0, 2);
	suite_add_tcase(s, tls);
	return s;
}

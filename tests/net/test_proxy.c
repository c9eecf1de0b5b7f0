/* The fault proxy does what it says, or what is proven through it is nothing (F8). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/lib/wire.h"
#include "tests/net/proxy.h"
#include "tests/unit/unit.h"

enum { SEED = 7, SOON_MS = 2000, SILENCE_MS = 150 };

/* A connection through the proxy, both its ends in hands of the test. */
static struct proxy *proxy;
static int listener, client, server;

static const struct proxy_fault pass = {PROXY_PASS, 0}, stop = {PROXY_STOP, 0};

static void
connect_both(void)
{
	client = wire_connect(proxy_port(proxy));
	ck_assert_int_ge(client, 0);
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(server, 0);
}

static void
setup(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(listener, 128), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	proxy = proxy_new(SEED);
	ck_assert_ptr_nonnull(proxy);
	proxy_to(proxy, ntohs(at.sin_port));
}

static void
teardown(void)
{
	proxy_free(proxy);
	(void)close(client);
	(void)close(server);
	(void)close(listener);
}

/* Is there something to read, an end counts too, within that time? */
static bool
stirs(int fd, int within_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, within_ms) > 0;
}

/* Reads n bytes, how long that took in ms; -1: they did not come. */
static int
read_all(int fd, size_t n)
{
	const int64_t from = clock_mono_us();
	char sink[4096];
	ssize_t got;

	while (n > 0 && stirs(fd, SOON_MS)) {
		got = recv(fd, sink, n < sizeof(sink) ? n : sizeof(sink), 0);
		if (got <= 0)
			return -1;
		n -= (size_t)got;
	}
	return n == 0 ? (int)((clock_mono_us() - from) / 1000) : -1;
}

START_TEST(bytes_and_ends_pass_both_ways)
{
	connect_both();
	ck_assert(wire_send(client, "up", 2));
	ck_assert_int_ge(read_all(server, 2), 0);
	ck_assert(wire_send(server, "down", 4));
	ck_assert_int_ge(read_all(client, 4), 0);
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	ck_assert(wire_closes(server, SOON_MS));
	ck_assert(wire_send(server, "last", 4));
	ck_assert_int_ge(read_all(client, 4), 0);
	ck_assert_uint_eq(proxy_numbers(proxy).up, 2);
	ck_assert_uint_eq(proxy_numbers(proxy).down, 8);
}
END_TEST

START_TEST(drip_is_so_many_bytes_a_second)
{
	int took;

	connect_both();
	proxy_set(proxy, (struct proxy_fault){PROXY_DRIP, 20}, pass);
	ck_assert(wire_send(client, "0123456789", 10));
	took = read_all(server, 10);
	ck_assert_int_ge(took, 400);
	ck_assert_int_le(took, 1000);
}
END_TEST

START_TEST(delay_is_one_for_each_byte_and_not_for_all)
{
	int took;

	connect_both();
	proxy_set(proxy, pass, (struct proxy_fault){PROXY_DELAY, 200});
	for (int i = 0; i < 5; i++) {
		ck_assert(wire_send(server, "x", 1));
		(void)poll(NULL, 0, 10);
	}
	took = read_all(client, 5);
	ck_assert_int_ge(took, 150);
	ck_assert_int_le(took, 500);
}
END_TEST

/* Nothing, not even the end, until the fault is over; then all of it. */
START_TEST(stop_holds_bytes_and_ends_and_loses_none)
{
	connect_both();
	proxy_set(proxy, stop, pass);
	ck_assert(wire_send(client, "held", 4));
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	ck_assert(!stirs(server, SILENCE_MS));
	ck_assert(wire_send(server, "down", 4)); /* one way only */
	ck_assert_int_ge(read_all(client, 4), 0);
	proxy_set(proxy, pass, pass);
	ck_assert_int_ge(read_all(server, 4), 0);
	ck_assert(wire_closes(server, SOON_MS));
}
END_TEST

START_TEST(stop_accepts_and_never_forwards)
{
	proxy_set(proxy, stop, stop);
	connect_both();
	ck_assert(wire_send(client, "held", 4));
	ck_assert(!stirs(server, SILENCE_MS));
	ck_assert(!stirs(client, SILENCE_MS));
}
END_TEST

START_TEST(cut_ends_within_so_many_bytes)
{
	char sink[256];
	ssize_t n, all = 0;

	connect_both();
	proxy_set(proxy, pass, (struct proxy_fault){PROXY_CUT, 50});
	memset(sink, 'x', sizeof(sink));
	ck_assert(wire_send(server, sink, sizeof(sink)));
	while ((n = recv(client, sink, sizeof(sink), 0)) > 0)
		all += n;
	ck_assert_int_eq(n, 0); /* no reset */
	ck_assert_int_le(all, 50);
	ck_assert_uint_eq(proxy_numbers(proxy).cut, 1);
}
END_TEST

START_TEST(reset_comes_behind_the_head)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
	char body[100];

	connect_both();
	proxy_set(proxy, pass, (struct proxy_fault){PROXY_RESET, 50});
	memset(body, 'x', sizeof(body));
	ck_assert(wire_send(server, reply, sizeof(reply) - 1));
	ck_assert_int_ge(read_all(client, sizeof(reply) - 1), 0);
	ck_assert(wire_send(server, body, sizeof(body)));
	ck_assert(wire_closes(client, SOON_MS));
	ck_assert_uint_eq(proxy_numbers(proxy).cut, 1);
	ck_assert_uint_le(proxy_numbers(proxy).down, sizeof(reply) - 1 + 50);
}
END_TEST

START_TEST(half_of_all_connections_are_refused)
{
	enum { CONNECTIONS = 60 };
	struct proxy_numbers n;

	proxy_set(proxy, (struct proxy_fault){PROXY_REFUSE, 50}, pass);
	for (int i = 0; i < CONNECTIONS; i++) {
		const int fd = wire_connect(proxy_port(proxy));

		ck_assert_int_ge(fd, 0);
		(void)close(fd);
	}
	do {
		n = proxy_numbers(proxy);
		(void)poll(NULL, 0, 1);
	} while (n.accepted + n.refused < CONNECTIONS);
	ck_assert_uint_ge(n.refused, CONNECTIONS / 4);
	ck_assert_uint_ge(n.accepted, CONNECTIONS / 4);
	client = server = -1;
}
END_TEST

Suite *
proxy_suite(void)
{
	Suite *s = suite_create("proxy");
	TCase *tc = tcase_create("faults");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 10);
	tcase_add_test(tc, bytes_and_ends_pass_both_ways);
	tcase_add_test(tc, drip_is_so_many_bytes_a_second);
	tcase_add_test(tc, delay_is_one_for_each_byte_and_not_for_all);
	tcase_add_test(tc, stop_holds_bytes_and_ends_and_loses_none);
	tcase_add_test(tc, stop_accepts_and_never_forwards);
	tcase_add_test(tc, cut_ends_within_so_many_bytes);
	tcase_add_test(tc, reset_comes_behind_the_head);
	tcase_add_test(tc, half_of_all_connections_are_refused);
	suite_add_tcase(s, tc);
	return s;
}

/* Accepting within limits, draining, and the end. */
#include "shared/http/endpoint.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

static struct kit kit;

START_TEST(at_the_cap_clients_wait_until_one_leaves_LM3)
{
	struct http_limits limits = kit_limits();
	struct client c[3];

	limits.connections = 2;
	limits.connections_per_address = 2;
	kit_start(&kit, &limits);
	for (size_t i = 0; i < COUNT(c); i++) {
		c[i] = client_open(&kit);
		client_say(&c[i], GET("/now"));
	}
	ck_assert_int_eq(client_reply(&c[0]), 200);
	ck_assert_int_eq(client_reply(&c[1]), 200);
	ck_assert(client_silent(&c[2], 250));
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_open, 2);
	client_close(&c[0]);
	ck_assert_int_eq(client_reply(&c[2]), 200);
	client_close(&c[1]);
	client_close(&c[2]);
	kit_stop(&kit);
}
END_TEST

START_TEST(one_address_gets_no_more_than_its_share_LM3)
{
	struct http_limits limits = kit_limits();
	struct client c[3];

	limits.connections_per_address = 2;
	kit_start(&kit, &limits);
	for (size_t i = 0; i < COUNT(c); i++) {
		c[i] = client_open(&kit);
		ck_assert_uint_eq(client_push(&c[i], GET("/now"), strlen(GET("/now")), 1000),
		        strlen(GET("/now")));
	}
	ck_assert_int_eq(client_reply(&c[0]), 200);
	ck_assert_int_eq(client_reply(&c[1]), 200);
	ck_assert_int_eq(client_reply(&c[2]), 0);
	client_close(&c[0]);
	ck_assert(kit_has_connections(&kit, 1));
	client_close(&c[2]);
	c[2] = client_open(&kit);
	client_say(&c[2], GET("/now"));
	ck_assert_int_eq(client_reply(&c[2]), 200);
	client_close(&c[1]);
	client_close(&c[2]);
	kit_stop(&kit);
}
END_TEST

static int64_t
cpu_us(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

START_TEST(without_descriptors_clients_are_turned_away_and_nothing_spins_LM3)
{
	const struct http_limits limits = kit_limits();
	const struct rlimit few = {64, 64};
	int fds[64];
	size_t taken = 0;
	struct client c;
	int64_t before;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/now"));
	ck_assert_int_eq(client_reply(&c), 200);
	client_close(&c);
	ck_assert(kit_has_connections(&kit, 0));
	while (taken < COUNT(fds) && (fds[taken] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		taken++;
	ck_assert_uint_gt(taken, 0);
	(void)close(fds[--taken]); /* the client needs one; the server finds none */
	c = client_open(&kit);
	ck_assert(client_ended(&c)); /* by the spare one */
	client_close(&c);
	c = client_open(&kit);
	before = cpu_us();
	(void)usleep(300000);
	ck_assert_int_lt(cpu_us() - before, 60000);
	client_close(&c);
	while (taken > 0)
		(void)close(fds[--taken]);
	c = client_open(&kit);
	client_say(&c, GET("/now"));
	ck_assert_int_eq(client_reply(&c), 200);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(draining_closes_the_idle_and_finishes_the_busy_LM11)
{
	const struct http_limits limits = kit_limits();
	struct client idle, fresh, busy, half;

	kit_start(&kit, &limits);
	fresh = client_open(&kit);
	idle = client_open(&kit);
	client_say(&idle, GET("/now"));
	ck_assert_int_eq(client_reply(&idle), 200);
	half = client_open(&kit);
	client_say(&half, "GET /now/half HTT");
	busy = client_open(&kit);
	client_say(&busy, GET("/late") GET("/now/never"));
	ck_assert(kit_sees(&kit, "head /late;"));
	kit_drain(&kit, false);
	ck_assert(client_ended(&idle));
	ck_assert(client_ended(&fresh));
	ck_assert_uint_eq(atomic_load(&kit.drained), 0);
	client_say(&half, "P/1.1\r\nHost: a\r\n\r\n");
	ck_assert_int_eq(client_reply(&half), 200);
	ck_assert_ptr_nonnull(strstr(half.head, "Connection: close\r\n"));
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&busy), 200);
	ck_assert_ptr_nonnull(strstr(busy.head, "Connection: close\r\n"));
	ck_assert(client_ended(&busy));
	client_close(&busy);
	client_close(&half);
	ck_assert(kit_has_connections(&kit, 0));
	while (atomic_load(&kit.drained) == 0)
		(void)usleep(1000);
	ck_assert_uint_eq(atomic_load(&kit.drained), 1);
	ck_assert_uint_eq(kit_count(&kit, "/now/never"), 0);
	client_close(&idle);
	client_close(&fresh);
	kit_stop(&kit);
}
END_TEST

START_TEST(draining_by_force_does_not_wait_LM11)
{
	const struct http_limits limits = kit_limits();
	struct client busy, idle;

	kit_start(&kit, &limits);
	idle = client_open(&kit);
	busy = client_open(&kit);
	client_say(&busy, GET("/late"));
	ck_assert(kit_sees(&kit, "head /late;"));
	kit_drain(&kit, false);
	kit_drain(&kit, true);
	while (atomic_load(&kit.drained) == 0)
		(void)usleep(1000);
	ck_assert(client_ended(&busy));
	ck_assert(client_ended(&idle));
	ck_assert_uint_eq(kit_count(&kit, "gone;"), 1);
	kit_release(&kit); /* the owner is late; his reply is dropped */
	ck_assert(kit_sees(&kit, "done 200;"));
	client_close(&busy);
	client_close(&idle);
	kit_stop(&kit);
	ck_assert_uint_eq(atomic_load(&kit.drained), 1);
}
END_TEST

START_TEST(an_endpoint_without_clients_is_drained_at_once_LM11)
{
	const struct http_limits limits = kit_limits();

	kit_start(&kit, &limits);
	kit_drain(&kit, false);
	while (atomic_load(&kit.drained) == 0)
		(void)usleep(1000);
	kit_stop(&kit);
	ck_assert_uint_eq(atomic_load(&kit.drained), 1);
}
END_TEST

/* kit_stop() frees the endpoint first and lets the owners reply afterwards. */
START_TEST(an_exchange_outlives_its_endpoint)
{
	const struct http_limits limits = kit_limits();
	struct client c, d;

	kit_start(&kit, &limits);
	c = client_open(&kit);
	d = client_open(&kit);
	client_say(&c, GET("/late"));
	client_say(&d, REQ("POST", "/late-body") "Content-Length: 3\r\n\r\nabc");
	ck_assert(kit_sees(&kit, "head /late;") && kit_sees(&kit, "head /late-body;"));
	kit_stop(&kit);
	client_close(&c);
	client_close(&d);
}
END_TEST

START_TEST(two_loops_share_one_socket)
{
	const struct http_limits limits = kit_limits();
	const struct http_callbacks *callbacks = NULL;
	struct http_endpoint *second = NULL;
	struct loop *loop = NULL;
	struct client c[32];
	struct err e = {0};
	uint64_t served;

	kit_start(&kit, &limits);
	callbacks = &kit.ep->callbacks;
	ck_assert(loop_new("second", &loop, &e));
	ck_assert(http_endpoint_new(kit.server, loop, callbacks, &second, &e));
	ck_assert(loop_start(loop, &e));
	for (size_t i = 0; i < COUNT(c); i++) {
		c[i] = client_open(&kit);
		client_say(&c[i], GET("/now"));
	}
	for (size_t i = 0; i < COUNT(c); i++)
		ck_assert_int_eq(client_reply(&c[i]), 200);
	served = http_endpoint_stats(kit.ep).requests_total +
	         http_endpoint_stats(second).requests_total;
	ck_assert_uint_eq(served, COUNT(c));
	for (size_t i = 0; i < COUNT(c); i++)
		client_close(&c[i]);
	loop_stop(loop);
	loop_join(loop);
	http_endpoint_free(second);
	loop_free(loop);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_peer_on_ipv6_is_named)
{
	const struct http_limits limits = kit_limits();
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct client c;

	if (probe < 0 || bind(probe, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return; /* a machine without IPv6 */
	(void)close(probe);
	kit_start_at(&kit, &limits, "[::1]:0", -1);
	to.sin6_port = htons((uint16_t)kit.port);
	c = client_adopt(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
	ck_assert_int_eq(connect(c.fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	client_say(&c, GET("/peer"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "::1");
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(an_inherited_unix_socket_serves_and_its_peer_is_local)
{
	const struct http_limits limits = kit_limits();
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct client c;

	/* In the abstract name space: nothing to clean up. */
	(void)snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "tasker-test-%d", (int)getpid());
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	kit_start_at(&kit, &limits, NULL, fd);
	ck_assert_int_eq(kit.port, 0);
	c = client_adopt(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	ck_assert_int_eq(connect(c.fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	client_say(&c, GET("/peer"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "local");
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(every_allocation_of_an_endpoint_may_fail)
{
	const struct http_limits limits = kit_limits();
	struct http_endpoint *ep = NULL;
	struct err e = {0};
	unsigned nth = 0;
	bool built = false;

	kit_start_manual(&kit, &limits);
	while (!built) {
		ck_assert_uint_lt(nth, 100);
		fault_allocation(++nth);
		built = http_endpoint_new(kit.server, kit.loop, &kit.ep->callbacks, &ep, &e);
		fault_allocation(0);
		if (!built) {
			ck_assert_int_eq(e.code, ERR_NOMEM);
			ck_assert_ptr_null(ep);
		}
	}
	ck_assert_uint_gt(nth, 1);
	http_endpoint_free(ep);
	http_endpoint_free(NULL);
	kit_stop(&kit);
}
END_TEST

Suite *
endpoint_suite(void)
{
	Suite *s = suite_create("endpoint");
	TCase *tc = tcase_create("doors");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, at_the_cap_clients_wait_until_one_leaves_LM3);
	tcase_add_test(tc, one_address_gets_no_more_than_its_share_LM3);
	tcase_add_test(tc, without_descriptors_clients_are_turned_away_and_nothing_spins_LM3);
	tcase_add_test(tc, draining_closes_the_idle_and_finishes_the_busy_LM11);
	tcase_add_test(tc, draining_by_force_does_not_wait_LM11);
	tcase_add_test(tc, an_endpoint_without_clients_is_drained_at_once_LM11);
	tcase_add_test(tc, an_exchange_outlives_its_endpoint);
	tcase_add_test(tc, two_loops_share_one_socket);
	tcase_add_test(tc, a_peer_on_ipv6_is_named);
	tcase_add_test(tc, an_inherited_unix_socket_serves_and_its_peer_is_local);
	tcase_add_test(tc, every_allocation_of_an_endpoint_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

/* The listening socket and the limits that a server is made with. */
#include "shared/http/server.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/http/endpoint.h"
#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

START_TEST(a_port_that_is_taken_is_busy)
{
	struct http_server *first = NULL, *second = NULL;
	struct err e = {0};
	char address[64];

	ck_assert(http_server_new("127.0.0.1:0", -1, &http_limits_default, &first, &e));
	(void)snprintf(address, sizeof(address), "127.0.0.1:%d", http_server_port(first));
	ck_assert(!http_server_new(address, -1, &http_limits_default, &second, &e));
	ck_assert_int_eq(e.code, ERR_BUSY);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(e.text, address));
	http_server_free(first);
	http_server_free(NULL);
}
END_TEST

static const char *const no_address[] = {"", "8080", "127.0.0.1", "127.0.0.1:", ":8080", "[::1]",
        "[]:80", "127.0.0.1:http", "a b:1"};

START_TEST(what_is_no_address_is_refused)
{
	struct http_server *s = NULL;
	struct err e = {0};

	ck_assert(!http_server_new(no_address[_i], -1, &http_limits_default, &s, &e));
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(an_ipv6_address_listens_too)
{
	struct http_server *s = NULL;
	struct err e = {0};

	if (!http_server_new("[::1]:0", -1, &http_limits_default, &s, &e)) {
		ck_assert_int_eq(e.code, ERR_IO); /* a machine without IPv6 */
		return;
	}
	ck_assert_int_gt(http_server_port(s), 0);
	http_server_free(s);
}
END_TEST

START_TEST(an_inherited_socket_is_used_as_it_is)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct http_server *s = NULL;
	struct err e = {0};

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert(http_server_new(NULL, fd, &http_limits_default, &s, &e));
	ck_assert_int_gt(http_server_port(s), 0);
	http_server_free(s);
}
END_TEST

START_TEST(limits_that_cannot_work_are_refused)
{
	struct http_limits wrong[9];
	struct http_server *s = NULL;

	for (size_t i = 0; i < COUNT(wrong); i++)
		wrong[i] = http_limits_default;
	wrong[0].head_fields = HTTP_FIELDS_MAX + 1;
	wrong[1].head_bytes = 0;
	wrong[2].head_us = 0;
	wrong[3].body_us = 0;
	wrong[4].idle_us = 0;
	wrong[5].write_us = -1;
	wrong[6].requests = 0;
	wrong[7].pipeline = 0;
	wrong[8].lifetime_us = 0;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct err e = {0};

		ck_assert(!http_server_new("127.0.0.1:0", -1, &wrong[i], &s, &e));
		ck_assert_int_eq(e.code, ERR_LIMIT);
	}
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(connections_stay_below_the_descriptors_LM3)
{
	struct http_limits limits = http_limits_default;
	struct rlimit files = {100, 300}, now = {0};
	struct http_server *s = NULL;
	struct err e = {0};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	ck_assert(http_server_new("127.0.0.1:0", -1, &limits, &s, &e));
	ck_assert_uint_eq(s->limits.connections, 300 - 64);
	ck_assert_uint_eq(s->limits.connections_per_address, (300 - 64) / 2);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &now), 0);
	ck_assert_uint_eq(now.rlim_cur, 300); /* soft raised to hard */
	http_server_free(s);
	limits.connections = 1000;
	ck_assert(http_server_new("127.0.0.1:0", -1, &limits, &s, &e));
	ck_assert_uint_eq(s->limits.connections, 300 - 64);
	http_server_free(s);
}
END_TEST

START_TEST(the_memory_of_a_connection_holds_two_heads_at_least_LM7)
{
	struct http_limits limits = http_limits_default;
	struct http_server *s = NULL;
	struct err e = {0};

	limits.memory = 2 * limits.head_bytes - 1;
	ck_assert(http_server_new("127.0.0.1:0", -1, &limits, &s, &e));
	ck_assert_uint_eq(s->limits.memory, 2 * limits.head_bytes);
	http_server_free(s);
}
END_TEST

START_TEST(every_allocation_of_a_server_may_fail)
{
	struct http_server *s = NULL;
	struct err e = {0};

	fault_allocation(1);
	ck_assert(!http_server_new("127.0.0.1:0", -1, &http_limits_default, &s, &e));
	fault_allocation(0);
	ck_assert_int_eq(e.code, ERR_NOMEM);
	ck_assert_ptr_null(s);
}
END_TEST

Suite *
server_suite(void)
{
	Suite *s = suite_create("server");
	TCase *tc = tcase_create("listening");

	tcase_add_test(tc, a_port_that_is_taken_is_busy);
	tcase_add_loop_test(tc, what_is_no_address_is_refused, 0, COUNT(no_address));
	tcase_add_test(tc, an_ipv6_address_listens_too);
	tcase_add_test(tc, an_inherited_socket_is_used_as_it_is);
	tcase_add_test(tc, limits_that_cannot_work_are_refused);
	tcase_add_test(tc, connections_stay_below_the_descriptors_LM3);
	tcase_add_test(tc, the_memory_of_a_connection_holds_two_heads_at_least_LM7);
	tcase_add_test(tc, every_allocation_of_a_server_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

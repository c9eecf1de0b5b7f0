/* The datagrams a service manager gets, and the sockets it gives; it is a socket of the test. */
#include "shared/runtime/service_manager.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct listener {
	int fd;
	char name[64]; /* as NOTIFY_SOCKET has it */
};

static struct listener
listener_open(bool abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct listener l;
	size_t len;

	(void)snprintf(l.name, sizeof(l.name), "%stasker-test-%ld", abstract ? "@" : "/tmp/",
	        (long)getpid());
	len = strlen(l.name);
	memcpy(address.sun_path, l.name, len);
	if (abstract)
		address.sun_path[0] = '\0';
	else
		(void)unlink(l.name);
	l.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(l.fd, (const struct sockaddr *)&address,
	                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
	        0);
	return l;
}

static void
listener_close(const struct listener *l)
{
	(void)close(l->fd);
	if (l->name[0] == '/')
		(void)unlink(l->name);
}

static const char *
heard(const struct listener *l)
{
	static char text[1024];
	const ssize_t n = recv(l->fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

START_TEST(each_message_is_one_datagram_of_the_protocol)
{
	const struct listener l = listener_open(_i == 1);
	struct service_manager sm;
	struct err e = {0};
	char ready[64];

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", l.name, 1), 0);
	ck_assert_int_eq(setenv("WATCHDOG_USEC", "30000000", 1), 0);
	service_manager_read(&sm);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET")); /* children do not speak for us */
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_int_eq(sm.watchdog_us, 30000000);

	ck_assert(service_manager_ready(&sm, "auth on", &e));
	(void)snprintf(
	        ready, sizeof(ready), "READY=1\nSTATUS=auth on\nMAINPID=%ld", (long)getpid());
	ck_assert_str_eq(heard(&l), ready);
	ck_assert(service_manager_status(&sm, "3 workers", &e));
	ck_assert_str_eq(heard(&l), "STATUS=3 workers");
	ck_assert(service_manager_reloading(&sm, 1234567, &e));
	ck_assert_str_eq(heard(&l), "RELOADING=1\nMONOTONIC_USEC=1234567");
	ck_assert(service_manager_stopping(&sm, 10000000, &e));
	ck_assert_str_eq(heard(&l), "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000");
	ck_assert(service_manager_watchdog(&sm, &e));
	ck_assert_str_eq(heard(&l), "WATCHDOG=1");
	listener_close(&l);
}
END_TEST

START_TEST(without_a_service_manager_everything_succeeds)
{
	static const char *const absent[] = {NULL, "", "relative", "@", "/"};
	struct service_manager sm;
	struct err e = {0};

	for (size_t i = 0; i < COUNT(absent); i++) {
		if (absent[i] == NULL)
			(void)unsetenv("NOTIFY_SOCKET");
		else
			ck_assert_int_eq(setenv("NOTIFY_SOCKET", absent[i], 1), 0);
		service_manager_read(&sm);
		ck_assert_int_eq(sm.address_len, 0);
		ck_assert(service_manager_ready(&sm, "x", &e));
		ck_assert_int_eq(service_manager_fd(&sm, "http"), -1);
	}
}
END_TEST

START_TEST(a_service_manager_that_went_away_is_an_error_and_no_more)
{
	struct listener l = listener_open(true);
	struct service_manager sm;
	struct err e = {0};
	char status[600];

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", l.name, 1), 0);
	service_manager_read(&sm);
	memset(status, 'x', sizeof(status) - 1);
	status[sizeof(status) - 1] = '\0';
	ck_assert(!service_manager_status(&sm, status, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	listener_close(&l);
	ck_assert(!service_manager_watchdog(&sm, &e));
	ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

static void
offer(const char *count, const char *names, const char *pid)
{
	char own[16];

	(void)snprintf(own, sizeof(own), "%ld", (long)getpid());
	(void)setenv("LISTEN_FDS", count, 1);
	(void)setenv("LISTEN_PID", pid != NULL ? pid : own, 1);
	if (names != NULL)
		(void)setenv("LISTEN_FDNAMES", names, 1);
	else
		(void)unsetenv("LISTEN_FDNAMES");
}

static const struct {
	const char *count, *names, *pid, *wanted;
	int fd;
} offers[] = {
        {"1",                    NULL,           NULL, "http", 3 },
        {"1",                    "unknown",      NULL, "http", 3 },
        {"2",                    "metrics:http", NULL, "http", 4 },
        {"2",                    "http:metrics", NULL, "http", 3 },
        {"2",                    "a:b",          NULL, "http", -1},
        {"2",                    NULL,           NULL, "http", -1},
        {"1",                    "http",         "1",  "http", -1}, /* meant for another process */
        {"0",                    "http",         NULL, "http", -1},
        {"x",                    "http",         NULL, "http", -1},
        {"-1",                   "http",         NULL, "http", -1},
        {"99999999999999999999", "http",         NULL, "http", -1},
};

START_TEST(an_inherited_socket_is_found_by_name_and_not_inherited_further)
{
	const int any = open("/dev/null", O_RDONLY);
	struct service_manager sm;

	ck_assert_int_ge(dup2(any, 3), 0);
	ck_assert_int_ge(dup2(any, 4), 0);
	offer(offers[_i].count, offers[_i].names, offers[_i].pid);
	service_manager_read(&sm);
	ck_assert_int_eq(service_manager_fd(&sm, offers[_i].wanted), offers[_i].fd);
	if (offers[_i].fd >= 0)
		ck_assert_int_eq(fcntl(offers[_i].fd, F_GETFD), FD_CLOEXEC);
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	(void)close(any);
}
END_TEST

Suite *
service_manager_suite(void)
{
	Suite *s = suite_create("service_manager");
	TCase *tc = tcase_create("service_manager");

	tcase_add_loop_test(tc, each_message_is_one_datagram_of_the_protocol, 0, 2);
	tcase_add_test(tc, without_a_service_manager_everything_succeeds);
	tcase_add_test(tc, a_service_manager_that_went_away_is_an_error_and_no_more);
	tcase_add_loop_test(tc, an_inherited_socket_is_found_by_name_and_not_inherited_further, 0,
	        COUNT(offers));
	suite_add_tcase(s, tc);
	return s;
}

/* When memory fails, a request is refused or ends; nobody gets more than he may (CR9). */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "tests/unit/gate/rig.h"

enum { FAILURES = 60 };

static const struct {
	const char *text;
	bool may; /* has the right to it */
} requests[] = {
        {"GET /v1/whoami HTTP/1.1\r\nHost: h\r\n\r\n",                                        false},
        {"GET /v1/whoami HTTP/1.1\r\nHost: h\r\nX-API-Key: " BAD_KEY "\r\n\r\n",              false},
        {"GET /v1/whoami HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a.b.c\r\n\r\n",         false},
        {"POST /v1/tasks HTTP/1.1\r\nHost: h\r\nX-API-Key: " LOW_KEY "\r\n"
         "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":1}",     false},
        {"POST /v1/internal/workers HTTP/1.1\r\nHost: h\r\nX-API-Key: " RIGHT_KEY "\r\n"
         "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":1}",     false},
        {"GET /v1/nothing HTTP/1.1\r\nHost: h\r\n\r\n",                                       false},
        {"GET /v1/whoami HTTP/1.1\r\nHost: h\r\nX-API-Key: " RIGHT_KEY "\r\n\r\n",            true },
        {"GET /v1/tasks?limit=5 HTTP/1.1\r\nHost: h\r\nX-API-Key: " RIGHT_KEY "\r\n\r\n",     true },
        {"POST /v1/tasks HTTP/1.1\r\nHost: h\r\nX-API-Key: " RIGHT_KEY "\r\n"
         "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":1}",     true },
        {"POST /v1/internal/poll HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " SESSION_SECRET
         "\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"n\":1}", true },
};

START_TEST(no_failed_allocation_opens_a_route_CR9)
{
	unsigned refused = 0, answered = 0;

	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_JSON, LEVEL_INFO, "test");
	for (unsigned nth = 1; nth <= FAILURES; nth++) {
		struct answer a;
		struct rig r;
		int fd;

		rig_open(&r, NULL);
		fd = rig_connect(&r);
		rig_send(fd, requests[_i].text, strlen(requests[_i].text));
		fault_allocation(nth);
		rig_receive(&r, fd, false, &a);
		fault_allocation(0);
		if (!requests[_i].may) {
			ck_assert_msg(a.status == 0 || a.status >= 400, "%u: %d", nth, a.status);
			ck_assert_uint_eq(r.handled, 0);
		}
		if (a.status == 503)
			ck_assert_msg(answer_has(&a, "Retry-After: 1"), "%u: %s", nth, a.head);
		refused += a.status == 0 || a.status >= 500;
		answered += a.status != 0 && a.status < 500;
		(void)close(fd);
		rig_close(&r);
	}
	ck_assert_uint_gt(refused, 0);  /* the failures did hit */
	ck_assert_uint_gt(answered, 0); /* and the last came too late to */
}
END_TEST

START_TEST(a_request_after_a_failed_one_is_answered)
{
	static const char text[] =
	        "GET /v1/whoami HTTP/1.1\r\nHost: h\r\nX-API-Key: " RIGHT_KEY "\r\n\r\n";
	struct rig r;

	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_JSON, LEVEL_INFO, "test");
	rig_open(&r, NULL);
	for (unsigned nth = 1; nth <= FAILURES; nth++) {
		struct answer a;
		int fd = rig_connect(&r);

		rig_send(fd, text, sizeof(text) - 1);
		fault_allocation(nth);
		rig_receive(&r, fd, false, &a);
		fault_allocation(0);
		(void)close(fd);
		rig_ask(&r, text, &a);
		ck_assert_int_eq(a.status, 200);
	}
	rig_close(&r);
}
END_TEST

START_TEST(every_allocation_of_a_gate_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_JSON, LEVEL_INFO, "test");
	while (!built) {
		const struct rig_settings usual = {0};
		struct err e = {0};
		struct rig r;

		ck_assert_uint_lt(nth, 300);
		fault_allocation(++nth);
		built = rig_try(&r, &usual, &e);
		fault_allocation(0);
		rig_close(&r);
	}
	ck_assert_uint_gt(nth, 20);
}
END_TEST

Suite *
gate_memory_suite(void)
{
	Suite *s = suite_create("gate_memory");
	TCase *tc = tcase_create("gate_memory");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, no_failed_allocation_opens_a_route_CR9, 0, COUNT(requests));
	tcase_add_test(tc, a_request_after_a_failed_one_is_answered);
	tcase_add_test(tc, every_allocation_of_a_gate_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

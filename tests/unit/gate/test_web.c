/* The web side as a whole, on threads of its own: serving, draining, cutting (LM11). */
#include "shared/gate/web.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "tests/unit/unit.h"

enum { WAIT_S = 5, LONG_US = 60 * 1000000 };

struct app {
	atomic_uint handled;
	_Atomic(struct request *) parked;
};

static void
handle_hello(struct request *req, const struct grant *grant, void *arg)
{
	struct app *app = arg;

	(void)grant;
	atomic_fetch_add(&app->handled, 1);
	request_reply_empty(req, 200);
}

static void
handle_park(struct request *req, const struct grant *grant, void *arg)
{
	struct app *app = arg;

	(void)grant;
	atomic_store(&app->parked, req);
}

static const struct route routes[] = {
        {METHOD_GET, "/hello", OPEN, BODY_KIND_NO_BODY, 0, handle_hello, "x"},
        {METHOD_GET, "/park",  OPEN, BODY_KIND_NO_BODY, 0, handle_park,  "x"},
};

struct site {
	struct app app;
	struct security_live *live;
	struct metrics *metrics;
	struct web *web;
	struct loop *home;
	unsigned done;
};

static bool
site_try(struct site *site, const char *address, int fd, struct err *e)
{
	const struct security_settings security = {.enabled = false};
	struct web_settings settings = {
	        .name = "http",
	        .address = address,
	        .fd = fd,
	        .threads = 2,
	        .limits = http_limits_default,
	        .gate = {.routes = routes,
	                 .route_count = COUNT(routes),
	                 .json = json_limits_default,
	                 .realm = "tasker",
	                 .app = &site->app},
	        .cache_entries = 16
        };
	struct security_report report = {0};
	AUTO(security_service) struct security_service *service = NULL;

	*site = (struct site){0};
	if (!security_service_new(&security, &service, &report, e) ||
	        !security_live_new(service, &site->live, e))
		return false;
	(void)TAKE(service);
	if (!metrics_new(&site->metrics, e) || !loop_new("home", &site->home, e))
		return false;
	settings.security = site->live;
	settings.metrics = site->metrics;
	return web_start(&settings, &site->web, e);
}

static void
site_open(struct site *site)
{
	struct err e = {0};

	log_open(STDERR_FILENO, LOG_JSON, LEVEL_ERROR, "test");
	ck_assert_msg(site_try(site, "127.0.0.1:0", -1, &e), "%s", e.text);
}

static void
site_close(struct site *site)
{
	web_free(site->web);
	loop_free(site->home);
	metrics_free(site->metrics);
	security_live_free(site->live);
}

static int
dial(int port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
	        .sin_port = htons((uint16_t)port),
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval wait = {.tv_sec = WAIT_S};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void
ask(int fd, const char *path)
{
	char text[128];
	const int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path);

	ck_assert_int_eq(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

/* The status of the next answer; 0 when the connection ended instead. */
static int
status_of(int fd)
{
	char text[4096] = "";
	const ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	int status = 0;

	if (n > 0)
		ck_assert_int_eq(sscanf(text, "HTTP/1.1 %d", &status), 1);
	return status;
}

static struct request *
parked_or_fail(struct site *site)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < WAIT_S * 1000 && atomic_load(&site->app.parked) == NULL; i++)
		(void)nanosleep(&pause, NULL);
	ck_assert_ptr_nonnull(atomic_load(&site->app.parked));
	return atomic_load(&site->app.parked);
}

static void
on_done(void *arg)
{
	struct site *site = arg;

	site->done++;
	loop_stop(site->home);
}

START_TEST(every_loop_serves_one_port_and_all_is_counted)
{
	struct buf out = BUF(MIB(1));
	struct site site;
	char *text;
	int idle;

	site_open(&site);
	ck_assert_uint_eq(web_loops(site.web), 2);
	ck_assert_ptr_ne(web_loop(site.web, 0), web_loop(site.web, 1));
	idle = dial(web_port(site.web));
	ask(idle, "/hello");
	ck_assert_int_eq(status_of(idle), 200);
	for (int i = 0; i < 20; i++) {
		const int fd = dial(web_port(site.web));

		ask(fd, "/hello");
		ck_assert_int_eq(status_of(fd), 200);
		(void)close(fd);
	}
	ck_assert_uint_eq(atomic_load(&site.app.handled), 21);
	metrics_render(site.metrics, &out);
	text = buf_take_text(&out);
	ck_assert_ptr_nonnull(strstr(text, "\ntasker_http_connections_total 21\n"));
	ck_assert_ptr_nonnull(
	        strstr(text, "\ntasker_build_info{version=\"" TASKER_VERSION "\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ntasker_log_dropped_total 0\n"));
	ck_assert_ptr_nonnull(
	        strstr(text, "tasker_http_requests_total{route=\"/hello\",method=\"GET\","
	                     "status=\"2xx\"} "));
	free(text);
	(void)close(idle);
	site_close(&site);
}
END_TEST

START_TEST(a_taken_port_is_busy)
{
	struct site first, second;
	struct err e = {0};
	char address[32];

	site_open(&first);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%d", web_port(first.web));
	ck_assert(!site_try(&second, address, -1, &e));
	ck_assert_int_eq(e.code, ERR_BUSY);
	ck_assert_ptr_null(second.web);
	site_close(&second);
	site_close(&first);
}
END_TEST

START_TEST(an_inherited_socket_is_served)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(address);
	struct site site;
	struct err e = {0};
	int fd;

	ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(listener, 8), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	ck_assert_msg(site_try(&site, NULL, listener, &e), "%s", e.text);
	ck_assert_int_eq(web_port(site.web), ntohs(address.sin_port));
	fd = dial(web_port(site.web));
	ask(fd, "/hello");
	ck_assert_int_eq(status_of(fd), 200);
	(void)close(fd);
	site_close(&site);
}
END_TEST

START_TEST(an_idle_web_drains_at_once_and_accepts_no_more)
{
	struct site site;
	struct err e = {0};
	int idle, port;

	site_open(&site);
	port = web_port(site.web);
	idle = dial(port);
	ask(idle, "/hello");
	ck_assert_int_eq(status_of(idle), 200);
	ck_assert(web_drain(site.web, site.home, LONG_US, on_done, &site, &e));
	loop_run(site.home);
	ck_assert_uint_eq(site.done, 1);
	ck_assert_int_eq(status_of(idle), 0); /* closed */
	(void)close(idle);
	web_free(TAKE(site.web));
	ck_assert_int_eq(dial(port), -1);
	site_close(&site);
}
END_TEST

struct answer_mail {
	struct mail mail;
	struct request *req;
};

static void
answer_now(struct mail *mail)
{
	request_reply_empty(((struct answer_mail *)mail)->req, 200);
}

START_TEST(draining_waits_for_running_requests)
{
	struct answer_mail late = {.mail.deliver = answer_now};
	struct site site;
	struct err e = {0};
	int fd;

	site_open(&site);
	fd = dial(web_port(site.web));
	ask(fd, "/park");
	late.req = parked_or_fail(&site);
	ck_assert(web_drain(site.web, site.home, LONG_US, on_done, &site, &e));
	loop_post(request_loop(late.req), &late.mail);
	loop_run(site.home);
	ck_assert_uint_eq(site.done, 1);
	ck_assert_int_eq(status_of(fd), 200); /* finished, not cut */
	(void)close(fd);
	site_close(&site);
}
END_TEST

START_TEST(what_does_not_finish_in_time_is_cut_and_done_comes_once)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct site site;
	struct err e = {0};
	int fd;

	site_open(&site);
	fd = dial(web_port(site.web));
	ask(fd, "/park");
	(void)parked_or_fail(&site);
	/* By the deadline, or by asking again with none. */
	ck_assert(web_drain(site.web, site.home, _i == 0 ? 20000 : LONG_US, on_done, &site, &e));
	if (_i == 1)
		ck_assert(web_drain(site.web, site.home, 0, on_done, &site, &e));
	loop_run(site.home);
	ck_assert_int_eq(status_of(fd), 0);
	for (int i = 0; i < 50; i++) { /* were there more mail, it would be here by now */
		(void)event_base_loop(loop_base(site.home), EVLOOP_NONBLOCK);
		(void)nanosleep(&pause, NULL);
	}
	ck_assert_uint_eq(site.done, 1);
	(void)close(fd);
	site_close(&site); /* frees the request nobody answered */
}
END_TEST

START_TEST(freeing_without_draining_cuts_everything)
{
	struct site site;
	int fd;

	site_open(&site);
	fd = dial(web_port(site.web));
	ask(fd, "/park");
	(void)parked_or_fail(&site);
	site_close(&site);
	ck_assert_int_eq(status_of(fd), 0);
	(void)close(fd);
}
END_TEST

START_TEST(an_answer_still_in_the_mail_is_delivered_before_anything_is_freed)
{
	struct answer_mail late = {.mail.deliver = answer_now};
	struct site site;
	int fd;

	site_open(&site);
	fd = dial(web_port(site.web));
	ask(fd, "/park");
	late.req = parked_or_fail(&site);
	loop_stop(request_loop(late.req));
	loop_post(request_loop(late.req), &late.mail);
	site_close(&site);
	ck_assert_int_eq(status_of(fd), 200);
	(void)close(fd);
}
END_TEST

START_TEST(a_stopped_web_starts_nothing_and_still_delivers_what_is_owed)
{
	struct answer_mail late = {.mail.deliver = answer_now};
	struct site site;
	int waiting, ignored;

	site_open(&site);
	waiting = dial(web_port(site.web));
	ask(waiting, "/park");
	late.req = parked_or_fail(&site);
	web_stop(site.web);
	ignored = dial(web_port(site.web)); /* the backlog takes it; nobody accepts */
	ask(ignored, "/hello");
	loop_post(request_loop(late.req), &late.mail);
	site_close(&site);
	ck_assert_int_eq(status_of(waiting), 200);
	ck_assert_int_eq(status_of(ignored), 0);
	ck_assert_uint_eq(atomic_load(&site.app.handled), 0);
	(void)close(waiting);
	(void)close(ignored);
}
END_TEST

START_TEST(a_reply_after_the_stop_is_its_connections_last)
{
	static const char both[] = "GET /park HTTP/1.1\r\nHost: h\r\n\r\n"
	                           "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n";
	const ssize_t len = sizeof(both) - 1;
	struct answer_mail late = {.mail.deliver = answer_now};
	struct site site;
	int fd;

	site_open(&site);
	fd = dial(web_port(site.web));
	/* Both are read at once, so the second waits in the connection for the first's reply. */
	ck_assert_int_eq(send(fd, both, (size_t)len, MSG_NOSIGNAL), len);
	late.req = parked_or_fail(&site);
	web_stop(site.web);
	loop_post(request_loop(late.req), &late.mail);
	site_close(&site);
	ck_assert_uint_eq(atomic_load(&site.app.handled), 0);
	ck_assert_int_eq(status_of(fd), 200);
	ck_assert_int_eq(status_of(fd), 0);
	(void)close(fd);
}
END_TEST

START_TEST(every_allocation_of_a_web_may_fail)
{
	unsigned nth = 0;
	bool built = false;

	while (!built) {
		struct err e = {0};
		struct site site;

		ck_assert_uint_lt(nth, 300);
		fault_allocation(++nth);
		built = site_try(&site, "127.0.0.1:0", -1, &e);
		fault_allocation(0);
		site_close(&site);
	}
	ck_assert_uint_gt(nth, 20);
}
END_TEST

Suite *
web_suite(void)
{
	Suite *s = suite_create("web");
	TCase *tc = tcase_create("web");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_loop_serves_one_port_and_all_is_counted);
	tcase_add_test(tc, a_taken_port_is_busy);
	tcase_add_test(tc, an_inherited_socket_is_served);
	tcase_add_test(tc, an_idle_web_drains_at_once_and_accepts_no_more);
	tcase_add_test(tc, draining_waits_for_running_requests);
	tcase_add_loop_test(tc, what_does_not_finish_in_time_is_cut_and_done_comes_once, 0, 2);
	tcase_add_test(tc, freeing_without_draining_cuts_everything);
	tcase_add_test(tc, an_answer_still_in_the_mail_is_delivered_before_anything_is_freed);
	tcase_add_test(tc, a_stopped_web_starts_nothing_and_still_delivers_what_is_owed);
	tcase_add_test(tc, a_reply_after_the_stop_is_its_connections_last);
	tcase_add_test(tc, every_allocation_of_a_web_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

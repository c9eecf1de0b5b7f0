/* Another thread ends a wait: at once, never lost, and only where it may. */
#include <string.h>

#include "shared/base/clock.h"
#include "shared/fetch/fetch.h"
#include "tests/unit/fetch/peer.h"
#include "tests/unit/unit.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct fetch *
client(void)
{
	struct fetch_options options = {0};
	struct fetch *f = NULL;
	struct err e = {0};

	ck_assert(fetch_new(&options, &f, &e));
	return f;
}

/* The status after a poll that would wait for 8 s; it must not take 4. */
static int
poll_once(struct fetch *f, const char *url, bool wakeable)
{
	struct fetch_request request = {.method = "GET",
	        .url = url,
	        .connect_timeout_ms = 2000,
	        .timeout_ms = 8000,
	        .response_max = KIB(4),
	        .wakeable = wakeable};
	AUTO(fetch_response) struct fetch_response r = {0};
	struct err e = {0};
	int64_t began = clock_mono_us();

	ck_assert_msg(fetch_send(f, &request, &r, &e), "%s", e.text);
	ck_assert_int_lt(clock_mono_us() - began, 4000000);
	if (r.status == 0)
		ck_assert_ptr_null(r.body.data);
	return r.status;
}

START_TEST(wake_ends_a_parked_request_at_once)
{
	static const struct peer_line script[] = {
	        {.answer = "",         .end = PEER_HOLD, .heard = fetch_wake},
                {.answer = OK}
        };
	AUTO(fetch) struct fetch *f = client();
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	ck_assert_int_eq(poll_once(f, p.url, true), 0);
	ck_assert_int_eq(poll_once(f, p.url, true), 200); /* and only that one */
	peer_end(&p);
	ck_assert_uint_eq(p.connections, 2); /* half an answer never meets the next request */
}
END_TEST

START_TEST(wake_before_a_request_ends_it_unsent)
{
	static const struct peer_line script[] = {{.answer = OK}};
	AUTO(fetch) struct fetch *f = client();
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	fetch_wake(f);
	fetch_wake(f); /* two wakes are one */
	ck_assert_int_eq(poll_once(f, p.url, true), 0);
	ck_assert_int_eq(poll_once(f, p.url, true), 200);
	peer_end(&p);
	ck_assert_uint_eq(p.requests, 1);
}
END_TEST

START_TEST(wake_leaves_a_request_alone_that_is_not_wakeable_and_ends_the_next)
{
	static const struct peer_line script[] = {
	        {.answer = OK, .heard = fetch_wake},
                {.answer = OK           }
        };
	AUTO(fetch) struct fetch *f = client();
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	ck_assert_int_eq(poll_once(f, p.url, false), 200);
	ck_assert_int_eq(poll_once(f, p.url, true), 0);
	ck_assert_int_eq(poll_once(f, p.url, true), 200);
	peer_end(&p);
	ck_assert_uint_eq(p.requests, 2);
}
END_TEST

START_TEST(stop_ends_this_request_and_all_later_ones)
{
	static const struct peer_line script[] = {
	        {.answer = "", .end = PEER_HOLD, .heard = fetch_stop}
        };
	AUTO(fetch) struct fetch *f = client();
	struct peer p;

	peer_start(&p, f, script, COUNT(script));
	ck_assert_int_eq(poll_once(f, p.url, false), 0);
	ck_assert_int_eq(poll_once(f, p.url, false), 0);
	ck_assert_int_eq(poll_once(f, p.url, true), 0);
	peer_end(&p);
	ck_assert_uint_eq(p.requests, 1);
}
END_TEST

Suite *
fetch_wake_suite(void)
{
	Suite *s = suite_create("fetch_wake");
	TCase *tc = tcase_create("waking");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, wake_ends_a_parked_request_at_once);
	tcase_add_test(tc, wake_before_a_request_ends_it_unsent);
	tcase_add_test(tc, wake_leaves_a_request_alone_that_is_not_wakeable_and_ends_the_next);
	tcase_add_test(tc, stop_ends_this_request_and_all_later_ones);
	suite_add_tcase(s, tc);
	return s;
}

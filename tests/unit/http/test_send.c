/* Replies to clients that read slowly, not at all, or not any more. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

static struct kit kit;

START_TEST(a_large_reply_arrives_whole_and_the_next_one_behind_it)
{
	const struct http_limits limits = kit_limits();
	struct client c;

	kit_start(&kit, &limits);
	c = client_open_small(&kit);
	client_say(&c, GET("/big") GET("/now"));
	(void)usleep(20000);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_uint_eq(strlen(c.body), KIT_BIG);
	ck_assert_uint_eq(strspn(c.body, "b"), KIT_BIG);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now");
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_reader_that_stops_is_dropped_LM2)
{
	struct http_limits limits = kit_limits();
	struct client c;

	limits.write_us = 60000;
	kit_start(&kit, &limits);
	c = client_open_small(&kit);
	client_say(&c, GET("/big") GET("/now"));
	ck_assert(kit_sees(&kit, "done 200;"));
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_reader_below_the_minimum_rate_is_dropped_though_it_never_stops_LM2)
{
	struct http_limits limits = kit_limits();
	struct client c;
	char some[4096];
	int turns = 0;

	limits.write_us = 100000;
	limits.body_min_rate = MIB(1024);
	kit_start(&kit, &limits);
	c = client_open_small(&kit);
	client_say(&c, GET("/big"));
	/* A few kibibytes every few milliseconds: there is always progress. */
	while (turns++ < 1000 && kit_count(&kit, "done") == 0 &&
	        recv(c.fd, some, sizeof(some), MSG_DONTWAIT) != 0)
		(void)usleep(2000);
	ck_assert_int_lt(turns, 1000);
	ck_assert(kit_has_connections(&kit, 0));
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(who_goes_while_a_reply_is_written_ends_it)
{
	const struct http_limits limits = kit_limits();
	struct client c;

	kit_start(&kit, &limits);
	c = client_open_small(&kit);
	client_say(&c, GET("/big"));
	ck_assert(kit_sees(&kit, "head /big;"));
	(void)usleep(10000);
	client_reset(&c);
	ck_assert(kit_sees(&kit, "done 200;"));
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "gone"), 0);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_body_that_could_not_be_written_becomes_500)
{
	const struct http_limits limits = kit_limits();
	struct client c;

	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/fail") GET("/now"));
	ck_assert_int_eq(client_reply(&c), 500);
	ck_assert_str_eq(c.body, "");
	ck_assert_int_eq(client_reply(&c), 200);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(who_keeps_sending_after_the_last_reply_is_cut_after_64_kib)
{
	static char bytes[1024 * 1024];
	const struct http_limits limits = kit_limits();
	struct client c;

	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/bye"));
	ck_assert_int_eq(client_reply(&c), 200);
	(void)client_push(&c, bytes, sizeof(bytes), 500);
	ck_assert(kit_has_connections(&kit, 0));
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(who_neither_sends_nor_closes_after_the_last_reply_is_closed_in_time)
{
	const struct http_limits limits = kit_limits();
	struct client c;

	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/bye"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_open, 1);
	ck_assert(kit_has_connections(&kit, 0)); /* LINGER_US */
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

Suite *
send_suite(void)
{
	Suite *s = suite_create("send");
	TCase *tc = tcase_create("replies");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_large_reply_arrives_whole_and_the_next_one_behind_it);
	tcase_add_test(tc, a_reader_that_stops_is_dropped_LM2);
	tcase_add_test(tc, a_reader_below_the_minimum_rate_is_dropped_though_it_never_stops_LM2);
	tcase_add_test(tc, who_goes_while_a_reply_is_written_ends_it);
	tcase_add_test(tc, a_body_that_could_not_be_written_becomes_500);
	tcase_add_test(tc, who_keeps_sending_after_the_last_reply_is_cut_after_64_kib);
	tcase_add_test(tc, who_neither_sends_nor_closes_after_the_last_reply_is_closed_in_time);
	suite_add_tcase(s, tc);
	return s;
}

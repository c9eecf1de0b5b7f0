/* Replies to clients that read slowly, not at all, or not any more. */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

static struct kit kit;
static struct client c;

START_TEST(a_large_reply_arrives_whole_and_the_next_one_behind_it)
{
	const struct http_limits limits = kit_limits();

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

/* By a reset: otherwise the kernel would keep what he did not read, and he comes again for more. */
START_TEST(a_reader_that_stops_is_dropped_LM2)
{
	struct http_limits limits = kit_limits();
	struct pollfd end = {.events = 0};

	limits.write_us = 60000;
	kit_start(&kit, &limits);
	c = client_open_small(&kit);
	client_say(&c, GET("/big") GET("/now"));
	ck_assert(kit_sees(&kit, "done 200;"));
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
	end.fd = c.fd;
	ck_assert_int_eq(poll(&end, 1, KIT_WAIT_MS), 1);
	ck_assert_int_ne(end.revents & POLLERR, 0);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

/* Two replies of 16 MiB fit, the third is one too many: the first reader is cut, long before its
 * time, and only it. */
START_TEST(replies_nobody_reads_are_bounded_over_all_clients_LM6)
{
	struct http_limits limits = kit_limits();
	struct client all[3];
	struct pollfd end = {.events = 0};

	limits.unsent = KIT_BIG * 5 / 2;
	kit_start(&kit, &limits);
	for (size_t i = 0; i < COUNT(all); i++) {
		all[i] = client_open_small(&kit);
		client_say(&all[i], GET("/big"));
		ck_assert(kit_has_connections(&kit, i < 2 ? i + 1 : 2));
	}
	end.fd = all[0].fd;
	ck_assert_int_eq(poll(&end, 1, KIT_WAIT_MS), 1);
	ck_assert_int_ne(end.revents & POLLERR, 0);
	for (size_t i = 1; i < COUNT(all); i++) {
		ck_assert_int_eq(client_reply(&all[i]), 200);
		ck_assert_uint_eq(strlen(all[i].body), KIT_BIG);
	}
	for (size_t i = 0; i < COUNT(all); i++)
		client_close(&all[i]);
	kit_stop(&kit);
}
END_TEST

START_TEST(who_goes_while_a_reply_is_written_ends_it)
{
	const struct http_limits limits = kit_limits();

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

/* ---- with a transport that misbehaves, without threads ---- */

static void
manual_start(void)
{
	const struct http_limits limits = kit_limits();

	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	kit_turn(&kit);
}

static void
manual_stop(void)
{
	client_close(&c);
	kit_stop(&kit);
}

START_TEST(a_reply_arrives_whole_in_whatever_pieces_it_is_written)
{
	const struct kit_wire wire = {
	        .write_most = 7, .next_read = TRANSPORT_OK, .next_write = TRANSPORT_AGAIN};

	manual_start();
	kit_misbehave(&kit, &wire);
	client_say(&c, GET("/now/1") GET("/now/2"));
	for (int i = 0; i < 200; i++)
		kit_turn(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now/1");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now/2");
	manual_stop();
}
END_TEST

START_TEST(a_reply_that_cannot_be_written_is_dropped)
{
	const struct kit_wire wire = {.next_read = TRANSPORT_OK, .next_write = TRANSPORT_BROKEN};

	manual_start();
	kit_misbehave(&kit, &wire);
	client_say(&c, GET("/now") GET("/now"));
	for (int i = 0; i < 5; i++)
		kit_turn(&kit);
	ck_assert(client_ended(&c));
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
	ck_assert_uint_eq(kit_count(&kit, "done 200;"), 1);
	manual_stop();
}
END_TEST

START_TEST(without_memory_for_the_rest_of_a_head_the_connection_ends)
{
	const struct kit_wire wire = {
	        .write_most = 7, .next_read = TRANSPORT_OK, .next_write = TRANSPORT_OK};

	manual_start();
	kit_misbehave(&kit, &wire);
	client_say(&c, GET("/late"));
	for (int i = 0; i < 5; i++)
		kit_turn(&kit);
	fault_allocation(2); /* the first is for the owner's body */
	kit_release_here(&kit, NULL);
	fault_allocation(0);
	ck_assert_uint_eq(kit_count(&kit, "done 200;"), 1);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_open, 0);
	manual_stop();
}
END_TEST

START_TEST(a_reader_below_the_minimum_rate_is_dropped_though_it_never_stops_LM2)
{
	const struct kit_wire wire = {
	        .write_most = 7, .next_read = TRANSPORT_OK, .next_write = TRANSPORT_OK};

	manual_start();
	kit_misbehave(&kit, &wire);
	client_say(&c, GET("/big"));
	kit_turn(&kit);
	kit_turn(&kit);
	ck_assert_int_eq(kit_connection(&kit)->phase, PHASE_SEND);
	/* Time stands still here, so the reply began so long ago: within its rate, then below it.
	 */
	kit_connection(&kit)->reply_us -= kit_limits().write_us;
	kit_turn(&kit);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_open, 1);
	kit_connection(&kit)->reply_us -= 1;
	kit_turn(&kit);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_open, 0);
	manual_stop();
}
END_TEST

START_TEST(who_keeps_sending_after_the_last_reply_is_cut_after_64_kib)
{
	static char bytes[1024 * 1024];
	const struct http_limits limits = kit_limits();

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
	tcase_add_test(tc, replies_nobody_reads_are_bounded_over_all_clients_LM6);
	tcase_add_test(tc, a_reader_below_the_minimum_rate_is_dropped_though_it_never_stops_LM2);
	tcase_add_test(tc, a_reply_arrives_whole_in_whatever_pieces_it_is_written);
	tcase_add_test(tc, a_reply_that_cannot_be_written_is_dropped);
	tcase_add_test(tc, without_memory_for_the_rest_of_a_head_the_connection_ends);
	tcase_add_test(tc, who_goes_while_a_reply_is_written_ends_it);
	tcase_add_test(tc, a_body_that_could_not_be_written_becomes_500);
	tcase_add_test(tc, who_keeps_sending_after_the_last_reply_is_cut_after_64_kib);
	tcase_add_test(tc, who_neither_sends_nor_closes_after_the_last_reply_is_closed_in_time);
	suite_add_tcase(s, tc);
	return s;
}

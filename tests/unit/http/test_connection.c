/* One client and its requests, in order, however it behaves. */
#include "shared/http/connection.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

static struct kit kit;

static void
start(void)
{
	const struct http_limits limits = kit_limits();

	kit_start(&kit, &limits);
}

static void
stop(void)
{
	kit_stop(&kit);
}

START_TEST(a_connection_serves_one_request_after_the_other)
{
	struct client c = client_open(&kit);

	for (int i = 0; i < 100; i++) {
		client_say(&c, GET("/now"));
		ck_assert_int_eq(client_reply(&c), 200);
		ck_assert_str_eq(c.body, "/now");
	}
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).requests_total, 100);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_total, 1);
	client_close(&c);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).exchanges_open, 0);
}
END_TEST

START_TEST(replies_come_in_the_order_of_requests_HP14)
{
	struct client c = client_open(&kit);

	client_say(&c, GET("/late1") GET("/now2") GET("/late3") GET("/now4"));
	ck_assert(kit_sees(&kit, "head /late1;"));
	ck_assert(client_silent(&c, 50));
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/late1");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now2");
	ck_assert(kit_sees(&kit, "head /late3;"));
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/late3");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now4");
	client_close(&c);
}
END_TEST

static void
look_at_a_flood(struct kit *k, void *arg)
{
	const struct connection *c =
	        (const struct connection *)deadlines_first(&k->ep->deadlines, DEADLINE_NONE);

	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(c->phase, PHASE_OWNER);
	ck_assert_int_eq(c->watch, WATCH_HANGUP);
	*(size_t *)arg = c->in.cap + c->x->kept.cap;
}

START_TEST(a_flood_of_pipelined_requests_stays_within_the_memory_of_a_connection_HP14_LM7)
{
	static const char one[] = GET("/now");
	struct client c = client_open(&kit);
	size_t pushed = 0, held = 0, answered = 0;

	client_say(&c, GET("/late"));
	ck_assert(kit_sees(&kit, "head /late;"));
	/* Whole requests only: what the sockets do not take is not begun. */
	while (pushed < KIB(256) && client_push(&c, one, sizeof(one) - 1, 100) == sizeof(one) - 1)
		pushed += sizeof(one) - 1;
	ck_assert_uint_gt(pushed, kit_limits().memory);
	ck_assert(client_silent(&c, 50));
	kit_on_loop(&kit, look_at_a_flood, &held);
	ck_assert_uint_le(held, kit_limits().memory);
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	for (; answered < pushed / (sizeof(one) - 1); answered++)
		ck_assert_int_eq(client_reply(&c), 200);
	client_close(&c);
}
END_TEST

START_TEST(head_gets_the_length_but_no_body_HP16)
{
	struct client c = client_open(&kit);

	client_say(&c, REQ("HEAD", "/now") "\r\n" GET("/empty") GET("/now"));
	ck_assert_int_eq(client_reply_to_head(&c), 200);
	ck_assert_ptr_nonnull(strstr(c.head, "Content-Length: 4\r\n"));
	ck_assert_int_eq(client_reply(&c), 204);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now");
	client_close(&c);
}
END_TEST

START_TEST(http_1_0_closes_unless_it_asks_to_stay_HP11)
{
	struct client c = client_open(&kit);

	client_say(&c, "GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_ptr_nonnull(strstr(c.head, "Connection: keep-alive\r\n"));
	client_say(&c, "GET /now HTTP/1.0\r\n\r\n");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_ptr_nonnull(strstr(c.head, "Connection: close\r\n"));
	ck_assert(client_ended(&c));
	client_close(&c);
}
END_TEST

static const char *const closing[] = {
        REQ("GET", "/now") "Connection: close\r\n\r\n",
        REQ("GET", "/now") "Connection: keep-alive, Close\r\n\r\n",
        GET("/bye"),
};

START_TEST(after_the_last_reply_nothing_is_parsed_HP15)
{
	struct client c = client_open(&kit);

	client_say(&c, closing[_i]);
	client_say(&c, GET("/now/ignored"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_ptr_nonnull(strstr(c.head, "Connection: close\r\n"));
	ck_assert(client_ended(&c));
	client_close(&c);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
}
END_TEST

static const struct {
	const char *bytes;
	int status;
} refused[] = {
        {"GET / HTTP/1.1\r\n\r\n",             400},
        {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n",  505},
        {"GET / HTTP/1.1\n",                   400},
};

START_TEST(a_bad_head_is_answered_and_ends_the_connection_HP7_HP9_HP11_HP12)
{
	struct client c = client_open(&kit);

	client_say(&c, refused[_i].bytes);
	client_say(&c, GET("/now"));
	ck_assert_int_eq(client_reply(&c), refused[_i].status);
	ck_assert_uint_gt(strlen(c.body), 0);
	ck_assert_ptr_nonnull(strstr(c.head, "Content-Type: application/problem+json\r\n"));
	ck_assert(client_ended(&c));
	client_close(&c);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head") + kit_count(&kit, "done"), 0);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).refused_total, 1);
}
END_TEST

START_TEST(a_head_may_come_in_any_pieces_HP17)
{
	static const char text[] = GET("/now") "GET / HTTP/9.9\r\n\r\n";
	struct client c = client_open(&kit);

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		ck_assert_uint_eq(client_push(&c, text + i, 1, 1000), 1);
		if (i % 7 == 0)
			(void)usleep(500);
	}
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_int_eq(client_reply(&c), 505);
	client_close(&c);
}
END_TEST

START_TEST(who_closes_while_his_request_is_pending_is_noticed)
{
	struct client c = client_open(&kit);

	client_say(&c, GET("/late"));
	ck_assert(kit_sees(&kit, "head /late;"));
	client_close(&c);
	ck_assert(kit_sees(&kit, "gone;"));
	ck_assert_uint_eq(kit_count(&kit, "done"), 0);
	kit_release(&kit);
	ck_assert(kit_sees(&kit, "done 200;"));
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "gone;"), 1);
}
END_TEST

START_TEST(who_resets_while_his_request_is_pending_is_noticed)
{
	struct client c = client_open(&kit);

	client_say(&c, GET("/late"));
	ck_assert(kit_sees(&kit, "head /late;"));
	client_reset(&c);
	ck_assert(kit_sees(&kit, "gone;"));
	ck_assert(kit_has_connections(&kit, 0));
	kit_release(&kit);
	ck_assert(kit_sees(&kit, "done 200;"));
}
END_TEST

START_TEST(who_hangs_up_while_reading_is_paused_is_noticed)
{
	struct client c = client_open(&kit);

	client_say(&c, REQ("POST", "/late-body") "Content-Length: 3\r\n\r\n");
	ck_assert(kit_sees(&kit, "head /late-body;"));
	client_close(&c);
	ck_assert(kit_sees(&kit, "gone;"));
	kit_release(&kit);
	ck_assert(kit_sees(&kit, "done 0;"));
	ck_assert(kit_has_connections(&kit, 0));
}
END_TEST

START_TEST(who_closes_only_his_sending_side_still_gets_his_reply)
{
	struct client c = client_open(&kit);

	client_say(&c, GET("/late") GET("/now"));
	ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
	ck_assert(kit_sees(&kit, "gone;"));
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/late");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now");
	ck_assert(client_ended(&c));
	client_close(&c);
}
END_TEST

START_TEST(an_unfinished_head_at_the_end_is_no_request)
{
	struct client c = client_open(&kit);

	client_say(&c, GET("/now") "GET /no");
	ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert(client_ended(&c));
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
	ck_assert_uint_eq(kit_count(&kit, "refused"), 0);
	client_close(&c);
}
END_TEST

/* ---- with limits of their own ---- */

START_TEST(a_connection_ends_after_its_share_of_requests_LM8)
{
	struct http_limits limits = kit_limits();
	struct client c;

	limits.requests = 2;
	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/now") GET("/now") GET("/now"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_ptr_null(strstr(c.head, "Connection"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_ptr_nonnull(strstr(c.head, "Connection: close\r\n"));
	ck_assert(client_ended(&c));
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_connection_ends_after_its_lifetime_LM8)
{
	struct http_limits limits = kit_limits();
	struct client c;

	limits.lifetime_us = 30000;
	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/now"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_ptr_null(strstr(c.head, "Connection"));
	(void)usleep(40000);
	client_say(&c, GET("/now"));
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_ptr_nonnull(strstr(c.head, "Connection: close\r\n"));
	ck_assert(client_ended(&c));
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

static const struct {
	const char *first; /* said at once; then a byte every few milliseconds */
	int status;        /* 0: closed without a word */
	bool drips;
} slow_heads[] = {
        {"",                         0,   false},
        {"G",                        408, false},
        {"GET /now HTTP/1.1\r\nX: ", 408, true },
};

START_TEST(a_slow_head_is_cut_at_its_absolute_deadline_LM2)
{
	struct http_limits limits = kit_limits();
	struct client c;
	int status = 0;

	limits.head_us = 60000;
	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, slow_heads[_i].first);
	for (int i = 0; slow_heads[_i].drips && i < 200 && client_silent(&c, 5); i++)
		(void)client_push(&c, "x", 1, 10);
	status = client_reply(&c);
	ck_assert_int_eq(status, slow_heads[_i].status);
	ck_assert(status == 0 || client_ended(&c));
	client_close(&c);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head"), 0);
	kit_stop(&kit);
}
END_TEST

START_TEST(an_idle_connection_is_closed_without_a_word_LM2)
{
	struct http_limits limits = kit_limits();
	struct client c;

	limits.idle_us = 60000;
	kit_start(&kit, &limits);
	c = client_open(&kit);
	for (int i = 0; i < 3; i++) { /* each request starts the time again */
		client_say(&c, GET("/now"));
		ck_assert_int_eq(client_reply(&c), 200);
		ck_assert(client_silent(&c, 30));
	}
	ck_assert(client_ended(&c));
	client_close(&c);
	ck_assert_uint_eq(kit_count(&kit, "refused"), 0);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_request_with_its_owner_has_no_deadline)
{
	struct http_limits limits = kit_limits();
	struct client c;

	limits.head_us = limits.idle_us = limits.body_us = limits.write_us = 20000;
	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/late"));
	ck_assert(kit_sees(&kit, "head"));
	ck_assert(client_silent(&c, 80));
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

/* ---- turns, without threads ---- */

static const struct {
	size_t pipeline, before; /* requests of the flood before its neighbour's */
} turns[] = {
        {4,    4 },
        {1000, 40}
};

START_TEST(a_pipelining_client_leaves_others_their_turn_HP14)
{
	AUTO(buf) struct buf all = BUF(KIB(4));
	struct http_limits limits = kit_limits();
	struct client flood, other;
	const char *first;
	size_t n = 0;

	limits.pipeline = turns[_i].pipeline;
	kit_start_manual(&kit, &limits);
	flood = client_open(&kit);
	other = client_open(&kit);
	kit_turn(&kit);
	for (int i = 0; i < 40; i++)
		buf_text(&all, GET("/now/a"));
	ck_assert_uint_eq(client_push(&flood, all.data, all.len, 1000), all.len);
	client_say(&other, GET("/now/b"));
	(void)usleep(20000); /* until both have arrived */
	for (int i = 0; i < 40; i++)
		kit_turn(&kit);
	ck_assert_uint_eq(kit_count(&kit, "head /now/a;"), 40);
	ck_assert_uint_eq(kit_count(&kit, "head /now/b;"), 1);
	buf_char(&kit.journal, '\0');
	first = strstr(kit.journal.data, "/now/b");
	for (const char *at = kit.journal.data;
	        (at = strstr(at, "head /now/a")) != NULL && at < first; at++)
		n++;
	ck_assert_uint_eq(n, turns[_i].before);
	client_close(&flood);
	client_close(&other);
	kit_stop(&kit);
}
END_TEST

static size_t
idle_bytes(const struct connection *c)
{
	return sizeof(*c) + c->in.cap + (c->x != NULL ? sizeof(*c->x) : 0);
}

START_TEST(an_idle_connection_holds_less_than_a_kibibyte)
{
	const struct http_limits limits = kit_limits();
	const struct connection *at;
	struct client c;

	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/now"));
	for (int i = 0; i < 5; i++)
		kit_turn(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	at = (const struct connection *)deadlines_first(&kit.ep->deadlines, DEADLINE_IDLE);
	ck_assert_ptr_nonnull(at);
	ck_assert_uint_lt(idle_bytes(at), 1024);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

Suite *
connection_suite(void)
{
	Suite *s = suite_create("connection");
	TCase *tc = tcase_create("requests"), *own = tcase_create("limits");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 30);
	tcase_set_timeout(own, 30);
	tcase_add_test(tc, a_connection_serves_one_request_after_the_other);
	tcase_add_test(tc, replies_come_in_the_order_of_requests_HP14);
	tcase_add_test(
	        tc, a_flood_of_pipelined_requests_stays_within_the_memory_of_a_connection_HP14_LM7);
	tcase_add_test(tc, head_gets_the_length_but_no_body_HP16);
	tcase_add_test(tc, http_1_0_closes_unless_it_asks_to_stay_HP11);
	tcase_add_loop_test(tc, after_the_last_reply_nothing_is_parsed_HP15, 0, COUNT(closing));
	tcase_add_loop_test(tc, a_bad_head_is_answered_and_ends_the_connection_HP7_HP9_HP11_HP12, 0,
	        COUNT(refused));
	tcase_add_test(tc, a_head_may_come_in_any_pieces_HP17);
	tcase_add_test(tc, who_closes_while_his_request_is_pending_is_noticed);
	tcase_add_test(tc, who_resets_while_his_request_is_pending_is_noticed);
	tcase_add_test(tc, who_hangs_up_while_reading_is_paused_is_noticed);
	tcase_add_test(tc, who_closes_only_his_sending_side_still_gets_his_reply);
	tcase_add_test(tc, an_unfinished_head_at_the_end_is_no_request);
	tcase_add_test(own, a_connection_ends_after_its_share_of_requests_LM8);
	tcase_add_test(own, a_connection_ends_after_its_lifetime_LM8);
	tcase_add_loop_test(
	        own, a_slow_head_is_cut_at_its_absolute_deadline_LM2, 0, COUNT(slow_heads));
	tcase_add_test(own, an_idle_connection_is_closed_without_a_word_LM2);
	tcase_add_test(own, a_request_with_its_owner_has_no_deadline);
	tcase_add_loop_test(
	        own, a_pipelining_client_leaves_others_their_turn_HP14, 0, COUNT(turns));
	tcase_add_test(own, an_idle_connection_holds_less_than_a_kibibyte);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, own);
	return s;
}

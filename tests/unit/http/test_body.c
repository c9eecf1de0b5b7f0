/* Bodies: read when asked for, refused in time, thrown away when nobody wants them. */
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"
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

#define LENGTH(n) "Content-Length: " #n "\r\n"
#define CHUNKED_FIELD "Transfer-Encoding: chunked\r\n"
#define EXPECT "Expect: 100-continue\r\n"

static const struct {
	const char *bytes, *body;
} whole[] = {
        {REQ("POST",       "/body") LENGTH(5) "\r\nhello", "hello"},
        {REQ("POST",                "/body") LENGTH(0) "\r\n",                                     ""},
        {REQ("POST",              "/body") "\r\n",        ""},
        {REQ("POST","/body") CHUNKED_FIELD "\r\n0\r\n\r\n",         ""},
        {REQ("POST",       "/body") CHUNKED_FIELD "\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",            "hello"},
        {"POST /body HTTP/1.0\r\nConnection: keep-alive\r\n" LENGTH(5) "\r\nhello",                "hello"                                    },
};

START_TEST(a_body_is_handed_over_whole_and_the_next_request_follows_it)
{
	const size_t len = strlen(whole[_i].bytes);
	struct client c = client_open(&kit);

	for (size_t split = 1; split <= len; split += 3) {
		ck_assert_uint_eq(client_push(&c, whole[_i].bytes, split, 1000), split);
		if (split % 2 == 0)
			(void)usleep(300);
		client_say(&c, whole[_i].bytes + split);
		client_say(&c, GET("/now"));
		ck_assert_int_eq(client_reply(&c), 200);
		ck_assert_str_eq(c.body, whole[_i].body);
		ck_assert_int_eq(client_reply(&c), 200);
		ck_assert_str_eq(c.body, "/now");
	}
	client_close(&c);
}
END_TEST

START_TEST(a_large_body_arrives_unchanged)
{
	AUTO(buf) struct buf all = BUF(MIB(1));
	const size_t head = strlen(REQ("POST", "/body") LENGTH(65536) "\r\n");
	struct client c = client_open(&kit);

	buf_text(&all, REQ("POST", "/body") LENGTH(65536) "\r\n");
	for (int i = 0; i < KIT_BODY_MAX; i++)
		buf_char(&all, (char)('a' + i % 23));
	ck_assert_uint_eq(client_push(&c, all.data, all.len, 2000), all.len);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_mem_eq(c.body, all.data + head, KIT_BODY_MAX);
	client_close(&c);
}
END_TEST

START_TEST(a_large_chunked_body_arrives_unchanged_with_the_next_request_behind_it)
{
	AUTO(buf) struct buf all = BUF(MIB(1));
	struct client c = client_open(&kit);

	buf_text(&all, REQ("POST", "/body") CHUNKED_FIELD "\r\n");
	for (int i = 0; i < KIT_BODY_MAX / 16; i++)
		buf_text(&all, "10\r\n0123456789abcdef\r\n");
	buf_text(&all, "0\r\n\r\n" GET("/now"));
	ck_assert_uint_eq(client_push(&c, all.data, all.len, 2000), all.len);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_uint_eq(strlen(c.body), KIT_BODY_MAX);
	for (int i = 0; i < KIT_BODY_MAX; i++)
		ck_assert_int_eq(c.body[i], "0123456789abcdef"[i % 16]);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now");
	client_close(&c);
}
END_TEST

START_TEST(continue_is_sent_only_when_the_body_is_wanted)
{
	struct client c = client_open(&kit);

	client_say(&c, REQ("POST", "/body") LENGTH(3) EXPECT "\r\n");
	ck_assert_int_eq(client_reply(&c), 100);
	ck_assert(client_silent(&c, 20));
	client_say(&c, "abc");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "abc");
	/* Who has sent it already needs no invitation. */
	client_say(&c, REQ("POST", "/body") LENGTH(3) EXPECT "\r\nabc");
	ck_assert_int_eq(client_reply(&c), 200);
	/* A pending decision keeps the client waiting; a refusal is final. */
	client_say(&c, REQ("POST", "/late-body") LENGTH(3) EXPECT "\r\n");
	ck_assert(client_silent(&c, 50));
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&c), 100);
	client_say(&c, "abc" REQ("POST", "/deny") LENGTH(3) EXPECT "\r\n");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_int_eq(client_reply(&c), 401);
	ck_assert(client_ended(&c));
	client_close(&c);
}
END_TEST

static const struct {
	const char *bytes;
	int status;
} refused[] = {
        {REQ("POST", "/body") LENGTH(65537) "\r\n",                    413},
        {REQ("POST", "/body") CHUNKED_FIELD "\r\n10000\r\n",           0  }, /* fits exactly: waits */
        {REQ("POST", "/body") CHUNKED_FIELD "\r\n10001\r\n",           413},
        {REQ("POST", "/body") CHUNKED_FIELD "\r\nffffffff\r\n",        413},
        {REQ("POST", "/body") CHUNKED_FIELD "\r\n1\r\na\r\n10000\r\n", 413},
        {REQ("POST", "/body") CHUNKED_FIELD "\r\n+1\r\n",              400},
        {REQ("POST", "/body") CHUNKED_FIELD "\r\n1\r\nab",             400},
        {REQ("POST", "/body") CHUNKED_FIELD "\r\n0\r\nX: 1\r\n\r\n",   400},
};

START_TEST(a_body_too_large_or_malformed_is_refused_while_it_grows_HP3_HP4)
{
	struct client c = client_open(&kit);

	client_say(&c, refused[_i].bytes);
	if (refused[_i].status == 0) {
		ck_assert(client_silent(&c, 50));
	} else {
		ck_assert_int_eq(client_reply(&c), refused[_i].status);
		ck_assert(client_ended(&c));
		ck_assert(kit_sees(&kit, refused[_i].status == 413 ? "done 413;" : "done 400;"));
		ck_assert_uint_eq(kit_count(&kit, "refused"), 1);
	}
	client_close(&c);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "body ") + kit_count(&kit, "gone"), 0);
}
END_TEST

START_TEST(who_leaves_inside_his_body_leaves_nothing_behind)
{
	struct client c = client_open(&kit);

	client_say(&c, REQ("POST", "/body") LENGTH(10) "\r\nabc");
	ck_assert(kit_sees(&kit, "head /body;"));
	client_close(&c);
	ck_assert(kit_sees(&kit, "done 0;"));
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).exchanges_open, 0);
	ck_assert_uint_eq(kit_count(&kit, "body ") + kit_count(&kit, "gone"), 0);
}
END_TEST

START_TEST(a_refused_request_with_its_small_body_there_keeps_the_connection)
{
	AUTO(buf) struct buf all = BUF(MIB(1));
	struct client c = client_open(&kit);

	/* Larger than the first block that is read, at the limit of what is dropped. */
	buf_text(&all, REQ("POST", "/deny") LENGTH(16384) "\r\n");
	for (int i = 0; i < DROP_MAX; i++)
		buf_char(&all, 'G');
	buf_text(&all, GET("/now"));
	ck_assert_uint_eq(client_push(&c, all.data, all.len, 1000), all.len);
	ck_assert_int_eq(client_reply(&c), 401);
	if (strstr(c.head, "Connection: close") == NULL) { /* unless it had not arrived whole */
		ck_assert_int_eq(client_reply(&c), 200);
		ck_assert_str_eq(c.body, "/now");
	}
	client_close(&c);
	c = client_open(&kit);
	client_say(&c, REQ("POST", "/deny") LENGTH(3) "\r\nabc" GET("/now"));
	ck_assert_int_eq(client_reply(&c), 401);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now");
	ck_assert_uint_eq(kit_count(&kit, "body "), 0);
	client_close(&c);
}
END_TEST

static const char *const unread[] = {
        REQ("POST", "/deny") LENGTH(16385) "\r\n",
        REQ("POST", "/deny") LENGTH(4) "\r\nabc",
        REQ("POST", "/deny") CHUNKED_FIELD "\r\n0\r\n\r\n",
        REQ("POST", "/deny") LENGTH(3) EXPECT "\r\n",
};

START_TEST(a_refused_request_with_a_body_on_its_way_ends_the_connection)
{
	struct client c = client_open(&kit);

	client_say(&c, unread[_i]);
	ck_assert_int_eq(client_reply(&c), 401);
	ck_assert_ptr_nonnull(strstr(c.head, "Connection: close\r\n"));
	ck_assert(client_ended(&c));
	client_say(&c, GET("/now"));
	client_close(&c);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head"), 1);
}
END_TEST

static long
peak_kib(void)
{
	struct rusage usage = {0};

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

START_TEST(a_refused_upload_of_50_mb_is_answered_at_once_and_kept_nowhere)
{
	static char megabyte[1024 * 1024];
	struct client c = client_open(&kit);
	const int64_t before = clock_mono_us();
	const long peak = peak_kib();
	size_t taken = 0;

	client_say(&c, REQ("POST", "/deny") LENGTH(52428800) "\r\n");
	ck_assert_int_eq(client_reply(&c), 401);
	ck_assert_int_lt(clock_mono_us() - before, 1000000);
	for (int i = 0; i < 50; i++) {
		const size_t n = client_push(&c, megabyte, sizeof(megabyte), 200);

		taken += n;
		if (n < sizeof(megabyte))
			break;
	}
	ck_assert_uint_lt(taken, 50 * sizeof(megabyte));
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_int_lt(peak_kib() - peak, 8192);
	client_close(&c);
}
END_TEST

START_TEST(a_refusal_survives_the_bytes_that_were_on_their_way)
{
	static char rest[48 * 1024];

	for (int i = 0; i < 20; i++) {
		struct client c = client_open(&kit);

		client_say(&c, REQ("POST", "/deny") LENGTH(52428800) "\r\n");
		ck_assert_uint_eq(client_push(&c, rest, sizeof(rest), 1000), sizeof(rest));
		(void)usleep(1000);
		ck_assert_int_eq(client_reply(&c), 401);
		ck_assert(client_ended(&c));
		client_close(&c);
	}
}
END_TEST

START_TEST(nothing_of_a_body_is_read_while_the_decision_is_pending)
{
	static char bytes[1024 * 1024];
	struct client c = client_open(&kit);

	client_say(&c, REQ("POST", "/late-body") LENGTH(65536) "\r\n");
	ck_assert(kit_sees(&kit, "head /late-body;"));
	memset(bytes, 'x', sizeof(bytes));
	ck_assert_uint_eq(client_push(&c, bytes, KIT_BODY_MAX, 2000), KIT_BODY_MAX);
	ck_assert(client_silent(&c, 30));
	kit_release(&kit);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_uint_eq(strlen(c.body), KIT_BODY_MAX);
	client_close(&c);
}
END_TEST

/* ---- with limits of their own ---- */

static const struct {
	const char *bytes;
	bool drips;
} slow[] = {
        {REQ("POST", "/body") LENGTH(10) "\r\n",           false},
        {REQ("POST", "/body") LENGTH(1000) "\r\n",         true },
        {REQ("POST", "/body") CHUNKED_FIELD "\r\n3e8\r\n", true },
        {REQ("POST", "/body") LENGTH(10) EXPECT "\r\n",    false},
};

START_TEST(a_slow_body_is_cut_at_its_absolute_deadline_LM2)
{
	struct http_limits limits = kit_limits();
	struct client c;
	int status = 100;

	limits.body_us = 60000;
	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, slow[_i].bytes);
	for (int i = 0; slow[_i].drips && i < 200 && client_silent(&c, 5); i++)
		(void)client_push(&c, "x", 1, 10);
	while (status == 100)
		status = client_reply(&c);
	ck_assert_int_eq(status, 408);
	ck_assert(client_ended(&c));
	ck_assert(kit_sees(&kit, "done 408;"));
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_body_below_the_minimum_rate_is_cut_after_the_first_second_LM2)
{
	struct http_limits limits = kit_limits();
	const int64_t before = clock_mono_us();
	struct client c;

	limits.body_min_rate = 1000000;
	kit_start(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, REQ("POST", "/body") LENGTH(1000) "\r\n");
	for (int i = 0; i < 1000 && client_silent(&c, 5); i++)
		(void)client_push(&c, "x", 1, 10);
	ck_assert_int_eq(client_reply(&c), 408);
	ck_assert_int_ge(clock_mono_us() - before, 1000000);
	ck_assert_int_lt(clock_mono_us() - before, 3000000);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

/* ---- with a transport that misbehaves, without threads ---- */

static const char *const announced[] = {
        REQ("POST", "/body") LENGTH(3) "\r\n", REQ("POST", "/body") CHUNKED_FIELD "\r\n"};

START_TEST(a_body_whose_connection_breaks_leaves_nothing_behind)
{
	const struct http_limits limits = kit_limits();
	struct kit_wire wire = {.next_read = TRANSPORT_AGAIN, .next_write = TRANSPORT_OK};
	struct client c;

	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, announced[_i]);
	for (int i = 0; i < 3; i++)
		kit_turn(&kit);
	ck_assert_int_eq(kit_connection(&kit)->phase, PHASE_BODY);
	kit_misbehave(&kit, &wire); /* nothing to read after all */
	client_say(&c, "1");
	kit_turn(&kit);
	ck_assert_int_eq(kit_connection(&kit)->phase, PHASE_BODY);
	wire.next_read = TRANSPORT_BROKEN;
	kit_misbehave(&kit, &wire);
	client_say(&c, "2");
	kit_turn(&kit);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_open, 0);
	ck_assert_uint_eq(kit_count(&kit, "done 0;"), 1);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

static const struct {
	struct kit_wire wire;
	bool lives; /* a body may follow though no 100 was said */
} invitations[] = {
        {{.next_read = TRANSPORT_OK, .next_write = TRANSPORT_AGAIN},                    true },
        {{.next_read = TRANSPORT_OK, .next_write = TRANSPORT_AGAIN, .other_way = true}, false},
        {{.next_read = TRANSPORT_OK, .next_write = TRANSPORT_BROKEN},                   false},
        {{.next_read = TRANSPORT_OK, .next_write = TRANSPORT_OK, .write_most = 5},      false},
};

START_TEST(an_invitation_that_cannot_be_said_whole_is_left_out_or_ends_it)
{
	const struct http_limits limits = kit_limits();
	struct client c;

	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, REQ("POST", "/late-body") LENGTH(3) EXPECT "\r\n");
	for (int i = 0; i < 3; i++)
		kit_turn(&kit);
	kit_misbehave(&kit, &invitations[_i].wire);
	kit_release_here(&kit, NULL);
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_open, invitations[_i].lives);
	if (invitations[_i].lives) {
		client_say(&c, "abc");
		for (int i = 0; i < 3; i++)
			kit_turn(&kit);
		ck_assert_int_eq(client_reply(&c), 200);
	}
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

Suite *
body_suite(void)
{
	Suite *s = suite_create("body");
	TCase *tc = tcase_create("bodies"), *own = tcase_create("limits");

	tcase_add_checked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 30);
	tcase_set_timeout(own, 30);
	tcase_add_loop_test(tc, a_body_too_large_or_malformed_is_refused_while_it_grows_HP3_HP4, 0,
	        COUNT(refused));
	tcase_add_loop_test(
	        tc, a_body_is_handed_over_whole_and_the_next_request_follows_it, 0, COUNT(whole));
	tcase_add_test(tc, a_large_body_arrives_unchanged);
	tcase_add_test(tc, a_large_chunked_body_arrives_unchanged_with_the_next_request_behind_it);
	tcase_add_test(tc, continue_is_sent_only_when_the_body_is_wanted);
	tcase_add_test(tc, who_leaves_inside_his_body_leaves_nothing_behind);
	tcase_add_test(tc, a_refused_request_with_its_small_body_there_keeps_the_connection);
	tcase_add_loop_test(
	        tc, a_refused_request_with_a_body_on_its_way_ends_the_connection, 0, COUNT(unread));
	tcase_add_test(tc, a_refused_upload_of_50_mb_is_answered_at_once_and_kept_nowhere);
	tcase_add_test(tc, a_refusal_survives_the_bytes_that_were_on_their_way);
	tcase_add_test(tc, nothing_of_a_body_is_read_while_the_decision_is_pending);
	tcase_add_loop_test(own, a_slow_body_is_cut_at_its_absolute_deadline_LM2, 0, COUNT(slow));
	tcase_add_loop_test(
	        own, a_body_whose_connection_breaks_leaves_nothing_behind, 0, COUNT(announced));
	tcase_add_loop_test(own, an_invitation_that_cannot_be_said_whole_is_left_out_or_ends_it, 0,
	        COUNT(invitations));
	tcase_add_test(own, a_body_below_the_minimum_rate_is_cut_after_the_first_second_LM2);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, own);
	return s;
}

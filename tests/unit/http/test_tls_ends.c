/* How connections over TLS end, and whose never begin (TL2, TL5, TL10). */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/lib/wire.h"
#include "tests/torture/fault.h"
#include "tests/unit/http/tls_site.h"
#include "tests/unit/unit.h"

enum { SHORT_US = 200000 };

static struct kit kit;

static void
start(void)
{
	const struct http_limits limits = kit_limits();

	tls_site_start(&kit, &limits);
}

/* ---- ends ---- */

START_TEST(the_last_reply_is_followed_by_a_word_that_it_was)
{
	struct tls_peer p;
	char rest[64];

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	ck_assert(tls_peer_say_text(&p, GET("/bye")));
	ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
	ck_assert_int_eq(tls_peer_read(&p, rest, sizeof(rest), TLS_PEER_MS), 0);
	tls_peer_say_end(&p);
	tls_peer_close(&p);
	ck_assert(kit_has_connections(&kit, 0));
	kit_stop(&kit);
}
END_TEST

START_TEST(an_idle_connection_ends_with_a_word)
{
	struct http_limits limits = kit_limits();
	struct tls_peer p;
	char rest[64];

	limits.idle_us = SHORT_US;
	tls_site_start(&kit, &limits);
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	ck_assert(tls_peer_say_text(&p, GET("/now")));
	ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
	ck_assert_int_eq(tls_peer_read(&p, rest, sizeof(rest), TLS_PEER_MS), 0);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

START_TEST(who_says_that_he_is_done_still_gets_his_reply)
{
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	ck_assert(tls_peer_say_text(&p, GET("/late")));
	tls_peer_say_end(&p);
	ck_assert(kit_sees(&kit, "gone;"));
	kit_release(&kit);
	ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

static const char *const unfinished[] = {
        REQ("POST", "/body") "Content-Length: 6\r\n\r\nabc",
        REQ("POST", "/body") "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        REQ("POST", "/body") "Content-Length: 6\r\n",
};

/* With and without close_notify, after each of them. */
START_TEST(TL10_a_request_that_is_cut_off_is_not_executed)
{
	const char *text = unfinished[_i / 4];
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i % 2]);
	ck_assert(tls_peer_say_text(&p, text));
	if (_i % 4 < 2)
		tls_peer_say_end(&p);
	ck_assert_int_eq(shutdown(p.fd, SHUT_WR), 0);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "body "), 0);
	ck_assert_uint_eq(kit_count(&kit, "done"), kit_count(&kit, "head"));
	ck_assert_uint_eq(kit_count(&kit, "done 200;"), 0);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

/* An end of the stream that nobody vouches for is not "all that the client sent has been read". */
START_TEST(TL10_a_request_whose_connection_was_cut_off_has_no_client)
{
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	ck_assert(tls_peer_say_text(&p, GET("/late")));
	ck_assert(kit_sees(&kit, "head /late;"));
	ck_assert_int_eq(shutdown(p.fd, SHUT_WR), 0);
	ck_assert(kit_sees(&kit, "gone;"));
	ck_assert(kit_has_connections(&kit, 0));
	kit_release(&kit);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_record_that_was_tampered_with_ends_the_connection)
{
	char bytes[1024];
	struct tls_peer p;
	size_t len;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	ck_assert(tls_peer_encrypt(&p, GET("/now"), strlen(GET("/now"))));
	len = tls_peer_take(&p, bytes, sizeof(bytes));
	bytes[len - 1] ^= 1;
	ck_assert(wire_send(p.fd, bytes, len));
	ck_assert(wire_closes(p.fd, 3000));
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head"), 0);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

/* ---- who does not speak TLS, or not in time ---- */

#define BYTES(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct {
	const char *bytes;
	size_t len;
} plaintexts[] = {
        BYTES(GET("/now")),
        BYTES("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
        BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        BYTES("SSH-2.0-client\r\n"),
        BYTES("\x16\x03\x01\xff\xff garbage behind the start of a record"),
        BYTES("\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff"),
        BYTES("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10 almost a hello of SSL 2, with more "
              "behind"),
};

START_TEST(TL2_plaintext_is_closed_at_once)
{
	const int64_t before = clock_mono_us();
	int fd;

	start();
	fd = wire_connect(kit.port);
	ck_assert(wire_send(fd, plaintexts[_i].bytes, plaintexts[_i].len));
	ck_assert(wire_closes(fd, 3000));
	ck_assert_int_lt(clock_mono_us() - before, 3000000);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "head") + kit_count(&kit, "refused"), 0);
	(void)close(fd);
	kit_stop(&kit);
}
END_TEST

/* Says nothing, half of a hello, or a byte now and then. */
START_TEST(TL5_a_handshake_has_its_time_and_no_more)
{
	struct http_limits limits = kit_limits();
	char hello[2048];
	struct tls_peer p;
	int64_t before;
	size_t len;

	limits.handshake_us = SHORT_US;
	tls_site_start(&kit, &limits);
	ck_assert(tls_peer_open(&p, wire_connect(kit.port), &(struct tls_wish){.least = 0}));
	before = clock_mono_us();
	(void)SSL_do_handshake(p.ssl);
	len = tls_peer_take(&p, hello, sizeof(hello));
	ck_assert_uint_gt(len, 100);
	if (_i == 1)
		ck_assert(wire_send(p.fd, hello, len / 2));
	for (size_t at = 0; _i == 2 && at < 100 && wire_send(p.fd, hello + at, 1); at++)
		if (wire_closes(p.fd, 10))
			break;
	ck_assert(wire_closes(p.fd, 5000));
	ck_assert_int_ge(clock_mono_us() - before, SHORT_US);
	ck_assert(kit_has_connections(&kit, 0));
	ck_assert_uint_eq(kit_count(&kit, "refused"), 0);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

/* After it, the head has its own. */
START_TEST(TL5_a_slow_head_is_cut_as_ever)
{
	struct http_limits limits = kit_limits();
	struct tls_peer p;
	char reply[256] = "";

	limits.head_us = SHORT_US;
	tls_site_start(&kit, &limits);
	p = tls_site_peer(&kit, tls_site_versions[_i / 2]);
	if (_i % 2 == 1) {
		ck_assert(tls_peer_say_text(&p, "GET /"));
		ck_assert_int_gt(tls_peer_read(&p, reply, sizeof(reply) - 1, TLS_PEER_MS), 0);
		ck_assert_int_eq(strncmp(reply, "HTTP/1.1 408 ", 13), 0);
	}
	ck_assert_int_eq(tls_peer_read(&p, reply, sizeof(reply), TLS_PEER_MS), 0);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

START_TEST(draining_ends_who_shakes_hands_and_who_waits)
{
	struct tls_peer p;
	int fd;

	start();
	p = tls_site_peer(&kit, TLS1_3_VERSION);
	fd = wire_connect(kit.port);
	ck_assert(kit_has_connections(&kit, 2));
	kit_drain(&kit, false);
	ck_assert(kit_has_connections(&kit, 0));
	tls_peer_close(&p);
	(void)close(fd);
	kit_stop(&kit);
}
END_TEST

START_TEST(without_memory_a_connection_is_closed_and_the_next_one_served)
{
	struct tls_peer p;
	int fd;

	start();
	for (unsigned nth = 1; nth <= 3; nth++) {
		/* Ours, and then SSL_new and SSL_set_fd after accept4. */
		fault_arm(nth == 1 ? FAULT_ALLOCATION : FAULT_CALL, nth, false);
		fault_spare_this_thread(true);
		fd = wire_connect(kit.port);
		ck_assert(wire_closes(fd, 3000));
		ck_assert(fault_disarm());
		(void)close(fd);
	}
	p = tls_site_peer(&kit, TLS1_3_VERSION);
	ck_assert(tls_peer_say_text(&p, GET("/now")));
	ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

Suite *
tls_ends_suite(void)
{
	Suite *s = suite_create("tls_ends");
	TCase *tc = tcase_create("ends");

	tcase_add_unchecked_fixture(tc, tls_site_open, tls_site_close);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_last_reply_is_followed_by_a_word_that_it_was, 0, 2);
	tcase_add_loop_test(tc, an_idle_connection_ends_with_a_word, 0, 2);
	tcase_add_loop_test(tc, who_says_that_he_is_done_still_gets_his_reply, 0, 2);
	tcase_add_loop_test(
	        tc, TL10_a_request_that_is_cut_off_is_not_executed, 0, 4 * (int)COUNT(unfinished));
	tcase_add_loop_test(tc, TL10_a_request_whose_connection_was_cut_off_has_no_client, 0, 2);
	tcase_add_loop_test(tc, a_record_that_was_tampered_with_ends_the_connection, 0, 2);
	tcase_add_loop_test(tc, TL2_plaintext_is_closed_at_once, 0, (int)COUNT(plaintexts));
	tcase_add_loop_test(tc, TL5_a_handshake_has_its_time_and_no_more, 0, 3);
	tcase_add_loop_test(tc, TL5_a_slow_head_is_cut_as_ever, 0, 4);
	tcase_add_test(tc, draining_ends_who_shakes_hands_and_who_waits);
	tcase_add_test(tc, without_memory_a_connection_is_closed_and_the_next_one_served);
	suite_add_tcase(s, tc);
	return s;
}

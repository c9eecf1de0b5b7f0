/* Requests over TLS, and where TLS is not like a socket. */
#include <malloc.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/wire.h"
#include "tests/unit/http/tls_site.h"
#include "tests/unit/unit.h"

enum { LARGE = 1024 * 1024, IDLE = 100, IDLE_BYTES = 16384 };

static struct kit kit;

static void
start(void)
{
	const struct http_limits limits = kit_limits();

	tls_site_start(&kit, &limits);
}

static struct tls_peer
open_as(const struct tls_wish *w)
{
	struct tls_peer p;

	ck_assert(tls_peer_open(&p, wire_connect(kit.port), w));
	ck_assert(tls_peer_handshake(&p));
	return p;
}

/* A plain socket to the server, by way of a thread that speaks TLS. */
static struct client
open_client(void)
{
	static struct tls_wish w;

	w = (struct tls_wish){.ca_path = tls_site_path("ca.pem"), .host = "127.0.0.1"};
	return client_adopt(tls_relay(kit.port, &w));
}

static char *
repeated(char c, size_t n)
{
	char *text = malloc(n + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, c, n);
	text[n] = '\0';
	return text;
}

/* ---- requests ---- */

START_TEST(a_connection_serves_one_request_after_the_other)
{
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	for (int i = 0; i < 100; i++) {
		ck_assert(tls_peer_say_text(&p, GET("/now")));
		ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
	}
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).connections_total, 1);
	tls_peer_say_end(&p);
	tls_peer_close(&p);
	ck_assert(kit_has_connections(&kit, 0));
	kit_stop(&kit);
}
END_TEST

/* A head and its reply in one record each, so that no round trip waits for a delayed ACK. */
START_TEST(a_usual_reply_is_one_record)
{
	struct tls_peer p;
	char reply[TLS_SITE_RECORD];
	ssize_t n;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	ck_assert(tls_peer_say_text(&p, GET("/now")));
	n = tls_peer_read(&p, reply, sizeof(reply), TLS_PEER_MS);
	ck_assert_int_gt(n, 4);
	ck_assert_int_eq(memcmp(reply + n - 4, "/now", 4), 0);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

/* 16 KiB of requests in a record are more than one read takes: the rest has left the socket. */
START_TEST(requests_that_share_a_record_are_all_answered)
{
	static const char one[] = GET("/now");
	const size_t count = TLS_SITE_RECORD / (sizeof(one) - 1);
	struct buf all = BUF(TLS_SITE_RECORD);
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	for (size_t i = 0; i < count; i++)
		buf_text(&all, one);
	ck_assert(buf_ok(&all));
	for (int i = 0; i < 3; i++) {
		ck_assert(tls_peer_say(&p, all.data, all.len));
		ck_assert_uint_eq(tls_site_replies(&p, count), count);
	}
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).requests_total, 3 * count);
	tls_peer_close(&p);
	buf_free(&all);
	kit_stop(&kit);
}
END_TEST

/* ... and wait there while an owner has not decided about a body: SSL_pending after a pause. */
START_TEST(a_body_that_waited_with_openssl_is_read_after_the_pause)
{
	struct buf request = BUF(TLS_SITE_RECORD);
	char *body = repeated('x', 12000);
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	buf_format(&request, REQ("POST", "/late-body") "Content-Length: 12000\r\n\r\n%s", body);
	ck_assert(buf_ok(&request));
	for (size_t i = 1; i <= 3; i++) {
		ck_assert(tls_peer_say(&p, request.data, request.len));
		while (kit_count(&kit, "head /late-body;") < i)
			(void)usleep(500);
		kit_release(&kit);
		ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
		ck_assert_uint_eq(kit_count(&kit, "body 12000;"), i);
	}
	tls_peer_close(&p);
	free(body);
	buf_free(&request);
	kit_stop(&kit);
}
END_TEST

/* With its length, and chunked. */
START_TEST(a_mebibyte_arrives_unchanged_both_ways)
{
	char *body = repeated('y', LARGE), head[256];
	struct client c;

	start();
	c = open_client();
	for (size_t i = 0; i < LARGE; i++)
		body[i] = (char)('a' + i % 23);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(head, sizeof(head),
		        _i == 0 ? REQ("POST", "/large") "Content-Length: %d\r\n\r\n"
		                : REQ("POST", "/large") "Transfer-Encoding: chunked\r\n\r\n%x\r\n",
		        LARGE);
		client_say(&c, head);
		ck_assert_uint_eq(client_push(&c, body, LARGE, 20000), LARGE);
		client_say(&c, _i == 0 ? GET("/now") : "\r\n0\r\n\r\n" GET("/now"));
		ck_assert_int_eq(client_reply(&c), 200);
		ck_assert_str_eq(c.body, body);
		ck_assert_int_eq(client_reply(&c), 200);
		ck_assert_str_eq(c.body, "/now");
	}
	client_close(&c);
	free(body);
	kit_stop(&kit);
}
END_TEST

/* More than the socket takes: records are kept, and gone on with from other addresses. */
START_TEST(a_reply_larger_than_any_buffer_arrives_whole)
{
	const char more[] = GET("/now");
	struct client c;

	start();
	c = open_client();
	client_say(&c, GET("/big"));
	client_say(&c, more);
	(void)usleep(100000);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_uint_eq(strspn(c.body, "b"), KIT_BIG);
	ck_assert_int_eq(client_reply(&c), 200);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

static const size_t pieces[] = {1, 2, 3, 5, 7, 16, 61, 255, 1021};

START_TEST(handshake_and_requests_may_come_in_any_pieces)
{
	start();
	for (size_t v = 0; v < TLS_SITE_VERSIONS; v++) {
		for (size_t i = 0; i < COUNT(pieces); i++) {
			struct tls_peer p =
			        open_as(&(struct tls_wish){.least = tls_site_versions[v],
			                .most = tls_site_versions[v],
			                .piece = pieces[i]});

			ck_assert(tls_peer_say_text(&p,
			        REQ("POST", "/body") "Content-Length: 3\r\n\r\nabc" GET("/now")));
			ck_assert_uint_eq(tls_site_replies(&p, 2), 2);
			tls_peer_close(&p);
		}
	}
	ck_assert_uint_eq(kit_count(&kit, "body 3;"), TLS_SITE_VERSIONS * COUNT(pieces));
	kit_stop(&kit);
}
END_TEST

START_TEST(a_record_may_be_cut_at_every_offset)
{
	char bytes[1024];
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, tls_site_versions[_i]);
	for (size_t at = 1;; at++) {
		size_t len;

		ck_assert(tls_peer_encrypt(&p, GET("/now"), strlen(GET("/now"))));
		len = tls_peer_take(&p, bytes, sizeof(bytes));
		if (at >= len)
			break;
		ck_assert(wire_send(p.fd, bytes, at));
		if (at % 8 == 0)
			(void)usleep(500);
		ck_assert(wire_send(p.fd, bytes + at, len - at));
		ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
	}
	ck_assert_uint_gt(kit_count(&kit, "head /now;"), 32);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

/* RFC 8446 §4.6.3: the server has to answer with new keys of its own in the middle of requests. */
START_TEST(keys_may_change_between_and_inside_requests)
{
	struct tls_peer p;

	start();
	p = tls_site_peer(&kit, TLS1_3_VERSION);
	for (int i = 0; i < 20; i++) {
		ck_assert(
		        tls_peer_say_text(&p, REQ("POST", "/body") "Content-Length: 6\r\n\r\nabc"));
		ck_assert_int_eq(SSL_key_update(p.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert(tls_peer_say_text(&p, "def"));
		ck_assert_uint_eq(tls_site_replies(&p, 1), 1);
	}
	ck_assert_uint_eq(kit_count(&kit, "body 6;"), 20);
	tls_peer_close(&p);
	kit_stop(&kit);
}
END_TEST

/* ---- what it costs ---- */

/* The other process, which has its own malloc. It begins before there are threads. */
static void
hold_connections(int version, int ready)
{
	struct tls_peer peers[IDLE];
	char reply[TLS_SITE_RECORD];

	if (recv(ready, &kit.port, sizeof(kit.port), 0) != sizeof(kit.port))
		_exit(1);
	for (size_t i = 0; i < IDLE; i++) {
		peers[i] = tls_site_peer(&kit, version);
		if (!tls_peer_say_text(&peers[i], GET("/now")) ||
		        tls_peer_read(&peers[i], reply, sizeof(reply), TLS_PEER_MS) <= 0)
			_exit(1);
	}
	(void)wire_send(ready, "!", 1);
	(void)recv(ready, reply, 1, 0);
	_exit(0);
}

/* What malloc holds for each of them; sanitizers have a malloc of their own, which does not say. */
START_TEST(an_idle_connection_holds_at_most_16_kib)
{
	int ends[2], status = 0;
	size_t before, after;
	pid_t child;
	char ready;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		hold_connections(tls_site_versions[_i], ends[1]);
	}
	(void)close(ends[1]);
	start();
	before = mallinfo2().uordblks;
	ck_assert(wire_send(ends[0], &kit.port, sizeof(kit.port)));
	ck_assert_int_eq(recv(ends[0], &ready, 1, 0), 1);
	ck_assert(kit_has_connections(&kit, IDLE));
	after = mallinfo2().uordblks;
	(void)printf("an idle TLS 1.%d connection: %zu bytes\n", _i + 2, (after - before) / IDLE);
	ck_assert_uint_lt(after - before, (size_t)IDLE * IDLE_BYTES);
	(void)close(ends[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	kit_stop(&kit);
}
END_TEST

/* ---- a transport that waits for the other direction, without threads ---- */

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		kit_turn(&kit);
}

START_TEST(a_read_that_has_to_write_goes_on_when_it_can)
{
	const struct http_limits limits = kit_limits();
	const struct kit_wire wire = {
	        .next_read = TRANSPORT_AGAIN, .next_write = TRANSPORT_OK, .other_way = true};
	struct client c;

	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	turn(2);
	kit_misbehave(&kit, &wire);
	client_say(&c, GET("/now"));
	kit_turn(&kit);
	ck_assert(kit_connection(&kit)->io.read_wants_write);
	ck_assert(kit_connection(&kit)->writing);
	turn(5);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert(!kit_connection(&kit)->io.read_wants_write);
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

START_TEST(a_write_that_has_to_read_waits_for_bytes_without_spinning)
{
	const struct http_limits limits = kit_limits();
	const struct kit_wire wire = {
	        .next_read = TRANSPORT_OK, .next_write = TRANSPORT_AGAIN, .other_way = true};
	struct client c;

	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	client_say(&c, GET("/late"));
	turn(5);
	kit_misbehave(&kit, &wire);
	kit_release_here(&kit, NULL);
	ck_assert_int_eq(kit_connection(&kit)->phase, PHASE_SEND);
	ck_assert(!kit_connection(&kit)->writing);
	ck_assert_int_eq(kit_connection(&kit)->watch, WATCH_READ);
	turn(5);
	ck_assert_int_eq(kit_connection(&kit)->phase, PHASE_SEND);
	client_say(&c, GET("/now"));
	turn(5);
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/late");
	ck_assert_int_eq(client_reply(&c), 200);
	ck_assert_str_eq(c.body, "/now");
	client_close(&c);
	kit_stop(&kit);
}
END_TEST

Suite *
tls_suite(void)
{
	Suite *s = suite_create("tls");
	TCase *tc = tcase_create("requests"), *other = tcase_create("the other direction");

	tcase_add_unchecked_fixture(tc, tls_site_open, tls_site_close);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_connection_serves_one_request_after_the_other, 0, 2);
	tcase_add_loop_test(tc, a_usual_reply_is_one_record, 0, 2);
	tcase_add_loop_test(tc, requests_that_share_a_record_are_all_answered, 0, 2);
	tcase_add_loop_test(tc, a_body_that_waited_with_openssl_is_read_after_the_pause, 0, 2);
	tcase_add_loop_test(tc, a_mebibyte_arrives_unchanged_both_ways, 0, 2);
	tcase_add_test(tc, a_reply_larger_than_any_buffer_arrives_whole);
	tcase_add_test(tc, handshake_and_requests_may_come_in_any_pieces);
	tcase_add_loop_test(tc, a_record_may_be_cut_at_every_offset, 0, 2);
	tcase_add_test(tc, keys_may_change_between_and_inside_requests);
	tcase_add_loop_test(tc, an_idle_connection_holds_at_most_16_kib, 0, 2);
	suite_add_tcase(s, tc);
	tcase_add_test(other, a_read_that_has_to_write_goes_on_when_it_can);
	tcase_add_test(other, a_write_that_has_to_read_waits_for_bytes_without_spinning);
	suite_add_tcase(s, other);
	return s;
}

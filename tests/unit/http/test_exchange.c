/*
 * Whole conversations without threads: with every allocation failing once, and after random
 * scripts of bytes, replies and hanging up (Z9).
 */
#include "shared/http/exchange.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/http/kit.h"
#include "tests/unit/unit.h"

static struct kit kit;

static void
turns(int n)
{
	while (n-- > 0)
		kit_turn(&kit);
}

/* Takes what has come and lets the server go on, until nothing comes any more. */
static void
pump(struct client *c)
{
	for (int quiet = 0; quiet < 20; quiet++) {
		char *room = buf_room(&c->in, KIB(64));
		ssize_t got;

		ck_assert_ptr_nonnull(room);
		got = recv(c->fd, room, KIB(64), MSG_DONTWAIT);
		if (got > 0) {
			c->in.len += (size_t)got;
			quiet = 0;
		}
		kit_turn(&kit);
	}
}

/* All that the client has received: how many whole replies, how many of them refusals. */
static size_t
count_replies(struct client *c, size_t *refusals)
{
	size_t n = 0;

	pump(c);
	(void)shutdown(c->fd, SHUT_RD); /* so that half a reply is no reason to wait */
	while (c->in.len > 0 && memmem(c->in.data, c->in.len, "\r\n\r\n", 4) != NULL) {
		const int status = client_reply(c);

		if (status == 0)
			break;
		n += status != 100 ? 1 : 0;
		*refusals += status >= 400 && status != 401 ? 1 : 0;
	}
	return n;
}

/* ---- failing allocations ---- */

/* A bar is a pause in which the server goes on. */
#define CHUNKS "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
static const char *const talks[] = {
        GET("/now"),
        GET("/late") GET("/now"),
        REQ("POST", "/body") "Content-Length: 3\r\n\r\nabc" GET("/now"),
        REQ("POST", "/body") CHUNKS GET("/now"),
        REQ("POST", "/late-body") "Content-Length: 3\r\n\r\nabc",
        REQ("POST", "/deny") "Content-Length: 3\r\n\r\nabc" GET("/now"),
        REQ("POST", "/body") "Content-Length: 3\r\n\r\n|abc",
        REQ("POST", "/body") "Content-Length: 0\r\n\r\n",
        REQ("POST", "/body") "Transfer-Encoding: chunked\r\n\r\n|2\r\nab\r\n0\r\n\r\n" GET("/now"),
        "GET /now HTTP/1.1\r\n|Host: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        GET("/big"),
};

static bool
talk(const char *text, unsigned nth)
{
	const struct http_limits limits = kit_limits();
	struct client c;
	size_t refusals = 0, replies;

	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	fault_allocation(nth);
	for (const char *at = text; *at != '\0';) {
		const size_t len = strcspn(at, "|");

		(void)send(c.fd, at, len, MSG_NOSIGNAL);
		at += at[len] == '|' ? len + 1 : len;
		turns(4);
	}
	kit_release_here(&kit, NULL);
	turns(4);
	kit_release_here(&kit, NULL);
	turns(4);
	fault_allocation(0);
	replies = count_replies(&c, &refusals);
	client_close(&c);
	turns(4);
	kit_release_here(&kit, NULL);
	ck_assert_uint_eq(kit_count(&kit, "head"), kit_count(&kit, "done"));
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).exchanges_open, 0);
	kit_stop(&kit);
	return replies > 0 && refusals == 0;
}

START_TEST(every_allocation_on_the_path_of_a_request_may_fail)
{
	unsigned failed = 0;

	for (unsigned nth = 1; nth <= 24; nth++)
		failed += talk(talks[_i], nth) ? 0 : 1;
	ck_assert_uint_gt(failed, 0);
}
END_TEST

/* ---- Z9: scripts ---- */

static uint64_t seed;

static size_t
choose(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static const char *const pieces[] = {
        GET("/now"),
        GET("/late"),
        REQ("HEAD", "/empty") "\r\n",
        REQ("POST", "/body") "Content-Length: 3\r\n\r\nabc",
        REQ("POST", "/body") CHUNKS,
        REQ("POST", "/deny") "Content-Length: 3\r\n\r\nabc",
        REQ("POST", "/deny") "Content-Length: 99999\r\n\r\nabc",
        REQ("POST", "/late-body") "Content-Length: 3\r\n\r\nabc",
        REQ("GET", "/now") "Connection: close\r\n\r\n",
        GET("/bye"),
        "GET /late HTTP/1.1\r\nHost: a\r\n",
        "X: 1\r\n",
        "\r\n",
        "0\r\n\r\n",
        "GET / HTTP/1.2\r\n",
        "\n",
};

/* Says a piece of the grammar, whole or in part, perhaps with one byte changed. */
static void
say_something(struct client *c)
{
	char text[256];
	size_t len;

	(void)strncpy(text, pieces[choose(COUNT(pieces))], sizeof(text) - 1);
	len = strlen(text);
	if (choose(8) == 0)
		text[choose(len)] = (char)choose(256);
	if (choose(6) == 0)
		len = choose(len);
	(void)client_push(c, text, len, 100);
}

static void
act(struct client *c)
{
	switch (choose(6)) {
	case 0:
		kit_release_here(&kit, NULL);
		break;
	case 1:
		if (choose(10) == 0)
			(void)shutdown(c->fd, SHUT_WR);
		break;
	default:
		say_something(c);
		break;
	}
	turns((int)choose(3));
}

static void
run_script(uint64_t of)
{
	const struct http_limits limits = kit_limits();
	struct client c;
	size_t refusals = 0, replies, heads, refused;

	seed = of * 0x9e3779b97f4a7c15 + 1;
	kit_start_manual(&kit, &limits);
	c = client_open(&kit);
	for (int i = 0; i < 30; i++)
		act(&c);
	for (int i = 0; i < 10; i++) {
		turns(3);
		kit_release_here(&kit, NULL);
	}
	replies = count_replies(&c, &refusals);
	heads = kit_count(&kit, "head");
	refused = kit_count(&kit, "refused");
	/* Never more replies than requests, one refusal at most, and then nothing. */
	ck_assert_msg(replies <= heads + refused, "script %zu: %zu replies to %zu requests",
	        (size_t)of, replies, heads);
	ck_assert_uint_le(refused, 1);
	if (choose(2) == 0)
		client_reset(&c);
	else
		client_close(&c);
	for (int i = 0; i < 5; i++) {
		turns(3);
		kit_release_here(&kit, NULL);
	}
	ck_assert_uint_eq(kit_count(&kit, "head"), kit_count(&kit, "done"));
	ck_assert_uint_eq(http_endpoint_stats(kit.ep).exchanges_open, 0);
	kit_stop(&kit);
}

START_TEST(no_script_gets_more_replies_than_it_sent_requests_Z9)
{
	for (uint64_t of = 1; of <= 400; of++)
		run_script(of);
}
END_TEST

Suite *
exchange_suite(void)
{
	Suite *s = suite_create("exchange");
	TCase *tc = tcase_create("conversations");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
	        tc, every_allocation_on_the_path_of_a_request_may_fail, 0, COUNT(talks));
	tcase_add_test(tc, no_script_gets_more_replies_than_it_sent_requests_Z9);
	suite_add_tcase(s, tc);
	return s;
}

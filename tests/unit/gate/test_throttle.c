/*
 * Where in the order of a request a rate limit stands (LM4, LM5), and what it takes.
 *
 * A bucket is emptied by hand, so deep in debt that no test is slow enough to see it fill again.
 */
#include "shared/gate/throttle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/http/admission.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/gate/rig.h"

#define RIGHT "X-API-Key: " RIGHT_KEY "\r\n"
#define LOW "X-API-Key: " LOW_KEY "\r\n"
#define BAD "X-API-Key: " BAD_KEY "\r\n"
#define SESSION "Authorization: Bearer " SESSION_SECRET "\r\n"

enum { BURST = 50 };

/* One limit is on: one a second, BURST at once. */
static void
open_rig(struct rig *r, enum rate_scope scope)
{
	struct rig_settings settings = {.tokens = scope == RATE_VERIFICATION};

	settings.rates[scope] = (struct rate){1, BURST};
	rig_capture_log();
	rig_open(r, &settings);
}

static uint64_t
principal(const struct rig *r, const char *owner)
{
	return rate_limits_text(r->limits, owner);
}

static uint64_t
loopback(const struct rig *r)
{
	const struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return rate_limits_number(r->limits, admission_address((const struct sockaddr *)&address));
}

static void
empty(struct rig *r, enum rate_scope scope, uint64_t who)
{
	for (int i = 0; i < BURST + 64; i++)
		rate_limit_spend(&r->limits->of[scope], who, clock_mono_us());
}

/* How much of a bucket has been taken, in requests; what it got back meanwhile is less than one. */
static int
taken(struct rig *r, enum rate_scope scope, uint64_t who)
{
	const int64_t now = clock_mono_us();
	int64_t wait_us = 0;
	int left = 0;

	while (left < BURST && rate_limit_take(&r->limits->of[scope], who, now, &wait_us))
		left++;
	return BURST - left;
}

static int
status(struct rig *r, const char *method, const char *path, const char *fields, const char *body)
{
	struct answer a;

	rig_request(r, method, path, fields, body, &a);
	if (a.status == 429) {
		const long after = strtol(answer_field(&a, "Retry-After"), NULL, 10);

		ck_assert_int_ge(after, 1);
		ck_assert_int_le(after, 75);
		ck_assert_ptr_nonnull(strstr(a.body, "\"code\":\"RATE_LIMITED\""));
		ck_assert_ptr_nonnull(strstr(a.body, "\"title\":\"Too Many Requests\""));
	}
	return a.status;
}

static int64_t
limited(struct rig *r, enum rate_scope scope)
{
	return (int64_t)metrics_value(
	        r->metrics, gate_metrics_id(r->gate_metrics, GATE_METRIC_RATE_LIMITED), AT(scope));
}

START_TEST(a_principal_beyond_its_rate_is_429_and_others_are_not_LM4)
{
	struct rig r;

	open_rig(&r, RATE_PRINCIPAL);
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", RIGHT, NULL), 200);
	empty(&r, RATE_PRINCIPAL, principal(&r, "key:right"));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", RIGHT, NULL), 429);
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", LOW, NULL), 200);
	ck_assert_int_eq(status(&r, "GET", "/metrics", RIGHT, NULL), 200);
	ck_assert_uint_eq(r.handled, 3);
	ck_assert_int_eq(limited(&r, RATE_PRINCIPAL), 3);
	ck_assert_int_eq(limited(&r, RATE_ADDRESS) + limited(&r, RATE_VERIFICATION), 0);
	ck_assert_ptr_nonnull(strstr(rig_logged(), "http.rate_limited"));
	ck_assert_ptr_nonnull(strstr(rig_logged(), "\"scope\":\"principal\""));
	ck_assert_ptr_null(strstr(rig_logged(), "tk_"));
	rig_close(&r);
}
END_TEST

/* After the grant and before the body: 401, 404, 405 and 403 come first, 411 and 413 do not. */
static const struct {
	const char *method, *path, *fields;
	int wanted;
} orders[] = {
        {"GET",    "/v1/whoami",  BAD,                                                       401},
        {"GET",    "/v1/nothing", LOW,                                                       404},
        {"DELETE", "/v1/whoami",  LOW,                                                       405},
        {"GET",    "/v1/tasks",   LOW,                                                       403},
        {"POST",   "/v1/large",   LOW,                                                       429},
        {"POST",   "/v1/large",
         LOW "Content-Type: application/json\r\nContent-Length: 52428800\r\n"
                    "Expect: 100-continue\r\n",                                              429},
        {"POST",   "/v1/large",   LOW "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n", 429},
};

START_TEST(the_rate_of_a_principal_is_asked_after_the_grant_and_before_the_body_LM4)
{
	struct rig r;

	open_rig(&r, RATE_PRINCIPAL);
	empty(&r, RATE_PRINCIPAL, principal(&r, "key:low"));
	for (size_t i = 0; i < COUNT(orders); i++) {
		char text[512];
		struct answer a;
		const int fd = rig_connect(&r);

		(void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n",
		        orders[i].method, orders[i].path, orders[i].fields);
		rig_send(fd, text, strlen(text));
		rig_receive(&r, fd, false, &a);
		ck_assert_msg(a.status == orders[i].wanted, "row %zu: %d", i, a.status);
		ck_assert(!a.continued);
		(void)close(fd);
	}
	ck_assert_uint_eq(r.handled, 0);
	rig_close(&r);
}
END_TEST

START_TEST(what_is_refused_takes_nothing_from_a_principal_LM4)
{
	const int refusals = 20;
	struct rig r;

	open_rig(&r, RATE_PRINCIPAL);
	for (int i = 0; i < refusals; i++) {
		ck_assert_int_eq(status(&r, "GET", "/v1/tasks", LOW, NULL), 403);
		ck_assert_int_eq(status(&r, "GET", "/v1/nothing", LOW, NULL), 404);
		ck_assert_int_eq(status(&r, "DELETE", "/v1/whoami", LOW, NULL), 405);
		ck_assert_int_eq(status(&r, "GET", "/health", LOW, NULL), 200);
	}
	ck_assert_int_eq(taken(&r, RATE_PRINCIPAL, principal(&r, "key:low")), 0);
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", RIGHT, NULL), 200);
	ck_assert_int_eq(taken(&r, RATE_PRINCIPAL, principal(&r, "key:right")), 1);
	rig_close(&r);
}
END_TEST

START_TEST(workers_polls_have_the_rate_of_their_work_LM4)
{
	struct rig r;

	open_rig(&r, RATE_PRINCIPAL);
	empty(&r, RATE_PRINCIPAL, principal(&r, "wrk:w1"));
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(
		        status(&r, "POST", "/v1/internal/poll", SESSION, "{\"n\":1}"), 201);
	ck_assert_int_eq(limited(&r, RATE_PRINCIPAL), 0);
	rig_close(&r);
}
END_TEST

/* Before anything is known of the request but its path; only probes are answered always. */
START_TEST(an_address_beyond_its_rate_is_429_for_all_but_probes_LM4)
{
	struct rig r;

	open_rig(&r, RATE_ADDRESS);
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", RIGHT, NULL), 200);
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", BAD, NULL), 401);
	ck_assert_int_eq(status(&r, "GET", "/nothing", "", NULL), 404);
	ck_assert_int_eq(status(&r, "GET", "/health", "", NULL), 200);
	ck_assert_int_eq(taken(&r, RATE_ADDRESS, loopback(&r)), 3);
	empty(&r, RATE_ADDRESS, loopback(&r));
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", RIGHT, NULL), 429);
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", BAD, NULL), 429);
	ck_assert_int_eq(status(&r, "GET", "/nothing", "", NULL), 429);
	ck_assert_int_eq(status(&r, "GET", "/healthx", "", NULL), 429);
	ck_assert_int_eq(status(&r, "OPTIONS", "/v1/tasks", "", NULL), 429);
	ck_assert_int_eq(status(&r, "GET", "/metrics", "", NULL), 429);
	ck_assert_int_eq(status(&r, "POST", "/v1/internal/poll", SESSION, "{\"n\":1}"), 429);
	ck_assert_int_eq(status(&r, "GET", "/health", "", NULL), 200);
	ck_assert_int_eq(limited(&r, RATE_ADDRESS), 7);
	ck_assert_ptr_nonnull(strstr(rig_logged(), "\"scope\":\"address\""));
	rig_close(&r);
}
END_TEST

/* ---- LM5 ---- */

/* A header line with a user's token; owned. */
static char *
token_field(const char *subject, bool spoilt)
{
	char *claims = token_user_claims(subject, "tasks:read", clock_wall_us() / 1000000);
	char *token = token_make(TOKEN_KEY_RSA, "RS256", claims), *field = NULL;

	if (spoilt)
		token_spoil(token);
	ck_assert_int_gt(asprintf(&field, "Authorization: Bearer %s\r\n", token), 0);
	free(claims);
	free(token);
	return field;
}

START_TEST(bad_tokens_empty_the_bucket_of_their_address_and_good_ones_do_not_LM5)
{
	char *good = token_field("alice", false), *bad = token_field("alice", true);
	struct rig r;

	open_rig(&r, RATE_VERIFICATION);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", good, NULL), 200);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", bad, NULL), 401);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", BAD, NULL), 401);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", "", NULL), 401);
		ck_assert_int_eq(status(&r, "GET", "/health", bad, NULL), 200);
	}
	ck_assert_int_eq(taken(&r, RATE_VERIFICATION, loopback(&r)), 3);
	free(good);
	free(bad);
	rig_close(&r);
}
END_TEST

START_TEST(beyond_it_no_stranger_is_verified_and_the_known_go_on_LM5)
{
	char *known = token_field("alice", false), *stranger = token_field("bob", false),
	     *bad = token_field("alice", true);
	struct authenticator_stats stats;
	struct rig r;

	open_rig(&r, RATE_VERIFICATION);
	ck_assert_int_eq(status(&r, "GET", "/v1/whoami", known, NULL), 200);
	empty(&r, RATE_VERIFICATION, loopback(&r));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", bad, NULL), 429);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", stranger, NULL), 429);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", known, NULL), 200);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", RIGHT, NULL), 200);
		ck_assert_int_eq(
		        status(&r, "POST", "/v1/internal/poll", SESSION, "{\"n\":1}"), 201);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", "", NULL), 401);
	}
	stats = authenticator_stats(r.authenticator);
	ck_assert_uint_eq(stats.verified, 1);
	ck_assert_int_eq(limited(&r, RATE_VERIFICATION), 6);
	ck_assert_int_eq(
	        metrics_value(r.metrics, gate_metrics_id(r.gate_metrics, GATE_METRIC_AUTH_REQUESTS),
	                AT(AUTH_METHOD_JWT, 1)),
	        0); /* what was not looked at was not evaluated */
	ck_assert_ptr_nonnull(strstr(rig_logged(), "\"scope\":\"verification\""));
	ck_assert_ptr_null(strstr(rig_logged(), "eyJ"));
	free(known);
	free(stranger);
	free(bad);
	rig_close(&r);
}
END_TEST

START_TEST(without_limits_nobody_is_refused)
{
	const struct rig_settings settings = {.no_metrics = true, .tokens = true};
	char *bad = token_field("alice", true);
	struct rig r;

	rig_capture_log();
	rig_open(&r, &settings);
	for (int i = 0; i < 300; i++) {
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", RIGHT, NULL), 200);
		ck_assert_int_eq(status(&r, "GET", "/v1/whoami", bad, NULL), 401);
	}
	free(bad);
	rig_close(&r);
}
END_TEST

Suite *
throttle_suite(void)
{
	Suite *s = suite_create("throttle");
	TCase *tc = tcase_create("order");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_principal_beyond_its_rate_is_429_and_others_are_not_LM4);
	tcase_add_test(
	        tc, the_rate_of_a_principal_is_asked_after_the_grant_and_before_the_body_LM4);
	tcase_add_test(tc, what_is_refused_takes_nothing_from_a_principal_LM4);
	tcase_add_test(tc, workers_polls_have_the_rate_of_their_work_LM4);
	tcase_add_test(tc, an_address_beyond_its_rate_is_429_for_all_but_probes_LM4);
	tcase_add_test(tc, bad_tokens_empty_the_bucket_of_their_address_and_good_ones_do_not_LM5);
	tcase_add_test(tc, beyond_it_no_stranger_is_verified_and_the_known_go_on_LM5);
	tcase_add_test(tc, without_limits_nobody_is_refused);
	suite_add_tcase(s, tc);
	return s;
}

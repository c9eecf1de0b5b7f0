/*
 * Both daemons with keys from an issuer: JK5, JK8, JK10, JK15 and reload, seen from outside.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/daemon.h"
#include "tests/lib/issuer.h"
#include "tests/lib/token_maker.h"
#include "tests/lib/wire.h"
#include "tests/unit/unit.h"

enum { WITHIN_MS = 15000 };

#define KEY "tk_jwks-0123456789abcdefghijklmnopqrstuvwxyzABCD"
#define BY_KEY "X-API-Key: " KEY "\r\n"

static const char *const roles[] = {"orchestration", "worker"};

struct rig {
	struct issuer *issuer;
	struct daemon d;
	char dir[64], toml[2048];
	char *by_a, *by_b; /* header lines */
};

static char *
set_of(bool a, bool b)
{
	char *one = token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\",\"alg\":\"ES256\"");
	char *two = token_key_jwk(TOKEN_KEY_RSA, "\"kid\":\"b\",\"alg\":\"RS256\"");
	static char text[8192];

	(void)snprintf(text, sizeof(text), "{\"keys\":[%s%s%s]}", a ? one : "", a && b ? "," : "",
	        b ? two : "");
	free(one);
	free(two);
	return text;
}

static char *
bearer(enum token_key key, const char *alg, const char *header)
{
	char *claims = token_user_claims("alice", "system:*", (int64_t)time(NULL));
	char *token = token_make_signed(key, &(struct token_signing){.alg = alg}, header, claims);
	char *line = NULL;

	ck_assert_int_gt(asprintf(&line, "Authorization: Bearer %s\r\n", token), 0);
	free(claims);
	free(token);
	return line;
}

static void
open_rig(struct rig *r, const char *role, enum issuer_mode mode)
{
	*r = (struct rig){.issuer = issuer_start()};
	ck_assert_ptr_nonnull(r->issuer);
	issuer_say(r->issuer, mode, set_of(true, false), NULL);
	r->by_a = bearer(TOKEN_KEY_P256, "ES256", "{\"alg\":\"ES256\",\"kid\":\"a\"}");
	r->by_b = bearer(TOKEN_KEY_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"b\"}");
	(void)snprintf(r->toml, sizeof(r->toml),
	        "[web]\nbind_address = \"127.0.0.1:0\"\n[web.auth]\nenabled = true\n"
	        "jwt_verification_method = \"jwks\"\njwks_url = \"%s\"\n"
	        "jwks_url_allow_http = true\njwks_allow_private = true\n"
	        "jwt_allowed_algorithms = [\"RS256\", \"ES256\"]\n"
	        "[[web.auth.api_keys]]\nid = \"only\"\nkey = \"" KEY "\"\n"
	        "permissions = [\"system:*\"]\n",
	        issuer_url(r->issuer));
	ck_assert(daemon_dir(r->dir));
	ck_assert(daemon_start(&r->d, r->dir, role, r->toml));
}

static void
close_rig(struct rig *r)
{
	ck_assert_int_eq(daemon_stop(&r->d, 15000), 0);
	daemon_dir_remove(r->dir);
	issuer_stop(r->issuer);
	free(r->by_a);
	free(r->by_b);
}

static int
status(const struct rig *r, const char *path, const char *headers)
{
	AUTO(wire_reply) struct wire_reply reply = wire_call(r->d.port, "GET", path, headers, NULL);

	if (reply.status == 503)
		ck_assert_ptr_nonnull(wire_field(&reply, "Retry-After"));
	return reply.status;
}

static bool
becomes(const struct rig *r, const char *path, const char *headers, int wanted)
{
	for (int ms = 0; ms < WITHIN_MS; ms += 10) {
		if (status(r, path, headers) == wanted)
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

START_TEST(jk15_an_issuer_that_is_down_at_boot)
{
	struct rig r;

	open_rig(&r, roles[_i], ISSUER_ERROR);
	ck_assert_int_eq(status(&r, "/v1/whoami", r.by_a), 503);
	ck_assert_int_eq(status(&r, "/v1/whoami", BY_KEY), 200);
	ck_assert_int_eq(status(&r, "/v1/whoami", ""), 401);
	ck_assert_int_eq(status(&r, "/health/ready", ""), 503);
	ck_assert_int_eq(status(&r, "/health/live", ""), 200);
	issuer_say(r.issuer, ISSUER_GOOD, NULL, NULL);
	ck_assert(becomes(&r, "/v1/whoami", r.by_a, 200));
	close_rig(&r);
}
END_TEST

/* SIGHUP is also "fetch now": a rotation needs neither a restart nor the next refresh. */
START_TEST(jk10_a_rotation_without_a_restart)
{
	struct rig r;
	AUTO(wire_reply) struct wire_reply health = {0}, metrics = {0};

	open_rig(&r, roles[_i], ISSUER_GOOD);
	ck_assert(becomes(&r, "/v1/whoami", r.by_a, 200));
	ck_assert_int_eq(status(&r, "/v1/whoami", r.by_b), 401);
	issuer_say(r.issuer, ISSUER_GOOD, set_of(true, true), NULL);
	ck_assert_int_eq(kill(r.d.pid, SIGHUP), 0);
	ck_assert(becomes(&r, "/v1/whoami", r.by_b, 200));
	ck_assert_int_eq(status(&r, "/v1/whoami", r.by_a), 200);
	issuer_say(r.issuer, ISSUER_GOOD, set_of(false, true), NULL);
	ck_assert_int_eq(kill(r.d.pid, SIGHUP), 0);
	ck_assert(becomes(&r, "/v1/whoami", r.by_a, 401));
	ck_assert_int_eq(status(&r, "/v1/whoami", r.by_b), 200);
	health = wire_call(r.d.port, "GET", "/health/detailed", "", NULL);
	ck_assert_ptr_nonnull(strstr(health.body, "\"jwks\":{\"keys\":1,"));
	metrics = wire_call(r.d.port, "GET", "/metrics", "", NULL);
	ck_assert_ptr_nonnull(strstr(metrics.body, "tasker_auth_jwks_keys 1\n"));
	close_rig(&r);
}
END_TEST

/* JK5, JK8: the issuer hangs while the daemon goes on; it ends without waiting for it. */
START_TEST(jk5_a_hanging_issuer_holds_nobody)
{
	struct rig r;

	open_rig(&r, roles[_i], ISSUER_GOOD);
	ck_assert(becomes(&r, "/v1/whoami", r.by_a, 200));
	issuer_say(r.issuer, ISSUER_HANG, NULL, NULL);
	ck_assert_int_eq(kill(r.d.pid, SIGHUP), 0);
	for (int i = 0; i < 1000 && issuer_requests(r.issuer) < 2; i++)
		(void)poll(NULL, 0, 10);
	ck_assert_uint_ge(issuer_requests(r.issuer), 2);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(status(&r, "/v1/whoami", r.by_a), 200);
	close_rig(&r);
}
END_TEST

Suite *
jwks_suite(void)
{
	Suite *s = suite_create("jwks");
	TCase *tc = tcase_create("issuer");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, jk15_an_issuer_that_is_down_at_boot, 0, (int)COUNT(roles));
	tcase_add_loop_test(tc, jk10_a_rotation_without_a_restart, 0, (int)COUNT(roles));
	tcase_add_loop_test(tc, jk5_a_hanging_issuer_holds_nobody, 0, (int)COUNT(roles));
	suite_add_tcase(s, tc);
	return s;
}

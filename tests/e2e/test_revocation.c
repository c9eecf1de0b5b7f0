/*
 * Revocation on a running orchestration with two loops: refused with the next request on every
 * connection, for nobody else, across a crash, and until it is taken back.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "tests/e2e/pair.h"
#include "tests/unit/unit.h"

enum { CONNECTIONS = 8, ANSWER_MS = 5000, PATH = 128, BODY = 512 };

#define CI_KEY "tk_revoke-0123456789abcdefghijklmnopqrstuvwxyz"
#define BY_CI "X-API-Key: " CI_KEY "\r\n"
#define BOOT "0197d6a0-0000-7000-8000-000000000001"

static const char toml[] = "[web]\nbind_address = \"127.0.0.1:0\"\nthreads = 2\n"
                           "[web.auth]\nenabled = true\n"
                           "jwt_public_key_path = \"users.pem\"\n"
                           "jwt_allowed_algorithms = [\"RS256\", \"ES256\"]\n"
                           "[[web.auth.api_keys]]\nid = \"ci\"\nkey = \"" CI_KEY "\"\n"
                           "permissions = [\"tasks:list\"]\n"
                           "[web.internal]\npublic_key_path = \"workers.pem\"\n"
                           "[store]\nurl = \"sqlite:tasker.db\"\n";

static struct daemon d;
static char dir[64];
static char *admin, *alice, *bob;

static char *
bearer(const char *subject, const char *permissions, int age_s)
{
	return pair_bearer(&(struct pair_claims){
	        .subject = subject, .permissions = permissions, .age_s = age_s});
}

static void
put_key(const char *name, enum token_key key)
{
	char *pem = token_key_pem(key);

	ck_assert(daemon_file(dir, name, pem));
	free(pem);
}

static void
start(void)
{
	token_maker_prepare();
	ck_assert(daemon_dir(dir));
	put_key("users.pem", TOKEN_KEY_RSA);
	put_key("workers.pem", TOKEN_KEY_P256);
	ck_assert(daemon_start(&d, dir, "orchestration", toml));
	admin = bearer("root", "system:admin", 0);
	alice = bearer("alice", "tasks:list", 0);
	bob = bearer("bob", "tasks:list", 0);
}

static void
stop(void)
{
	ck_assert_int_eq(daemon_stop(&d, 15000), 0);
	daemon_dir_remove(dir);
	free(admin);
	free(alice);
	free(bob);
}

static int
call(const char *method, const char *path, const char *headers, const char *body)
{
	AUTO(wire_reply)
	struct wire_reply r = wire_call(d.port, method, path, headers, body);

	return r.status;
}

static int
who(const char *headers)
{
	return call("GET", "/v1/whoami", headers, NULL);
}

/* Revokes and returns the revocation's path, owned. */
static char *
revoked(const char *by, const char *body)
{
	AUTO(wire_reply)
	struct wire_reply r = wire_call(d.port, "POST", "/v1/auth/revocations", by, body);
	const char *location;

	ck_assert_msg(r.status == 201, "%d %s", r.status, r.body);
	location = wire_field(&r, "Location");
	ck_assert_ptr_nonnull(location);
	return strdup(location);
}

static char *
page(const char *query)
{
	char path[PATH];
	AUTO(wire_reply) struct wire_reply r = {0};

	(void)snprintf(path, sizeof(path), "/v1/auth/revocations%s", query);
	r = wire_call(d.port, "GET", path, admin, NULL);
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	return strdup(r.body);
}

static void
has_count(int count)
{
	char text[48], *body = page("");

	(void)snprintf(text, sizeof(text), "\"total_count\":%d,", count);
	ck_assert_msg(strstr(body, text) != NULL, "%s", body);
	free(body);
}

/* ---- connections that stay, on both loops ---- */

struct kept {
	int fds[CONNECTIONS];
};

static void
keep(struct kept *k)
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		k->fds[i] = wire_connect(d.port);
		ck_assert_int_ge(k->fds[i], 0);
	}
}

static void
all_answer(const struct kept *k, const char *headers, int status)
{
	char request[4096];
	int len = snprintf(request, sizeof(request),
	        "GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\n%s\r\n", headers);

	ck_assert_int_lt(len, (int)sizeof(request));
	for (size_t i = 0; i < CONNECTIONS; i++) {
		AUTO(wire_reply) struct wire_reply r = {0};

		ck_assert(wire_send(k->fds[i], request, (size_t)len));
		r = wire_read(k->fds[i], ANSWER_MS, false, NULL);
		ck_assert_msg(r.status == status, "connection %zu: %d", i, r.status);
	}
}

static void
let_go(struct kept *k)
{
	for (size_t i = 0; i < CONNECTIONS; i++)
		(void)close(k->fds[i]);
}

/* ---- negative first ---- */

START_TEST(without_system_admin_nothing_is_revoked_listed_or_taken_back)
{
	static const char body[] = "{\"kind\":\"subject\",\"id\":\"alice\"}";
	char *system = bearer("clerk", "system:config_read tasks:*", 0), *path;
	const char *const denied[] = {alice, BY_CI, system};

	path = revoked(admin, "{\"kind\":\"subject\",\"id\":\"bob\"}");
	for (size_t i = 0; i < COUNT(denied); i++) {
		ck_assert_int_eq(call("POST", "/v1/auth/revocations", denied[i], body), 403);
		ck_assert_int_eq(call("GET", "/v1/auth/revocations", denied[i], NULL), 403);
		ck_assert_int_eq(call("DELETE", path, denied[i], NULL), 403);
	}
	ck_assert_int_eq(call("POST", "/v1/auth/revocations", "", body), 401);
	has_count(1);
	ck_assert_int_eq(who(alice), 200);
	ck_assert_int_eq(who(bob), 401);
	free(path);
	free(system);
}
END_TEST

static const struct {
	const char *body, *pointer;
} bad[] = {
        {"{\"id\":\"alice\"}",                                                      "/kind"  },
        {"{\"kind\":\"user\",\"id\":\"alice\"}",                                    "/kind"  },
        {"{\"kind\":7,\"id\":\"alice\"}",                                           "/kind"  },
        {"{\"kind\":\"subject\"}",                                                  "/id"    },
        {"{\"kind\":\"subject\",\"id\":\"\"}",                                      "/id"    },
        {"{\"kind\":\"subject\",\"id\":\"al\\nice\"}",                              "/id"    },
        {"{\"kind\":\"subject\",\"id\":\"key:ci\"}",                                "/id"    },
        {"{\"kind\":\"token\",\"id\":[\"t\"]}",                                     "/id"    },
        {"{\"kind\":\"token\",\"id\":\"t\",\"before\":\"2026-01-31T12:00:00Z\"}",   "/before"},
        {"{\"kind\":\"subject\",\"id\":\"a\",\"before\":\"9999-01-31T12:00:00Z\"}", "/before"},
        {"{\"kind\":\"subject\",\"id\":\"a\",\"before\":\"1969-12-31T12:00:00Z\"}", "/before"},
        {"{\"kind\":\"subject\",\"id\":\"a\",\"before\":\"yesterday\"}",            "/before"},
        {"{\"kind\":\"subject\",\"id\":\"a\",\"before\":7}",                        "/before"},
        {"{\"kind\":\"subject\",\"id\":\"a\",\"reason\":\"\"}",                     "/reason"},
        {"{\"kind\":\"subject\",\"id\":\"a\",\"befor\":\"2026-01-31T12:00:00Z\"}",  "only"   },
        {"[]",                                                                      "object" },
};

START_TEST(what_makes_no_sense_is_refused_and_changes_nothing)
{
	char body[BODY + 512], longest[258];

	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(wire_reply)
		struct wire_reply r =
		        wire_call(d.port, "POST", "/v1/auth/revocations", admin, bad[i].body);

		ck_assert_msg(r.status == 400, "%s: %d", bad[i].body, r.status);
		ck_assert_msg(strstr(r.body, bad[i].pointer) != NULL, "%s", r.body);
	}
	memset(longest, 'x', sizeof(longest));
	longest[257] = '\0';
	(void)snprintf(body, sizeof(body), "{\"kind\":\"token\",\"id\":\"%s\"}", longest);
	ck_assert_int_eq(call("POST", "/v1/auth/revocations", admin, body), 400);
	ck_assert_int_eq(call("DELETE", "/v1/auth/revocations/alice", admin, NULL), 400);
	ck_assert_int_eq(call("DELETE", "/v1/auth/revocations/" BOOT, admin, NULL), 404);
	ck_assert_int_eq(call("GET", "/v1/auth/revocations?per_page=101", admin, NULL), 400);
	ck_assert_int_eq(call("GET", "/v1/auth/revocations?page=0", admin, NULL), 400);
	has_count(0);
}
END_TEST

/* ---- in force ---- */

START_TEST(a_subject_is_refused_with_the_next_request_on_every_loop)
{
	struct kept k;
	char *path;

	keep(&k);
	all_answer(&k, alice, 200);
	all_answer(&k, bob, 200);
	path = revoked(admin, "{\"kind\":\"subject\",\"id\":\"alice\",\"reason\":\"left\"}");
	all_answer(&k, alice, 401);
	all_answer(&k, bob, 200);
	all_answer(&k, BY_CI, 200);
	ck_assert_int_eq(call("DELETE", path, admin, NULL), 204);
	all_answer(&k, alice, 200);
	ck_assert_int_eq(call("DELETE", path, admin, NULL), 404);
	let_go(&k);
	free(path);
}
END_TEST

/* What was issued later is good: the subject may come back with a new token. */
START_TEST(only_what_was_issued_up_to_then_is_refused)
{
	char *old = bearer("alice", "tasks:list", 120), *path;
	char before[CLOCK_TEXT], body[BODY];

	clock_text(clock_wall_us() - 60 * INT64_C(1000000), before);
	(void)snprintf(body, sizeof(body),
	        "{\"kind\":\"subject\",\"id\":\"alice\",\"before\":\"%s\"}", before);
	ck_assert_int_eq(who(old), 200);
	path = revoked(admin, body);
	ck_assert_int_eq(who(old), 401);
	ck_assert_int_eq(who(alice), 200);
	free(path);
	free(old);
}
END_TEST

/* A daemon that dies with the answer on the wire still knows it when it comes back. */
START_TEST(an_answered_revocation_survives_a_crash)
{
	char *path = revoked(admin, "{\"kind\":\"subject\",\"id\":\"alice\"}");

	daemon_kill(&d);
	ck_assert(daemon_start(&d, dir, "orchestration", NULL));
	ck_assert_int_eq(who(alice), 401);
	ck_assert_int_eq(who(bob), 200);
	has_count(1);
	ck_assert_int_eq(call("DELETE", path, admin, NULL), 204);
	ck_assert_int_eq(who(alice), 200);
	daemon_kill(&d);
	ck_assert(daemon_start(&d, dir, "orchestration", NULL));
	ck_assert_int_eq(who(alice), 200);
	free(path);
}
END_TEST

static char *
with_jti(const char *jti)
{
	char claims[BODY], *token, *header = NULL;
	const long long now = (long long)time(NULL);

	(void)snprintf(claims, sizeof(claims),
	        "{\"iss\":\"tasker-core\",\"aud\":\"tasker-api\",\"sub\":\"carol\",\"iat\":%lld,"
	        "\"exp\":%lld,\"jti\":\"%s\",\"permissions\":[]}",
	        now, now + 600, jti);
	token = token_make(TOKEN_KEY_RSA, "RS256", claims);
	ck_assert_int_gt(asprintf(&header, "Authorization: Bearer %s\r\n", token), 0);
	free(token);
	return header;
}

START_TEST(one_token_is_refused_and_its_subjects_others_are_not)
{
	char *first = with_jti("t-1"), *second = with_jti("t-2"), *path;

	ck_assert_int_eq(who(first), 200);
	path = revoked(admin, "{\"kind\":\"token\",\"id\":\"t-1\"}");
	ck_assert_int_eq(who(first), 401);
	ck_assert_int_eq(who(second), 200);
	free(path);
	free(first);
	free(second);
}
END_TEST

START_TEST(an_api_key_is_refused_until_it_is_taken_back)
{
	char *path;

	ck_assert_int_eq(who(BY_CI), 200);
	path = revoked(admin, "{\"kind\":\"api_key\",\"id\":\"ci\"}");
	ck_assert_int_eq(who(BY_CI), 401);
	ck_assert_int_eq(who(alice), 200);
	ck_assert_int_eq(call("DELETE", path, admin, NULL), 204);
	ck_assert_int_eq(who(BY_CI), 200);
	free(path);
}
END_TEST

static char *
session_of(const char *worker, const char *system)
{
	char body[BODY], *secret, *header = NULL;
	AUTO(wire_reply) struct wire_reply r = {0};

	(void)snprintf(body, sizeof(body),
	        "{\"proto\":1,\"worker\":\"%s\",\"boot\":\"" BOOT "\",\"slots\":1,"
	        "\"namespaces\":[\"hand\"],\"handlers\":[\"hand.do\"],\"templates\":[]}",
	        worker);
	r = wire_call(d.port, "POST", "/v1/internal/workers", system, body);
	ck_assert_msg(r.status == 200, "%d %s", r.status, r.body);
	secret = pair_member(r.body, "session");
	ck_assert_int_gt(asprintf(&header, "Authorization: Bearer %s\r\n", secret), 0);
	free(secret);
	return header;
}

static int
polled(const char *session)
{
	return call("POST", "/v1/internal/poll", session,
	        "{\"id\":\"" BOOT "\",\"free\":0,\"held\":[],\"wait_ms\":0,\"results\":[]}");
}

START_TEST(a_workers_session_ends_with_its_subject)
{
	char *system = pair_system("w1", "hand"), *other = pair_system("w2", "hand");
	char *session = session_of("w1", system), *others = session_of("w2", other), *path;

	ck_assert_int_eq(polled(session), 200);
	path = revoked(admin, "{\"kind\":\"subject\",\"id\":\"wrk:w1\"}");
	ck_assert_int_eq(polled(session), 401);
	ck_assert_int_eq(polled(others), 200);
	ck_assert_int_eq(call("POST", "/v1/internal/workers", system, "{}"), 401);
	daemon_kill(&d); /* sessions are loaded anew, and so is when they were made */
	ck_assert(daemon_start(&d, dir, "orchestration", NULL));
	ck_assert_int_eq(polled(session), 401);
	ck_assert_int_eq(polled(others), 200);
	ck_assert_int_eq(call("DELETE", path, admin, NULL), 204);
	ck_assert_int_eq(polled(session), 200);
	free(path);
	free(system);
	free(other);
	free(session);
	free(others);
}
END_TEST

static bool
log_comes_to_say(const char *text)
{
	bool said = false;

	for (int i = 0; i < 500 && !said; i++) {
		char *log = daemon_read(dir, "orchestration.log");

		said = log != NULL && strstr(log, text) != NULL;
		free(log);
		if (!said)
			(void)poll(NULL, 0, 10);
	}
	return said;
}

START_TEST(who_revokes_himself_is_out_and_the_log_says_so)
{
	char *other = bearer("deputy", "system:admin", 0), *path;

	path = revoked(other, "{\"kind\":\"subject\",\"id\":\"alice\"}");
	ck_assert(log_comes_to_say("auth.revoked"));
	ck_assert(log_comes_to_say("\"of_the_caller\":\"no\""));
	free(path);
	path = revoked(admin, "{\"kind\":\"subject\",\"id\":\"root\"}");
	ck_assert(log_comes_to_say("\"of_the_caller\":\"yes\""));
	ck_assert(log_comes_to_say("jwt:tasker-core:root"));
	ck_assert_int_eq(who(admin), 401);
	ck_assert_int_eq(call("DELETE", path, admin, NULL), 401);
	ck_assert_int_eq(call("DELETE", path, other, NULL), 204);
	ck_assert(log_comes_to_say("auth.unrevoked"));
	ck_assert_int_eq(who(admin), 200);
	free(path);
	free(other);
}
END_TEST

START_TEST(a_reload_forgets_no_revocation)
{
	char *path = revoked(admin, "{\"kind\":\"subject\",\"id\":\"alice\"}");

	ck_assert_int_eq(kill(d.pid, SIGHUP), 0);
	ck_assert(log_comes_to_say("config.reloaded"));
	ck_assert_int_eq(who(alice), 401);
	ck_assert_int_eq(who(bob), 200);
	free(path);
}
END_TEST

START_TEST(revocations_are_listed_newest_first_in_pages)
{
	char *paths[3], *body;

	paths[0] = revoked(admin, "{\"kind\":\"token\",\"id\":\"t-1\"}");
	paths[1] = revoked(admin, "{\"kind\":\"api_key\",\"id\":\"ci\"}");
	paths[2] = revoked(admin, "{\"kind\":\"subject\",\"id\":\"bob\",\"reason\":\"why\"}");
	body = page("?per_page=2");
	ck_assert_ptr_nonnull(strstr(body, paths[2] + strlen("/v1/auth/revocations/")));
	ck_assert_ptr_nonnull(strstr(body, "\"reason\":\"why\""));
	ck_assert_ptr_nonnull(strstr(body, "\"created_by\":\"jwt:tasker-core:root\""));
	ck_assert_ptr_nonnull(strstr(body, "\"until\":null")); /* of the API key */
	ck_assert_ptr_nonnull(strstr(body, "\"has_next\":true"));
	ck_assert_ptr_null(strstr(body, "\"t-1\""));
	free(body);
	body = page("?per_page=2&page=2");
	ck_assert_ptr_nonnull(strstr(body, "\"id\":\"t-1\""));
	ck_assert_ptr_null(strstr(body, "\"until\":null"));
	ck_assert_ptr_nonnull(strstr(body, "\"has_next\":false"));
	free(body);
	for (size_t i = 0; i < COUNT(paths); i++)
		free(paths[i]);
}
END_TEST

Suite *
revocation_suite(void)
{
	Suite *s = suite_create("revocation");
	TCase *tc = tcase_create("orchestration");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, without_system_admin_nothing_is_revoked_listed_or_taken_back);
	tcase_add_test(tc, what_makes_no_sense_is_refused_and_changes_nothing);
	tcase_add_test(tc, a_subject_is_refused_with_the_next_request_on_every_loop);
	tcase_add_test(tc, only_what_was_issued_up_to_then_is_refused);
	tcase_add_test(tc, an_answered_revocation_survives_a_crash);
	tcase_add_test(tc, one_token_is_refused_and_its_subjects_others_are_not);
	tcase_add_test(tc, an_api_key_is_refused_until_it_is_taken_back);
	tcase_add_test(tc, a_workers_session_ends_with_its_subject);
	tcase_add_test(tc, who_revokes_himself_is_out_and_the_log_says_so);
	tcase_add_test(tc, a_reload_forgets_no_revocation);
	tcase_add_test(tc, revocations_are_listed_newest_first_in_pages);
	suite_add_tcase(s, tc);
	return s;
}

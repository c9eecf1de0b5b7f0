/* auth revoke, revocations, unrevoke against a daemon that says what the test wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

#define ID "0190a0b0-0000-7000-8000-000000000001"
#define REVOCATION                                                                                 \
	"{\"revocation_uuid\":\"" ID "\",\"kind\":\"subject\",\"id\":\"alice\\u001b[31m\","        \
	"\"before\":\"2026-11-22T07:00:00.000000Z\",\"until\":null,\"created_by\":\"key:ci\","     \
	"\"reason\":\"left\"}"

static struct rig r;
static struct peer peer;

static void
begin(const char *answer)
{
	static struct peer_line script;

	script = (struct peer_line){answer, PEER_CLOSE, false, NULL};
	peer_start(&peer, NULL, &script, 1);
	r.env[0] = rig_url("TASKER_ORCHESTRATION_URL", &peer);
}

static void
end(void)
{
	rig_end(&r);
}

START_TEST(exactly_one_thing_is_revoked)
{
	r.env[0] = "TASKER_ORCHESTRATION_URL=http://127.0.0.1:1";
	rig_run(&r, "auth", "revoke", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "--token, --subject and --api-key-id");
	rig_run(&r, "auth", "revoke", "--subject", "a", "--token", "b", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_run(&r, "auth", "unrevoke", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_run(&r, "auth", "revocations", "--page", "0", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
}
END_TEST

static const struct {
	const char *option, *value, *sent;
} kinds[] = {
        {"--subject",    "alice", "{\"kind\":\"subject\",\"id\":\"alice\"}"},
        {"--token",      "t-1",   "{\"kind\":\"token\",\"id\":\"t-1\"}"    },
        {"--api-key-id", "ci",    "{\"kind\":\"api_key\",\"id\":\"ci\"}"   },
};

START_TEST(what_is_asked_for_is_sent)
{
	begin(rig_answer(201, REVOCATION));
	rig_run(&r, "auth", "revoke", kinds[_i].option, kinds[_i].value, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "POST /v1/auth/revocations HTTP/1.1");
	rig_has(peer.request[0], kinds[_i].sent);
	rig_has(r.out, ID);
	rig_has(r.out, "x1b[31m");
	ck_assert_ptr_null(strchr(r.out, '\033'));
}
END_TEST

START_TEST(a_moment_and_a_reason_go_along)
{
	begin(rig_answer(201, REVOCATION));
	rig_run(&r, "--output", "json", "auth", "revoke", "--subject", "alice", "--before",
	        "2026-11-22T07:00:00Z", "--reason", "left", NULL);
	peer_end(&peer);
	rig_has(peer.request[0], "\"before\":\"2026-11-22T07:00:00Z\",\"reason\":\"left\"}");
	rig_has(r.out, "{\"revocation_uuid\":\"" ID "\"");
}
END_TEST

/* Of a whole token no more than its jti leaves the machine. */
START_TEST(a_token_on_stdin_is_revoked_by_its_jti)
{
	char *token, line[4096];

	token = token_make(TOKEN_KEY_RSA, "RS256", "{\"sub\":\"alice\",\"jti\":\"t-7\"}");
	(void)snprintf(line, sizeof(line), "%s\n", token);
	r.input = line;
	begin(rig_answer(201, REVOCATION));
	rig_run(&r, "auth", "revoke", "--token", "-", NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "{\"kind\":\"token\",\"id\":\"t-7\"}");
	rig_lacks(peer.request[0], token);
	free(token);
}
END_TEST

START_TEST(what_is_on_stdin_must_be_a_token_with_a_jti)
{
	char *token;

	token = token_make(TOKEN_KEY_RSA, "RS256", "{\"sub\":\"alice\"}");
	r.env[0] = "TASKER_ORCHESTRATION_URL=http://127.0.0.1:1";
	r.input = token;
	rig_run(&r, "auth", "revoke", "--token", "-", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "no jti");
	r.input = "nonsense\n";
	rig_run(&r, "auth", "revoke", "--token", "-", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_USAGE);
	rig_has(r.err, "stdin holds no token");
	free(token);
}
END_TEST

START_TEST(revocations_are_listed)
{
	begin(rig_answer(200, "{\"revocations\":[" REVOCATION "]}"));
	rig_run(&r, "auth", "revocations", "--page", "2", NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "GET /v1/auth/revocations?per_page=100&page=2 HTTP/1.1");
	rig_has(r.out, ID);
	rig_has(r.out, "left");
}
END_TEST

START_TEST(a_revocation_is_taken_back)
{
	begin("HTTP/1.1 204 No Content\r\n\r\n");
	rig_run(&r, "auth", "unrevoke", ID, NULL);
	peer_end(&peer);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	rig_has(peer.request[0], "DELETE /v1/auth/revocations/" ID " HTTP/1.1");
	rig_has(r.err, "Taken back");
}
END_TEST

Suite *
auth_revoke_suite(void)
{
	Suite *s = suite_create("auth_revoke");
	TCase *tc = tcase_create("revoke");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_add_checked_fixture(tc, NULL, end);
	tcase_add_test(tc, exactly_one_thing_is_revoked);
	tcase_add_loop_test(tc, what_is_asked_for_is_sent, 0, (int)COUNT(kinds));
	tcase_add_test(tc, a_moment_and_a_reason_go_along);
	tcase_add_test(tc, a_token_on_stdin_is_revoked_by_its_jti);
	tcase_add_test(tc, what_is_on_stdin_must_be_a_token_with_a_jti);
	tcase_add_test(tc, revocations_are_listed);
	tcase_add_test(tc, a_revocation_is_taken_back);
	suite_add_tcase(s, tc);
	return s;
}

/* Workers' sessions, and what there is when authentication is off (CR8). */
#include <stdio.h>
#include <string.h>

#include "shared/security/secret_token.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

struct sessions {
	unsigned char digest[DIGEST_BYTES];
	int64_t expires_at_s;
	enum verdict answer;
	unsigned asked;
};

static enum verdict
find_session(const unsigned char digest[32], struct session_facts *facts, void *arg)
{
	static const char *const namespaces[] = {"demo", NULL};
	struct sessions *s = arg;

	s->asked++;
	if (memcmp(digest, s->digest, DIGEST_BYTES) != 0)
		return VERDICT_DENY_SESSION;
	(void)snprintf(facts->id, sizeof(facts->id), "s-1");
	(void)snprintf(facts->worker, sizeof(facts->worker), "w1");
	facts->expires_at_s = s->expires_at_s;
	facts->namespaces = namespaces;
	return s->answer;
}

struct session_rig {
	struct sessions sessions;
	struct security_live *live;
	struct authenticator *a;
	char secret[SECRET_TOKEN_SIZE];
};

static void
open_sessions(struct session_rig *r, bool enabled)
{
	struct security_settings settings = kit_settings();
	struct err e = {0};

	*r = (struct session_rig){.sessions = {.answer = VERDICT_GRANT}};
	settings.enabled = enabled;
	r->live = kit_live(&settings);
	ck_assert(authenticator_new(r->live, 64, find_session, &r->sessions, &r->a, &e));
	secret_token_make(SECRET_TOKEN_SESSION, r->secret);
	ck_assert(digest_of(r->secret, strlen(r->secret), r->sessions.digest));
}

static void
close_sessions(struct session_rig *r)
{
	authenticator_free(r->a);
	security_live_free(r->live);
}

START_TEST(a_session_becomes_its_worker)
{
	struct session_rig r;
	const struct security_context *c = NULL;

	open_sessions(&r, _i == 0); /* with authentication on and off alike */
	ck_assert_int_eq(kit_bearer(r.a, r.secret, NOW_S, &c), VERDICT_GRANT);
	ck_assert_int_eq(c->caller, CALLER_SESSION);
	ck_assert_int_eq(c->method, AUTH_METHOD_SESSION);
	ck_assert_str_eq(c->subject, "w1");
	ck_assert_str_eq(c->owner, "wrk:w1");
	ck_assert_str_eq(c->token_id, "s-1");
	ck_assert_str_eq(c->namespaces[0], "demo");
	ck_assert_uint_eq(c->permissions.bits, 0);
	security_context_unref(c);
	close_sessions(&r);
}
END_TEST

START_TEST(a_session_is_asked_for_each_time)
{
	struct session_rig r;

	open_sessions(&r, true);
	ck_assert_int_eq(kit_bearer(r.a, r.secret, NOW_S, NULL), VERDICT_GRANT);
	r.sessions.answer = VERDICT_DENY_SESSION; /* ended meanwhile */
	ck_assert_int_eq(kit_bearer(r.a, r.secret, NOW_S, NULL), VERDICT_DENY_SESSION);
	r.sessions.answer = VERDICT_GRANT;
	r.sessions.expires_at_s = NOW_S;
	ck_assert_int_eq(kit_bearer(r.a, r.secret, NOW_S, NULL), VERDICT_DENY_SESSION);
	ck_assert_uint_eq(r.sessions.asked, 3);
	close_sessions(&r);
}
END_TEST

START_TEST(an_unknown_session_or_one_of_no_form_is_refused)
{
	struct session_rig r;
	char other[SECRET_TOKEN_SIZE];

	open_sessions(&r, true);
	secret_token_make(SECRET_TOKEN_SESSION, other);
	ck_assert_int_eq(kit_bearer(r.a, other, NOW_S, NULL), VERDICT_DENY_SESSION);
	ck_assert_int_eq(kit_bearer(r.a, "ts_short", NOW_S, NULL), VERDICT_DENY_MALFORMED);
	ck_assert_uint_eq(r.sessions.asked, 1);
	close_sessions(&r);
}
END_TEST

START_TEST(where_there_are_no_sessions_none_is_known)
{
	struct security_settings settings = kit_settings();
	struct security_live *live = kit_live(&settings);
	struct authenticator *a = kit_authenticator(live);
	char secret[SECRET_TOKEN_SIZE];

	secret_token_make(SECRET_TOKEN_SESSION, secret);
	ck_assert_int_eq(kit_bearer(a, secret, NOW_S, NULL), VERDICT_DENY_SESSION);
	authenticator_free(a);
	security_live_free(live);
}
END_TEST

static const struct anything {
	const char *authorization, *key;
} anythings[] = {
        {NULL,              NULL      },
        {"Basic x",         NULL      },
        {"Bearer x.y.z",    NULL      },
        {"",                ""        },
        {NULL,              "whatever"},
        {"Bearer ts_short", "x"       }
};

START_TEST(cr8_with_authentication_off_everybody_is_anonymous)
{
	struct security_settings settings = {.enabled = false};
	struct security_live *live = kit_live(&settings);
	struct authenticator *a = kit_authenticator(live);
	const struct security_context *c = NULL;

	ck_assert_int_eq(
	        kit_present(a, anythings[_i].authorization, anythings[_i].key, &c), VERDICT_GRANT);
	ck_assert_int_eq(c->method, AUTH_METHOD_DISABLED);
	ck_assert_int_eq(c->caller, CALLER_USER);
	ck_assert_str_eq(c->subject, "anonymous");
	ck_assert_str_eq(c->owner, "anonymous");
	for (unsigned p = 0; p < PERMISSION__COUNT; p++)
		ck_assert(permission_set_has(&c->permissions, (enum permission)p));
	security_context_unref(c);
	authenticator_free(a);
	security_live_free(live);
}
END_TEST

Suite *
authenticator_session_suite(void)
{
	Suite *s = suite_create("authenticator_session");
	TCase *sessions = tcase_create("sessions"), *off = tcase_create("off");

	token_maker_prepare();
	tcase_add_loop_test(sessions, a_session_becomes_its_worker, 0, 2);
	tcase_add_test(sessions, a_session_is_asked_for_each_time);
	tcase_add_test(sessions, an_unknown_session_or_one_of_no_form_is_refused);
	tcase_add_test(sessions, where_there_are_no_sessions_none_is_known);
	tcase_add_loop_test(
	        off, cr8_with_authentication_off_everybody_is_anonymous, 0, COUNT(anythings));
	suite_add_tcase(s, sessions);
	suite_add_tcase(s, off);
	return s;
}

/* From header values to a context: which credential decides, and what each kind is worth. */
#include "shared/security/authenticator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const char api_key[] = "tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static const char *const reads[] = {"tasks:read"};
static const struct api_key_settings keys[] = {
        {.key = api_key,         .id = "ci", .tenant = "acme",                             .permissions = reads, .permission_count = 1},
        {.key = "tk_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8",
         .id = "old",
         .not_after_s = NOW_S},
};

struct rig {
	struct security_live *live;
	struct authenticator *a;
	char *user, *worker; /* good tokens */
};

static struct rig
rig(void)
{
	struct security_settings settings = kit_settings();
	struct rig r = {0};
	char *claims = token_user_claims("alice", "tasks:read dlq:*", NOW_S);
	char *system = token_worker_claims("w1", "demo mail", NOW_S);

	settings.api_keys = keys;
	settings.api_key_count = COUNT(keys);
	r.live = kit_live(&settings);
	r.a = kit_authenticator(r.live);
	r.user = token_make(TOKEN_KEY_RSA, "RS256", claims);
	r.worker = token_make(TOKEN_KEY_ED25519, "EdDSA", system);
	free(claims);
	free(system);
	return r;
}

static void
close_rig(struct rig *r)
{
	authenticator_free(r->a);
	security_live_free(r->live);
	free(r->user);
	free(r->worker);
}

static const char *
bearer(const char *scheme, const char *token)
{
	static char value[9000];

	(void)snprintf(value, sizeof(value), "%s%s", scheme, token);
	return value;
}

START_TEST(cr1_no_credential_is_missing)
{
	struct rig r = rig();

	ck_assert_int_eq(kit_present(r.a, NULL, NULL, NULL), VERDICT_DENY_MISSING);
	close_rig(&r);
}
END_TEST

START_TEST(cr2_the_scheme_in_any_case_with_one_space)
{
	struct rig r = rig();

	ck_assert_int_eq(kit_present(r.a, bearer("Bearer ", r.user), NULL, NULL), VERDICT_GRANT);
	ck_assert_int_eq(kit_present(r.a, bearer("bearer ", r.user), NULL, NULL), VERDICT_GRANT);
	ck_assert_int_eq(kit_present(r.a, bearer("BEARER ", r.user), NULL, NULL), VERDICT_GRANT);
	ck_assert_int_eq(
	        kit_present(r.a, bearer("Bearer  ", r.user), NULL, NULL), VERDICT_DENY_MALFORMED);
	ck_assert_int_eq(
	        kit_present(r.a, bearer("Bearer\t", r.user), NULL, NULL), VERDICT_DENY_MALFORMED);
	ck_assert_int_eq(kit_present(r.a, bearer("", r.user), NULL, NULL), VERDICT_DENY_MALFORMED);
	ck_assert_int_eq(kit_present(r.a, "", NULL, NULL), VERDICT_DENY_MALFORMED);
	close_rig(&r);
}
END_TEST

START_TEST(cr4_a_bad_bearer_never_falls_back_to_a_good_key)
{
	struct rig r = rig();

	token_spoil(r.user);
	ck_assert_int_eq(
	        kit_present(r.a, bearer("Bearer ", r.user), api_key, NULL), VERDICT_DENY_SIGNATURE);
	ck_assert_int_eq(kit_present(r.a, "Bearer x.y.z", api_key, NULL), VERDICT_DENY_MALFORMED);
	close_rig(&r);
}
END_TEST

START_TEST(cr4_a_good_bearer_decides_beside_a_key_of_any_kind)
{
	struct rig r = rig();
	const struct security_context *c = NULL;

	ck_assert_int_eq(kit_present(r.a, bearer("Bearer ", r.user), api_key, &c), VERDICT_GRANT);
	ck_assert_str_eq(c->subject, "alice");
	security_context_unref(c);
	ck_assert_int_eq(
	        kit_present(r.a, bearer("Bearer ", r.user), "nonsense", NULL), VERDICT_GRANT);
	close_rig(&r);
}
END_TEST

static struct authentication
present_known_only(struct authenticator *a, const char *authorization, const char *key)
{
	const struct credentials c = {.authorization = authorization,
	        .authorization_len = authorization == NULL ? 0 : strlen(authorization),
	        .api_key = key,
	        .api_key_len = key == NULL ? 0 : strlen(key),
	        .known_only = true};
	struct authentication out = {0};

	ck_assert_int_eq(authenticator_check(a, &c, NOW_S, &out, NULL, NULL), AUTH_READY);
	security_context_unref(out.context);
	return out;
}

/* Known tokens and what costs a hash go on; no other token is looked at, good or bad. */
START_TEST(lm5_where_only_known_tokens_count_no_other_is_verified)
{
	struct rig r = rig();
	struct authentication got = present_known_only(r.a, bearer("Bearer ", r.user), NULL);

	ck_assert_int_eq(got.verdict, VERDICT_DENY_BUSY);
	ck_assert(!got.examined);
	ck_assert_int_eq(verdict_status(got.verdict), 429);
	ck_assert_int_eq(kit_present(r.a, bearer("Bearer ", r.user), NULL, NULL), VERDICT_GRANT);
	got = present_known_only(r.a, bearer("Bearer ", r.user), NULL);
	ck_assert_int_eq(got.verdict, VERDICT_GRANT);
	ck_assert_int_eq(present_known_only(r.a, bearer("Bearer ", r.worker), api_key).verdict,
	        VERDICT_DENY_BUSY);
	ck_assert_int_eq(present_known_only(r.a, NULL, api_key).verdict, VERDICT_GRANT);
	ck_assert_int_eq(present_known_only(r.a, NULL, "nonsense").verdict, VERDICT_DENY_API_KEY);
	ck_assert_int_eq(present_known_only(r.a, NULL, NULL).verdict, VERDICT_DENY_MISSING);
	ck_assert_int_eq(
	        present_known_only(r.a, "Bearer a b", NULL).verdict, VERDICT_DENY_MALFORMED);
	ck_assert_uint_eq(authenticator_stats(r.a).verified, 1);
	close_rig(&r);
}
END_TEST

/* What costs a verification says so, whatever comes of it. */
START_TEST(lm5_an_examined_token_is_told_of)
{
	struct rig r = rig();
	struct credentials c = {.authorization = bearer("Bearer ", r.user)};
	struct authentication out = {0};

	c.authorization_len = strlen(c.authorization);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(authenticator_check(r.a, &c, NOW_S, &out, NULL, NULL), AUTH_READY);
		security_context_unref(out.context);
		ck_assert_int_eq(out.examined, i == 0);
	}
	token_spoil(r.user);
	c.authorization = bearer("Bearer ", r.user);
	ck_assert_int_eq(authenticator_check(r.a, &c, NOW_S, &out, NULL, NULL), AUTH_READY);
	ck_assert_int_eq(out.verdict, VERDICT_DENY_SIGNATURE);
	ck_assert(out.examined);
	close_rig(&r);
}
END_TEST

static const char *const other_schemes[] = {
        "Basic dXNlcjpwYXNz", "Digest a", "Negotiate abc", "Token abc", "Bearer", "Bearer "};

START_TEST(cr5_another_scheme_is_malformed_even_beside_a_good_key)
{
	struct rig r = rig();

	ck_assert_int_eq(
	        kit_present(r.a, other_schemes[_i], api_key, NULL), VERDICT_DENY_MALFORMED);
	close_rig(&r);
}
END_TEST

START_TEST(a_users_token_becomes_a_user)
{
	struct rig r = rig();
	const struct security_context *c = NULL;

	ck_assert_int_eq(kit_present(r.a, bearer("Bearer ", r.user), NULL, &c), VERDICT_GRANT);
	ck_assert_int_eq(c->caller, CALLER_USER);
	ck_assert_int_eq(c->method, AUTH_METHOD_JWT);
	ck_assert_str_eq(c->subject, "alice");
	ck_assert_str_eq(c->owner, "jwt:tasker-core:alice");
	ck_assert_str_eq(c->issuer, "tasker-core");
	ck_assert_int_eq(c->expires_at_s, NOW_S + 3600);
	ck_assert(permission_set_has(&c->permissions, PERMISSION_TASKS_READ));
	ck_assert(!permission_set_has(&c->permissions, PERMISSION_TASKS_CREATE));
	security_context_unref(c);
	close_rig(&r);
}
END_TEST

START_TEST(wi1_a_workers_token_becomes_a_system_caller)
{
	struct rig r = rig();
	const struct security_context *c = NULL;

	ck_assert_int_eq(kit_present(r.a, bearer("Bearer ", r.worker), NULL, &c), VERDICT_GRANT);
	ck_assert_int_eq(c->caller, CALLER_SYSTEM);
	ck_assert_int_eq(c->method, AUTH_METHOD_SYSTEM);
	ck_assert_str_eq(c->owner, "wrk:w1");
	ck_assert_str_eq(c->namespaces[1], "mail");
	security_context_unref(c);
	close_rig(&r);
}
END_TEST

/* WI1: who holds the users' key can choose every claim, and still is no worker. */
START_TEST(wi1_a_users_key_never_makes_a_system_caller)
{
	static const char *const forms[] = {
	        "\"aud\":\"tasker-internal\",\"sub\":\"wrk:w1\"",
	        "\"aud\":[\"tasker-api\",\"tasker-internal\"],\"sub\":\"wrk:w1\"",
	        "\"aud\":[\"tasker-internal\",\"tasker-api\"],\"sub\":\"alice\"",
	        "\"aud\":\"tasker-api\",\"sub\":\"wrk:w1\"",
	        "\"aud\":\"tasker-api\",\"sub\":\"svc:worker:w1\"",
	        "\"aud\":[\"tasker-internal\",7],\"sub\":\"wrk:w1\"",
	};
	struct rig r = rig();

	for (size_t i = 0; i < COUNT(forms); i++) {
		char payload[512], *token;

		(void)snprintf(payload, sizeof(payload),
		        "{\"iss\":\"tasker-core\",%s,\"iat\":%d,\"exp\":%d,\"permissions\":[]}",
		        forms[i], NOW_S, NOW_S + 60);
		token = token_make(TOKEN_KEY_RSA, "RS256", payload);
		ck_assert_int_ne(kit_bearer(r.a, token, NOW_S, NULL), VERDICT_GRANT);
		free(token);
	}
	close_rig(&r);
}
END_TEST

/* And a worker's key makes no user. */
START_TEST(wi1_a_workers_key_never_makes_a_user)
{
	struct rig r = rig();
	char *claims = token_user_claims("alice", "tasks:*", NOW_S);
	char *token = token_make(TOKEN_KEY_ED25519, "EdDSA", claims);

	ck_assert_int_eq(kit_bearer(r.a, token, NOW_S, NULL), VERDICT_DENY_ALGORITHM);
	free(token);
	free(claims);
	close_rig(&r);
}
END_TEST

START_TEST(wi2_without_a_key_for_workers_their_tokens_are_refused)
{
	struct security_settings settings = kit_settings();
	struct security_live *live;
	struct authenticator *a;
	struct rig r = rig();

	settings.workers.public_key_pem = NULL;
	live = kit_live(&settings);
	a = kit_authenticator(live);
	ck_assert_int_ne(kit_bearer(a, r.worker, NOW_S, NULL), VERDICT_GRANT);
	ck_assert_int_eq(kit_bearer(a, r.user, NOW_S, NULL), VERDICT_GRANT);
	authenticator_free(a);
	security_live_free(live);
	close_rig(&r);
}
END_TEST

START_TEST(without_a_key_for_users_every_token_is_refused_and_api_keys_work)
{
	struct security_settings settings = kit_settings();
	struct security_live *live;
	struct authenticator *a;
	struct rig r = rig();

	settings.users.public_key_pem = "";
	settings.api_keys = keys;
	settings.api_key_count = 1;
	live = kit_live(&settings);
	a = kit_authenticator(live);
	ck_assert_int_eq(kit_bearer(a, r.user, NOW_S, NULL), VERDICT_DENY_UNKNOWN_KEY);
	ck_assert_int_eq(kit_present(a, NULL, api_key, NULL), VERDICT_GRANT);
	authenticator_free(a);
	security_live_free(live);
	close_rig(&r);
}
END_TEST

START_TEST(ak6_an_api_key_becomes_a_user_named_by_its_id)
{
	struct rig r = rig();
	const struct security_context *c = NULL;

	ck_assert_int_eq(kit_present(r.a, NULL, api_key, &c), VERDICT_GRANT);
	ck_assert_int_eq(c->caller, CALLER_USER);
	ck_assert_int_eq(c->method, AUTH_METHOD_API_KEY);
	ck_assert_str_eq(c->subject, "key:ci");
	ck_assert_str_eq(c->owner, "key:ci");
	ck_assert_str_eq(c->tenant, "acme");
	ck_assert_str_eq(c->token_id, "ci");
	security_context_unref(c);
	close_rig(&r);
}
END_TEST

START_TEST(ak5_a_wrong_ended_or_empty_api_key_is_refused)
{
	struct rig r = rig();

	ck_assert_int_eq(kit_present(r.a, NULL, "", NULL), VERDICT_DENY_API_KEY);
	ck_assert_int_eq(kit_present(r.a, NULL, "wrong", NULL), VERDICT_DENY_API_KEY);
	ck_assert_int_eq(kit_present(r.a, NULL, keys[1].key, NULL), VERDICT_DENY_API_KEY);
	/* In the place of a bearer a key is no token either. */
	ck_assert_int_eq(
	        kit_present(r.a, bearer("Bearer ", api_key), NULL, NULL), VERDICT_DENY_MALFORMED);
	close_rig(&r);
}
END_TEST

/* JT24: a keep-alive connection sends the same token again, and the cache must notice the end. */
START_TEST(jt24_a_cached_token_ends_with_its_exp)
{
	struct rig r = rig();

	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S, NULL), VERDICT_GRANT);
	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S + 3629, NULL), VERDICT_GRANT);
	ck_assert_uint_eq(authenticator_stats(r.a).hits, 1);
	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S + 3630, NULL), VERDICT_DENY_EXPIRED);
	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S + 3630, NULL), VERDICT_DENY_EXPIRED);
	close_rig(&r);
}
END_TEST

START_TEST(jt24_a_cached_token_does_not_begin_early)
{
	struct rig r = rig();

	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S, NULL), VERDICT_GRANT);
	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S - 31, NULL), VERDICT_DENY_NOT_YET);
	close_rig(&r);
}
END_TEST

START_TEST(the_second_time_a_token_comes_from_the_cache)
{
	struct rig r = rig();
	const struct security_context *first = NULL, *second = NULL;
	struct authenticator_stats stats;

	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S, &first), VERDICT_GRANT);
	fault_allocation(1); /* JT21: a hit allocates nothing */
	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S, &second), VERDICT_GRANT);
	fault_allocation(0);
	ck_assert_ptr_eq(first, second);
	stats = authenticator_stats(r.a);
	ck_assert_uint_eq(stats.hits, 1);
	ck_assert_uint_eq(stats.misses, 1);
	ck_assert_uint_eq(stats.verified, 1);
	ck_assert_uint_eq(stats.refused, 0);
	security_context_unref(first);
	security_context_unref(second);
	close_rig(&r);
}
END_TEST

START_TEST(a_refused_token_is_never_kept)
{
	struct rig r = rig();
	struct authenticator_stats stats;

	token_spoil(r.user);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S, NULL), VERDICT_DENY_SIGNATURE);
	stats = authenticator_stats(r.a);
	ck_assert_uint_eq(stats.hits, 0);
	ck_assert_uint_eq(stats.misses, 3);
	ck_assert_uint_eq(stats.refused, 3);
	ck_assert_uint_eq(stats.verified, 0);
	close_rig(&r);
}
END_TEST

START_TEST(the_cache_can_be_switched_off)
{
	struct rig r = rig();
	struct authenticator *a = NULL;
	struct err e = {0};

	ck_assert(authenticator_new(r.live, 0, NULL, NULL, &a, &e));
	ck_assert_int_eq(kit_bearer(a, r.user, NOW_S, NULL), VERDICT_GRANT);
	ck_assert_int_eq(kit_bearer(a, r.user, NOW_S, NULL), VERDICT_GRANT);
	ck_assert_uint_eq(authenticator_stats(a).verified, 2);
	authenticator_free(a);
	close_rig(&r);
}
END_TEST

/* A context outlives the authenticator's interest in it: a reload frees the one, not the other. */
START_TEST(a_context_outlives_its_authenticator)
{
	struct rig r = rig();
	const struct security_context *c = NULL, *key = NULL;

	ck_assert_int_eq(kit_bearer(r.a, r.user, NOW_S, &c), VERDICT_GRANT);
	ck_assert_int_eq(kit_present(r.a, NULL, api_key, &key), VERDICT_GRANT);
	close_rig(&r);
	authenticator_free(NULL);
	security_live_free(NULL);
	ck_assert_str_eq(c->subject, "alice");
	ck_assert_str_eq(key->subject, "key:ci");
	security_context_unref(c);
	security_context_unref(key);
}
END_TEST

/* CR10: nothing a caller could see depends on why a credential was refused. */
START_TEST(cr10_no_refused_credential_says_why)
{
	struct rig r = rig();
	char *claims = token_user_claims("alice", "tasks:read", NOW_S - 7200), *expired;
	enum verdict verdicts[4];

	expired = token_make(TOKEN_KEY_RSA, "RS256", claims);
	verdicts[0] = kit_bearer(r.a, expired, NOW_S, NULL);
	verdicts[1] = kit_bearer(r.a, "a.b.c", NOW_S, NULL);
	token_spoil(r.user);
	verdicts[2] = kit_bearer(r.a, r.user, NOW_S, NULL);
	verdicts[3] = kit_present(r.a, NULL, "wrong", NULL);
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		ck_assert_int_eq(verdict_status(verdicts[i]), 401);
		ck_assert_str_eq(verdict_text(verdicts[i]), verdict_text(verdicts[0]));
		for (size_t other = 0; other < i; other++)
			ck_assert_int_ne(verdicts[i], verdicts[other]);
	}
	free(expired);
	free(claims);
	close_rig(&r);
}
END_TEST

static struct authentication
present(struct authenticator *a, const char *token)
{
	char value[4096];
	struct credentials c = {.authorization = value};
	struct authentication result = {0};

	(void)snprintf(value, sizeof(value), "Bearer %s", token);
	c.authorization_len = strlen(value);
	ck_assert_int_eq(authenticator_check(a, &c, NOW_S, &result, NULL, NULL), AUTH_READY);
	security_context_unref(result.context);
	return result;
}

/* Told by the check that looked at the token, and by no other: so a log hears of it once. */
START_TEST(jt18_an_unknown_permission_is_told_once)
{
	struct security_settings settings = kit_settings();
	char *claims = token_user_claims("alice", "tasks:read nonsense *", NOW_S);
	char *token = token_make(TOKEN_KEY_RSA, "RS256", claims);

	for (int strict = 0; strict < 2; strict++) {
		struct security_live *live;
		struct authenticator *a;

		settings.users.strict_permissions = strict != 0;
		live = kit_live(&settings);
		a = kit_authenticator(live);
		ck_assert_str_eq(present(a, "x.y.z").unknown_permission, "");
		ck_assert_str_eq(present(a, token).unknown_permission, "nonsense");
		ck_assert_str_eq(present(a, token).unknown_permission, strict ? "nonsense" : "");
		ck_assert_str_eq(present(a, "x.y.z").unknown_permission, "");
		authenticator_free(a);
		security_live_free(live);
	}
	free(token);
	free(claims);
}
END_TEST

START_TEST(jt18_a_lax_service_counts_what_it_ignores)
{
	struct security_settings settings = kit_settings();
	struct security_live *live;
	struct authenticator *a;
	char *claims = token_user_claims("alice", "tasks:read nonsense *", NOW_S);
	char *token = token_make(TOKEN_KEY_RSA, "RS256", claims);

	settings.users.strict_permissions = false;
	live = kit_live(&settings);
	a = kit_authenticator(live);
	ck_assert_int_eq(kit_bearer(a, token, NOW_S, NULL), VERDICT_GRANT);
	ck_assert_uint_eq(authenticator_stats(a).permissions_ignored, 2);
	authenticator_free(a);
	security_live_free(live);
	free(token);
	free(claims);
}
END_TEST

static void
add_order(TCase *tc)
{
	tcase_add_test(tc, lm5_where_only_known_tokens_count_no_other_is_verified);
	tcase_add_test(tc, lm5_an_examined_token_is_told_of);
	tcase_add_test(tc, cr1_no_credential_is_missing);
	tcase_add_test(tc, cr2_the_scheme_in_any_case_with_one_space);
	tcase_add_test(tc, cr4_a_bad_bearer_never_falls_back_to_a_good_key);
	tcase_add_test(tc, cr4_a_good_bearer_decides_beside_a_key_of_any_kind);
	tcase_add_loop_test(tc, cr5_another_scheme_is_malformed_even_beside_a_good_key, 0,
	        COUNT(other_schemes));
	tcase_add_test(tc, cr10_no_refused_credential_says_why);
	tcase_add_test(tc, ak6_an_api_key_becomes_a_user_named_by_its_id);
	tcase_add_test(tc, ak5_a_wrong_ended_or_empty_api_key_is_refused);
}

static void
add_tokens(TCase *tc)
{
	tcase_add_test(tc, a_users_token_becomes_a_user);
	tcase_add_test(tc, wi1_a_workers_token_becomes_a_system_caller);
	tcase_add_test(tc, wi1_a_users_key_never_makes_a_system_caller);
	tcase_add_test(tc, wi1_a_workers_key_never_makes_a_user);
	tcase_add_test(tc, wi2_without_a_key_for_workers_their_tokens_are_refused);
	tcase_add_test(tc, without_a_key_for_users_every_token_is_refused_and_api_keys_work);
	tcase_add_test(tc, jt24_a_cached_token_ends_with_its_exp);
	tcase_add_test(tc, jt24_a_cached_token_does_not_begin_early);
	tcase_add_test(tc, the_second_time_a_token_comes_from_the_cache);
	tcase_add_test(tc, a_refused_token_is_never_kept);
	tcase_add_test(tc, the_cache_can_be_switched_off);
	tcase_add_test(tc, a_context_outlives_its_authenticator);
	tcase_add_test(tc, jt18_a_lax_service_counts_what_it_ignores);
	tcase_add_test(tc, jt18_an_unknown_permission_is_told_once);
}

Suite *
authenticator_suite(void)
{
	Suite *s = suite_create("authenticator");
	TCase *order = tcase_create("order"), *tokens = tcase_create("tokens");

	token_maker_prepare();
	add_order(order);
	add_tokens(tokens);
	suite_add_tcase(s, order);
	suite_add_tcase(s, tokens);
	return s;
}

/* The verifier of one loop: header and payload together, and which ring a token is tried on. */
#include "shared/security/jwt_authenticator.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static enum verdict
check(const struct security_settings *settings, const char *token, struct jwt_acceptance *out)
{
	AUTO(security_service) struct security_service *service = kit_service(settings);
	AUTO(jwt_authenticator) struct jwt_authenticator *j = NULL;
	struct jwt_acceptance accepted = {0};
	struct err e = {0};
	enum verdict v;

	ck_assert(jwt_authenticator_new(service, &j, &e));
	v = jwt_authenticator_check(j, token, strlen(token), NOW_S, &accepted);
	ck_assert_int_eq(accepted.context != NULL, v == VERDICT_GRANT);
	if (out != NULL)
		*out = accepted;
	else
		security_context_unref(accepted.context);
	return v;
}

static char *
user_token(const char *header)
{
	char *claims = token_user_claims("alice", "tasks:read", NOW_S);
	char *token = token_make_signed(
	        TOKEN_KEY_RSA, &(struct token_signing){.alg = "RS256"}, header, claims);

	free(claims);
	return token;
}

START_TEST(an_accepted_token_says_how_long_it_is_good)
{
	struct security_settings settings = kit_settings();
	struct jwt_acceptance accepted = {0};
	char *token = user_token("{\"alg\":\"RS256\"}");

	ck_assert_int_eq(check(&settings, token, &accepted), VERDICT_GRANT);
	ck_assert_int_eq(accepted.valid_from_s, NOW_S - 30);
	ck_assert_int_eq(accepted.valid_until_s, NOW_S + 3600 + 30);
	security_context_unref(accepted.context);
	free(token);
}
END_TEST

static const struct typ {
	const char *header;
	bool free, required; /* accepted when typ may be absent, and when it is required */
} typs[] = {
        {"{\"alg\":\"RS256\"}",                                true,  false},
        {"{\"alg\":\"RS256\",\"typ\":\"JWT\"}",                true,  true },
        {"{\"alg\":\"RS256\",\"typ\":\"at+JWT\"}",             true,  true },
        {"{\"alg\":\"RS256\",\"typ\":\"application/at+jwt\"}", true,  true },
        {"{\"alg\":\"RS256\",\"typ\":\"JOSE\"}",               false, false},
        {"{\"alg\":\"RS256\",\"typ\":\"\"}",                   false, false},
        {"{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}",         false, false}
};

START_TEST(jt16_typ_is_absent_or_ours_and_may_be_required)
{
	struct security_settings settings = kit_settings();
	char *token = user_token(typs[_i].header);

	ck_assert_int_eq(check(&settings, token, NULL) == VERDICT_GRANT, typs[_i].free);
	settings.users.require_typ = true;
	ck_assert_int_eq(check(&settings, token, NULL) == VERDICT_GRANT, typs[_i].required);
	free(token);
}
END_TEST

/* Signed by the right key, yet no claims (JT10). */
static const char *const payloads[] = {"foo", "{}x", "[]", "{\"iss\":1,\"iss\":2}", "\"a\"",
        "{\"aud\":\"tasker-api\"", "\xff", "null"};

START_TEST(jt10_a_signed_payload_must_still_be_an_object)
{
	struct security_settings settings = kit_settings();
	char *token = token_make(TOKEN_KEY_RSA, "RS256", payloads[_i]);

	ck_assert_int_eq(check(&settings, token, NULL), VERDICT_DENY_MALFORMED);
	free(token);
}
END_TEST

/* The audience alone chooses the ring, so its lie is found out by that ring's key. */
START_TEST(wi1_an_audience_only_chooses_which_lock_is_tried)
{
	struct security_settings settings = kit_settings();
	char *worker = token_worker_claims("w1", "demo", NOW_S);
	char *lie = token_make(TOKEN_KEY_RSA, "RS256", worker);
	char *forged = token_make_signed(TOKEN_KEY_RSA, &(struct token_signing){.alg = "RS256"},
	        "{\"alg\":\"EdDSA\"}", worker);
	char *true_one = token_make(TOKEN_KEY_ED25519, "EdDSA", worker);

	ck_assert_int_eq(check(&settings, lie, NULL), VERDICT_DENY_ALGORITHM);
	ck_assert_int_eq(check(&settings, forged, NULL), VERDICT_DENY_SIGNATURE);
	ck_assert_int_eq(check(&settings, true_one, NULL), VERDICT_GRANT);
	free(worker);
	free(lie);
	free(forged);
	free(true_one);
}
END_TEST

START_TEST(one_scratch_serves_many_tokens)
{
	struct security_settings settings = kit_settings();
	AUTO(security_service) struct security_service *service = kit_service(&settings);
	AUTO(jwt_authenticator) struct jwt_authenticator *j = NULL;
	char *good = user_token("{\"alg\":\"RS256\"}");
	struct err e = {0};

	ck_assert(jwt_authenticator_new(service, &j, &e));
	for (int i = 0; i < 50; i++) {
		struct jwt_acceptance accepted = {0};
		const char *bad = i % 2 == 0 ? "a.b.c" : "e30.e30.AA";

		ck_assert_int_ne(jwt_authenticator_check(j, bad, strlen(bad), NOW_S, &accepted),
		        VERDICT_GRANT);
		ck_assert_int_eq(jwt_authenticator_check(j, good, strlen(good), NOW_S, &accepted),
		        VERDICT_GRANT);
		ck_assert_str_eq(accepted.context->subject, "alice");
		security_context_unref(accepted.context);
	}
	free(good);
}
END_TEST

enum { LOOPS = 4, ROUNDS = 50 };

struct loop {
	const struct security_service *service;
	const char *user, *worker;
	unsigned granted;
};

static void *
run_loop(void *arg)
{
	struct loop *loop = arg;
	AUTO(jwt_authenticator) struct jwt_authenticator *j = NULL;
	struct err e = {0};

	if (!jwt_authenticator_new(loop->service, &j, &e))
		return NULL;
	for (int i = 0; i < ROUNDS; i++) {
		const char *token = i % 2 == 0 ? loop->user : loop->worker;
		struct jwt_acceptance accepted = {0};

		loop->granted += jwt_authenticator_check(j, token, strlen(token), NOW_S,
		                         &accepted) == VERDICT_GRANT;
		security_context_unref(accepted.context);
	}
	return NULL;
}

/* The service is shared, what is written to is each loop's own; the TSan run sees the rest. */
START_TEST(loops_share_one_service)
{
	struct security_settings settings = kit_settings();
	AUTO(security_service) struct security_service *service = kit_service(&settings);
	char *worker = token_worker_claims("w1", "demo", NOW_S);
	char *system = token_make(TOKEN_KEY_ED25519, "EdDSA", worker);
	char *user = user_token("{\"alg\":\"RS256\"}");
	struct loop loops[LOOPS];
	pthread_t threads[LOOPS];

	for (size_t i = 0; i < LOOPS; i++) {
		loops[i] = (struct loop){service, user, system, 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run_loop, &loops[i]), 0);
	}
	for (size_t i = 0; i < LOOPS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_eq(loops[i].granted, ROUNDS);
	}
	free(worker);
	free(system);
	free(user);
}
END_TEST

Suite *
jwt_authenticator_suite(void)
{
	Suite *s = suite_create("jwt_authenticator");
	TCase *tc = tcase_create("whole tokens");

	token_maker_prepare();
	tcase_add_test(tc, an_accepted_token_says_how_long_it_is_good);
	tcase_add_loop_test(tc, jt16_typ_is_absent_or_ours_and_may_be_required, 0, COUNT(typs));
	tcase_add_loop_test(tc, jt10_a_signed_payload_must_still_be_an_object, 0, COUNT(payloads));
	tcase_add_test(tc, wi1_an_audience_only_chooses_which_lock_is_tried);
	tcase_add_test(tc, one_scratch_serves_many_tokens);
	tcase_add_test(tc, loops_share_one_service);
	suite_add_tcase(s, tc);
	return s;
}

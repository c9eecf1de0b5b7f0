/* Keys, API keys and rules that change while tokens are checked: JK10, JK11, JK15, JK17, AK8. */
#include "shared/security/security_live.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/jwk.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const char api_key[] = "tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static const char *const reads[] = {"tasks:read"};
static const struct api_key_settings keys[] = {
        {.key = api_key, .id = "ci", .permissions = reads, .permission_count = 1}
};

/* Keys of users, as an issuer would publish them: P-256 under the kid "a", P-521 under "b". */
enum { A = 1, B = 2 };

static struct key_set *
published(unsigned which)
{
	struct algorithm_set all = algorithm_set_all();
	struct key_set *set = NULL;
	struct err e = {0};
	char *a =
	        which & A ? token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\",\"alg\":\"ES256\"") : NULL;
	char *b =
	        which & B ? token_key_jwk(TOKEN_KEY_P521, "\"kid\":\"b\",\"alg\":\"ES512\"") : NULL;
	char *text = kit_jwks(a != NULL ? a : b, a != NULL ? b : NULL, NULL);

	ck_assert_msg(jwk_set_import(text, strlen(text), all, &set, NULL, &e), "%s", e.text);
	free(text);
	return set;
}

struct rig {
	struct security_live *live;
	struct authenticator *a;
	uint64_t rules;
	char *by_a, *by_b, *worker; /* good tokens, while their keys are there */
	atomic_uint unknown;
};

static struct security_settings
settings(void)
{
	struct security_settings s = kit_settings();

	s.users.public_key_pem = NULL;
	s.users.keys_awaited = true;
	s.api_keys = keys;
	s.api_key_count = COUNT(keys);
	return s;
}

static void
note_unknown(const char *kid, void *arg)
{
	struct rig *r = arg;

	ck_assert(strcmp(kid, "a") == 0 || strcmp(kid, "b") == 0);
	atomic_fetch_add(&r->unknown, 1);
}

static uint64_t
rules_of(struct security_live *live)
{
	uint64_t generation;
	struct security_service *service = security_live_get(live, &generation);
	const uint64_t rules = security_service_rules(service);

	security_service_free(service);
	return rules;
}

static void
open_rig(struct rig *r)
{
	const struct security_settings s = settings();
	char *user = token_user_claims("alice", "tasks:read", NOW_S);
	char *system = token_worker_claims("w1", "demo", NOW_S);

	*r = (struct rig){.live = kit_live(&s)};
	r->rules = rules_of(r->live);
	security_live_on_unknown_key(r->live, note_unknown, r);
	r->a = kit_authenticator(r->live);
	r->by_a = token_make_signed(TOKEN_KEY_P256, &(struct token_signing){.alg = "ES256"},
	        "{\"alg\":\"ES256\",\"kid\":\"a\"}", user);
	r->by_b = token_make_signed(TOKEN_KEY_P521, &(struct token_signing){.alg = "ES512"},
	        "{\"alg\":\"ES512\",\"kid\":\"b\"}", user);
	r->worker = token_make(TOKEN_KEY_ED25519, "EdDSA", system);
	free(user);
	free(system);
}

static void
close_rig(struct rig *r)
{
	authenticator_free(r->a);
	security_live_free(r->live);
	free(r->by_a);
	free(r->by_b);
	free(r->worker);
}

static void
publish(struct rig *r, unsigned which)
{
	struct err e = {0};

	ck_assert_msg(
	        security_live_set_user_keys(r->live, r->rules, published(which), &e), "%s", e.text);
}

static enum verdict
ask(struct rig *r, const char *token)
{
	return kit_bearer(r->a, token, NOW_S, NULL);
}

START_TEST(jk15_without_keys_bearers_wait_and_all_else_goes_on)
{
	struct rig r;

	open_rig(&r);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	ck_assert_int_eq(ask(&r, r.worker), VERDICT_GRANT);
	ck_assert_int_eq(kit_present(r.a, NULL, api_key, NULL), VERDICT_GRANT);
	ck_assert_int_eq(kit_present(r.a, NULL, "tk_no", NULL), VERDICT_DENY_API_KEY);
	publish(&r, A);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	close_rig(&r);
}
END_TEST

/* JK8: when the keys are too old, also tokens that were accepted before wait. */
START_TEST(jk8_keys_taken_away_stop_cached_tokens)
{
	struct rig r;
	struct err e = {0};

	open_rig(&r);
	publish(&r, A);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	ck_assert(security_live_set_user_keys(r.live, r.rules, NULL, &e));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	publish(&r, A);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	close_rig(&r);
}
END_TEST

START_TEST(jk10_a_withdrawn_key_ends_its_cached_tokens)
{
	struct rig r;

	open_rig(&r);
	publish(&r, A | B);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	ck_assert_int_eq(ask(&r, r.by_b), VERDICT_GRANT);
	publish(&r, B);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNKNOWN_KEY);
	ck_assert_int_eq(ask(&r, r.by_b), VERDICT_GRANT);
	close_rig(&r);
}
END_TEST

/* What a rotation leaves as it was is not verified again: no storm of signatures. */
START_TEST(jk11_a_rotation_verifies_no_kept_token_again)
{
	struct rig r;

	open_rig(&r);
	publish(&r, A);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	ck_assert_int_eq(ask(&r, r.worker), VERDICT_GRANT);
	for (unsigned i = 0; i < 20; i++) {
		publish(&r, i % 2 == 0 ? A | B : A);
		ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
		ck_assert_int_eq(ask(&r, r.worker), VERDICT_GRANT);
	}
	ck_assert_uint_eq(authenticator_stats(r.a).verified, 2);
	ck_assert_uint_eq(authenticator_stats(r.a).hits, 40);
	close_rig(&r);
}
END_TEST

START_TEST(only_an_unknown_key_of_users_is_told_of)
{
	struct rig r;

	open_rig(&r);
	publish(&r, A);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	ck_assert_int_eq(ask(&r, "a.b.c"), VERDICT_DENY_MALFORMED);
	token_spoil(r.by_a);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_SIGNATURE);
	ck_assert_uint_eq(atomic_load(&r.unknown), 0);
	ck_assert_int_eq(ask(&r, r.by_b), VERDICT_DENY_UNKNOWN_KEY);
	ck_assert_uint_eq(atomic_load(&r.unknown), 1);
	close_rig(&r);
}
END_TEST

/* Whoever may publish users' keys must not become a worker by it. */
START_TEST(a_workers_key_among_those_of_users_is_refused)
{
	struct rig r;
	struct key_set *set = kit_keys(TOKEN_KEY_ED25519, "EdDSA");
	struct err e = {0};

	open_rig(&r);
	publish(&r, A);
	ck_assert(!security_live_set_user_keys(r.live, r.rules, set, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_uint_eq(security_live_generation(r.live), 2);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	key_set_free(set);
	close_rig(&r);
}
END_TEST

START_TEST(keys_for_rules_that_are_over_are_refused)
{
	struct rig r;
	const struct security_settings s = settings();
	struct key_set *set = published(A);
	struct err e = {0};

	open_rig(&r);
	ck_assert(security_live_replace(r.live, kit_service(&s), &e));
	ck_assert(!security_live_set_user_keys(r.live, r.rules, set, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	key_set_free(set);
	close_rig(&r);
}
END_TEST

START_TEST(ak8_a_removed_api_key_ends_with_the_next_request)
{
	struct rig r;
	struct security_settings s = settings();
	struct err e = {0};

	open_rig(&r);
	ck_assert_int_eq(kit_present(r.a, NULL, api_key, NULL), VERDICT_GRANT);
	s.api_key_count = 0;
	ck_assert(security_live_replace(r.live, kit_service(&s), &e));
	ck_assert_int_eq(kit_present(r.a, NULL, api_key, NULL), VERDICT_DENY_API_KEY);
	close_rig(&r);
}
END_TEST

/* PM8: what a token was worth under other rules says nothing. */
START_TEST(pm8_changed_rules_judge_cached_tokens_anew)
{
	struct rig r;
	struct security_settings s = settings();
	struct err e = {0};

	open_rig(&r);
	publish(&r, A);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	s.users.issuer = "https://another.example";
	ck_assert(security_live_replace(r.live, kit_service(&s), &e));
	ck_assert(security_live_set_user_keys(r.live, rules_of(r.live), published(A), &e));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_ISSUER);
	close_rig(&r);
}
END_TEST

/* CR9: a loop that cannot follow judges nobody by what is over, and follows when it can. */
START_TEST(cr9_who_cannot_follow_denies)
{
	struct rig r;
	struct authentication result = {0};
	struct credentials c = {.api_key = api_key, .api_key_len = sizeof(api_key) - 1};
	struct security_settings s = settings();
	unsigned nth = 0;
	enum auth_progress p;
	struct err e = {0};

	open_rig(&r);
	s.api_key_count = 0;
	ck_assert(security_live_replace(r.live, kit_service(&s), &e));
	do {
		fault_allocation(++nth);
		p = authenticator_check(r.a, &c, NOW_S, &result, NULL, NULL);
		fault_allocation(0);
		ck_assert_int_eq(p, AUTH_READY);
	} while (result.verdict == VERDICT_DENY_UNAVAILABLE && nth < 100);
	ck_assert_int_eq(result.verdict, VERDICT_DENY_API_KEY);
	ck_assert_uint_gt(nth, 3);
	close_rig(&r);
}
END_TEST

START_TEST(keys_change_whole_or_not_at_all)
{
	struct rig r;
	struct key_set *set = published(A);
	struct err e = {0};
	bool done = false;
	unsigned nth = 0;

	open_rig(&r);
	while (!done && nth < 100) {
		ck_assert_uint_eq(security_live_generation(r.live), 1);
		fault_allocation(++nth);
		done = security_live_set_user_keys(r.live, r.rules, set, &e);
		fault_allocation(0);
		ck_assert(done || e.code == ERR_NOMEM);
	}
	ck_assert(done);
	ck_assert_uint_gt(nth, 3);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	close_rig(&r);
}
END_TEST

/* JK11, JK17: rotations with overlap, as fast as they go, under loops that check both tokens. The
 * sanitizer runs see that no key is used after its end. */
enum { LOOPS = 3, ROTATIONS = 1000 };

struct loop {
	struct rig *rig;
	struct authenticator *a;
	atomic_bool *over;
	unsigned long granted, refused;
};

static void *
run_loop(void *arg)
{
	struct loop *loop = arg;
	char value[2][4096];
	struct credentials c[2];

	(void)snprintf(value[0], sizeof(value[0]), "Bearer %s", loop->rig->by_a);
	(void)snprintf(value[1], sizeof(value[1]), "Bearer %s", loop->rig->worker);
	for (size_t i = 0; i < 2; i++)
		c[i] = (struct credentials){
		        .authorization = value[i], .authorization_len = strlen(value[i])};
	for (unsigned i = 0; !atomic_load(loop->over); i++) {
		struct authentication result = {0};

		if (authenticator_check(loop->a, &c[i % 2], NOW_S, &result, NULL, NULL) ==
		                AUTH_READY &&
		        result.verdict == VERDICT_GRANT)
			loop->granted++;
		else
			loop->refused++;
		security_context_unref(result.context);
	}
	return NULL;
}

START_TEST(jk11_a_thousand_overlapped_rotations_refuse_nobody)
{
	struct rig r;
	struct loop loops[LOOPS];
	pthread_t threads[LOOPS];
	atomic_bool over = false;

	open_rig(&r);
	publish(&r, A);
	for (size_t i = 0; i < LOOPS; i++) {
		loops[i] = (struct loop){&r, kit_authenticator(r.live), &over, 0, 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run_loop, &loops[i]), 0);
	}
	for (unsigned i = 0; i < ROTATIONS; i++)
		publish(&r, i % 2 == 0 ? A | B : A);
	atomic_store(&over, true);
	for (size_t i = 0; i < LOOPS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_eq(loops[i].refused, 0);
		ck_assert_uint_gt(loops[i].granted, 0);
		authenticator_free(loops[i].a);
	}
	close_rig(&r);
}
END_TEST

Suite *
security_live_suite(void)
{
	Suite *s = suite_create("security_live");
	TCase *tc = tcase_create("changes");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, jk15_without_keys_bearers_wait_and_all_else_goes_on);
	tcase_add_test(tc, jk8_keys_taken_away_stop_cached_tokens);
	tcase_add_test(tc, jk10_a_withdrawn_key_ends_its_cached_tokens);
	tcase_add_test(tc, jk11_a_rotation_verifies_no_kept_token_again);
	tcase_add_test(tc, only_an_unknown_key_of_users_is_told_of);
	tcase_add_test(tc, a_workers_key_among_those_of_users_is_refused);
	tcase_add_test(tc, keys_for_rules_that_are_over_are_refused);
	tcase_add_test(tc, ak8_a_removed_api_key_ends_with_the_next_request);
	tcase_add_test(tc, pm8_changed_rules_judge_cached_tokens_anew);
	tcase_add_test(tc, cr9_who_cannot_follow_denies);
	tcase_add_test(tc, keys_change_whole_or_not_at_all);
	tcase_add_test(tc, jk11_a_thousand_overlapped_rotations_refuse_nobody);
	suite_add_tcase(s, tc);
	return s;
}

/* The store against issuers good and bad (F10), on loopback: JK2, JK4, JK5, JK7–JK10, JK12, JK15.
 */
#include "shared/security/jwks_store.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/lib/issuer.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

enum { WITHIN_MS = 8000 };

struct rig {
	struct issuer *issuer;
	struct security_live *live;
	struct authenticator *a;
	struct jwks_store *store;
	uint64_t rules;
	char *by_a, *by_b;
	atomic_uint fetched, failed, expired;
};

static struct algorithm_set
algorithms(void)
{
	struct algorithm_set set = {0};
	struct err e = {0};

	ck_assert(algorithm_set_add(&set, "ES256", &e) && algorithm_set_add(&set, "ES512", &e));
	return set;
}

static char *
set_of(bool a, bool b)
{
	char *one = token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"a\",\"alg\":\"ES256\"");
	char *two = token_key_jwk(TOKEN_KEY_P521, "\"kid\":\"b\",\"alg\":\"ES512\"");

	if (a && b)
		return kit_jwks(one, two, NULL);
	free(a ? two : one);
	return kit_jwks(a ? one : two, NULL);
}

static void
note(const struct jwks_news *news, void *arg)
{
	struct rig *r = arg;

	atomic_fetch_add(news->event == JWKS_FETCHED  ? &r->fetched
	                 : news->event == JWKS_FAILED ? &r->failed
	                                              : &r->expired,
	        1);
}

static struct jwks_settings
settings_of(const struct rig *r)
{
	return (struct jwks_settings){.url = issuer_url(r->issuer),
	        .allow_private = true,
	        .refresh_us = 3600 * INT64_C(1000000),
	        .max_stale_us = 300 * INT64_C(1000000),
	        .algorithms = algorithms()};
}

static void
open_rig(struct rig *r, enum issuer_mode mode)
{
	struct security_settings s = kit_settings();
	char *user = token_user_claims("alice", "tasks:read", NOW_S), *set = set_of(true, false);
	uint64_t generation;
	struct security_service *service;

	*r = (struct rig){.issuer = issuer_start()};
	ck_assert_ptr_nonnull(r->issuer);
	issuer_say(r->issuer, mode, set, NULL);
	s.users.public_key_pem = NULL;
	s.users.keys_awaited = true;
	r->live = kit_live(&s);
	service = security_live_get(r->live, &generation);
	r->rules = security_service_rules(service);
	security_service_free(service);
	r->a = kit_authenticator(r->live);
	r->by_a = token_make_signed(TOKEN_KEY_P256, &(struct token_signing){.alg = "ES256"},
	        "{\"alg\":\"ES256\",\"kid\":\"a\"}", user);
	r->by_b = token_make_signed(TOKEN_KEY_P521, &(struct token_signing){.alg = "ES512"},
	        "{\"alg\":\"ES512\",\"kid\":\"b\"}", user);
	free(user);
	free(set);
}

static void
start(struct rig *r, const struct jwks_settings *settings)
{
	struct err e = {0};

	ck_assert_msg(jwks_store_new(settings, r->live, &r->store, &e), "%s", e.text);
	security_live_on_unknown_key(r->live, jwks_store_unknown_key, r->store);
	ck_assert_msg(jwks_store_start(r->store, r->rules, note, r, &e), "%s", e.text);
}

static void
close_rig(struct rig *r)
{
	jwks_store_free(r->store);
	authenticator_free(r->a);
	security_live_free(r->live);
	issuer_stop(r->issuer);
	free(r->by_a);
	free(r->by_b);
}

static bool
comes(atomic_uint *count, unsigned wanted)
{
	const int64_t until = clock_mono_us() + WITHIN_MS * INT64_C(1000);

	while (atomic_load(count) < wanted) {
		if (clock_mono_us() > until)
			return false;
		(void)poll(NULL, 0, 2);
	}
	return true;
}

static enum verdict
ask(struct rig *r, const char *token)
{
	return kit_bearer(r->a, token, NOW_S, NULL);
}

START_TEST(a_good_set_is_in_force)
{
	struct rig r;
	struct jwks_settings s;
	struct jwks_status status;

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	start(&r, &s);
	ck_assert(comes(&r.fetched, 1));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	ck_assert_int_eq(ask(&r, r.by_b), VERDICT_DENY_UNKNOWN_KEY);
	jwks_store_status(r.store, &status);
	ck_assert_uint_eq(status.keys, 1);
	ck_assert_int_ge(status.age_us, 0);
	ck_assert(!status.failing);
	ck_assert_str_eq(status.last_error, "");
	ck_assert_uint_eq(issuer_requests(r.issuer), 1);
	close_rig(&r);
}
END_TEST

/* Every fault: first at the start (JK15), then in place of a refresh (JK8, JK9). */
START_TEST(f10_a_hostile_set_changes_nothing)
{
	const enum issuer_mode mode = (enum issuer_mode)_i;
	struct rig r;
	struct jwks_settings s;
	struct jwks_status status;
	char *set = set_of(true, false);

	open_rig(&r, mode);
	s = settings_of(&r);
	start(&r, &s);
	ck_assert(comes(&r.failed, 1));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	issuer_say(r.issuer, ISSUER_GOOD, set, NULL);
	ck_assert(comes(&r.fetched, 1)); /* the back-off begins with a second */
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	issuer_say(r.issuer, mode, NULL, NULL);
	jwks_store_follow(r.store, &s, r.rules); /* fetches at once */
	ck_assert(comes(&r.failed, 2));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	jwks_store_status(r.store, &status);
	ck_assert(status.failing);
	ck_assert_uint_eq(status.keys, 1);
	ck_assert_str_ne(status.last_error, "");
	ck_assert_ptr_null(strstr(status.last_error, "/jwks")); /* no path in it */
	free(set);
	close_rig(&r);
}
END_TEST

START_TEST(jk10_a_refresh_withdraws_a_key)
{
	struct rig r;
	struct jwks_settings s;
	char *both = set_of(true, true), *second = set_of(false, true);

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	issuer_say(r.issuer, ISSUER_GOOD, both, NULL);
	start(&r, &s);
	ck_assert(comes(&r.fetched, 1));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	issuer_say(r.issuer, ISSUER_GOOD, second, NULL);
	jwks_store_follow(r.store, &s, r.rules);
	ck_assert(comes(&r.fetched, 2));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNKNOWN_KEY);
	ck_assert_int_eq(ask(&r, r.by_b), VERDICT_GRANT);
	free(both);
	free(second);
	close_rig(&r);
}
END_TEST

/* JK6, JK7: within the cool-down no stranger brings a fetch, however many names he invents. */
START_TEST(jk7_many_unknown_names_are_no_fetch)
{
	struct rig r;
	struct jwks_settings s;

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	start(&r, &s);
	ck_assert(comes(&r.fetched, 1));
	for (unsigned i = 0; i < 2000; i++) {
		char kid[32];

		(void)snprintf(kid, sizeof(kid), "k%u", i);
		jwks_store_unknown_key(kid, r.store);
		ck_assert_int_eq(ask(&r, i % 2 == 0 ? r.by_a : r.by_b),
		        i % 2 == 0 ? VERDICT_GRANT : VERDICT_DENY_UNKNOWN_KEY);
	}
	ck_assert_uint_eq(issuer_requests(r.issuer), 1);
	close_rig(&r);
}
END_TEST

/* JK8: shortest times that the schedule takes; the window is over while the issuer hangs. */
START_TEST(jk8_old_keys_end_and_come_back)
{
	struct rig r;
	struct jwks_settings s;

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	s.refresh_us = 300000;
	s.max_stale_us = 200000;
	start(&r, &s);
	ck_assert(comes(&r.fetched, 1));
	issuer_say(r.issuer, ISSUER_ERROR, NULL, NULL);
	ck_assert(comes(&r.expired, 1));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	issuer_say(r.issuer, ISSUER_GOOD, NULL, NULL);
	for (int i = 0; i < 4000 && ask(&r, r.by_a) != VERDICT_GRANT; i++)
		(void)poll(NULL, 0, 2);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_GRANT);
	close_rig(&r);
}
END_TEST

/* JK3: the name resolves, the address is not public, and nobody was asked. */
START_TEST(jk3_a_private_address_is_not_asked)
{
	struct rig r;
	struct jwks_settings s;
	struct jwks_status status;

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	s.allow_private = false;
	start(&r, &s);
	ck_assert(comes(&r.failed, 1));
	ck_assert_uint_eq(issuer_requests(r.issuer), 0);
	jwks_store_status(r.store, &status);
	ck_assert_ptr_nonnull(strstr(status.last_error, "not public"));
	close_rig(&r);
}
END_TEST

/* JK5: the thread hangs in a fetch; ending it does not wait for the issuer. */
START_TEST(jk5_a_hanging_issuer_holds_nobody)
{
	struct rig r;
	struct jwks_settings s;
	int64_t began_us;

	open_rig(&r, ISSUER_HANG);
	s = settings_of(&r);
	start(&r, &s);
	for (int i = 0; i < 2000 && issuer_requests(r.issuer) == 0; i++)
		(void)poll(NULL, 0, 2);
	ck_assert_uint_eq(issuer_requests(r.issuer), 1);
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	began_us = clock_mono_us();
	jwks_store_free(TAKE(r.store));
	ck_assert_int_lt(clock_mono_us() - began_us, 1000000);
	close_rig(&r);
}
END_TEST

/* A reload keeps the keys of the same set, vetted for the new algorithms. */
START_TEST(a_reload_takes_the_keys_along)
{
	struct rig r;
	struct jwks_settings s;
	struct algorithm_set none = {0};
	struct key_set *keys = NULL;
	struct err e = {0};

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	start(&r, &s);
	ck_assert(comes(&r.fetched, 1));
	ck_assert(jwks_store_keys(r.store, s.algorithms, &keys, &e));
	ck_assert_uint_eq(key_set_count(keys), 1);
	key_set_free(keys);
	ck_assert(!jwks_store_keys(r.store, none, &keys, &e)); /* nothing of it may be used */
	close_rig(&r);
}
END_TEST

/* JK8: a reload takes keys along that end before its service is in force. */
START_TEST(jk8_keys_that_end_during_a_reload_end_once_more)
{
	struct rig r;
	struct jwks_settings s;
	struct key_set *keys = NULL;
	struct security_service *last, *next = NULL;
	uint64_t generation;
	struct err e = {0};

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	s.refresh_us = 300000;
	s.max_stale_us = 200000;
	start(&r, &s);
	ck_assert(comes(&r.fetched, 1));
	ck_assert(jwks_store_keys(r.store, s.algorithms, &keys, &e));
	issuer_say(r.issuer, ISSUER_ERROR, NULL, NULL);
	ck_assert(comes(&r.expired, 1));
	last = security_live_get(r.live, &generation);
	ck_assert(security_service_with_user_keys(last, keys, &next, &e));
	security_service_free(last);
	ck_assert(security_live_replace(r.live, next, &e));
	jwks_store_follow(r.store, &s, r.rules);
	ck_assert(comes(&r.expired, 2));
	ck_assert_int_eq(ask(&r, r.by_a), VERDICT_DENY_UNAVAILABLE);
	close_rig(&r);
}
END_TEST

START_TEST(a_store_is_made_whole_or_not_at_all)
{
	struct rig r;
	struct jwks_settings s;
	struct jwks_store *store = NULL;
	struct err e = {0};
	bool made = false;
	unsigned nth = 0;

	open_rig(&r, ISSUER_GOOD);
	s = settings_of(&r);
	while (!made && nth < 100) {
		fault_allocation(++nth);
		made = jwks_store_new(&s, r.live, &store, &e);
		fault_allocation(0);
	}
	ck_assert(made);
	ck_assert_uint_gt(nth, 2);
	jwks_store_free(store);
	jwks_store_free(NULL);
	close_rig(&r);
}
END_TEST

Suite *
jwks_store_suite(void)
{
	Suite *s = suite_create("jwks_store");
	TCase *tc = tcase_create("issuers");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_good_set_is_in_force);
	tcase_add_loop_test(tc, f10_a_hostile_set_changes_nothing, ISSUER_SLOW, ISSUER_MODES);
	tcase_add_test(tc, jk10_a_refresh_withdraws_a_key);
	tcase_add_test(tc, jk7_many_unknown_names_are_no_fetch);
	tcase_add_test(tc, jk8_old_keys_end_and_come_back);
	tcase_add_test(tc, jk3_a_private_address_is_not_asked);
	tcase_add_test(tc, jk5_a_hanging_issuer_holds_nobody);
	tcase_add_test(tc, a_reload_takes_the_keys_along);
	tcase_add_test(tc, jk8_keys_that_end_during_a_reload_end_once_more);
	tcase_add_test(tc, a_store_is_made_whole_or_not_at_all);
	suite_add_tcase(s, tc);
	return s;
}

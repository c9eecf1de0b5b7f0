/* What is revoked is not believed, at once and everywhere; all else goes on. */
#include "shared/security/revocations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static struct revocations *
set_of(const struct revocation *all, size_t count)
{
	struct revocations *r = NULL;
	struct err e = {0};

	ck_assert_msg(revocations_new(all, count, &r, &e), "%s", e.text);
	return r;
}

static const struct revocation some[] = {
        {REVOCATION_SUBJECT, "bob",    1000},
        {REVOCATION_TOKEN,   "t-1",    0   },
        {REVOCATION_SUBJECT, "alice",  2000},
        {REVOCATION_API_KEY, "ci",     0   },
        {REVOCATION_SUBJECT, "alice",  3000},
        {REVOCATION_TOKEN,   "alice",  0   },
        {REVOCATION_SUBJECT, "wrk:w1", 500 },
};

static const struct {
	enum auth_method method;
	const char *subject, *token_id;
	int64_t issued_at_s;
	bool hit;
} callers[] = {
        {AUTH_METHOD_JWT,      "bob",    NULL,    999,  true }, /* before, without jti */
        {AUTH_METHOD_JWT,      "bob",    NULL,    1000, true }, /* in that second */
        {AUTH_METHOD_JWT,      "bob",    NULL,    1001, false},
        {AUTH_METHOD_JWT,      "bob",    NULL,    0,    true }, /* unknown when */
        {AUTH_METHOD_JWT,      "alice",  "x",     2500, true }, /* the later moment counts */
        {AUTH_METHOD_JWT,      "alice",  "x",     3001, false},
        {AUTH_METHOD_JWT,      "carol",  "t-1",   9999, true },
        {AUTH_METHOD_JWT,      "carol",  "t-2",   9999, false},
        {AUTH_METHOD_JWT,      "carol",  "alice", 9999, true },
        {AUTH_METHOD_JWT,      "ci",     "ci",    1,    false}, /* an API key's id is no jti */
        {AUTH_METHOD_JWT,      "bo",     NULL,    1,    false},
        {AUTH_METHOD_JWT,      "bobb",   NULL,    1,    false},
        {AUTH_METHOD_API_KEY,  "key:ci", "ci",    0,    true },
        {AUTH_METHOD_API_KEY,  "key:xx", "t-1",   0,    false},
        {AUTH_METHOD_SYSTEM,   "wrk:w1", NULL,    500,  true },
        {AUTH_METHOD_SYSTEM,   "wrk:w1", NULL,    501,  false},
        {AUTH_METHOD_SESSION,  "w1",     "t-1",   500,  true }, /* as wrk:w1 */
        {AUTH_METHOD_SESSION,  "w1",     NULL,    501,  false},
        {AUTH_METHOD_SESSION,  "w1",     NULL,    0,    true },
        {AUTH_METHOD_SESSION,  "bob",    NULL,    1,    false}, /* that worker is wrk:bob */
        {AUTH_METHOD_SESSION,  "w2",     "t-1",   1,    false}, /* a session's id is no jti */
        {AUTH_METHOD_DISABLED, "bob",    NULL,    1,    false},
};

START_TEST(who_is_revoked_and_who_is_not)
{
	AUTO(revocations) struct revocations *r = set_of(some, COUNT(some));
	char owner[32];
	const struct security_context who = {.method = callers[_i].method,
	        .subject = callers[_i].subject,
	        .owner = owner,
	        .token_id = callers[_i].token_id,
	        .issued_at_s = callers[_i].issued_at_s};

	(void)snprintf(owner, sizeof(owner), "wrk:%s", callers[_i].subject);
	ck_assert_int_eq(revocations_hit(r, &who), callers[_i].hit);
	ck_assert(!revocations_hit(NULL, &who));
}
END_TEST

START_TEST(an_empty_set_revokes_nobody)
{
	AUTO(revocations) struct revocations *r = set_of(NULL, 0);
	const struct security_context who = {.method = AUTH_METHOD_JWT, .subject = "bob"};

	ck_assert(!revocations_hit(r, &who));
}
END_TEST

START_TEST(a_revocation_of_nothing_is_refused)
{
	static const struct revocation bad[] = {
	        {REVOCATION_NONE,    "x",  0},
	        {REVOCATION__COUNT,  "x",  0},
	        {REVOCATION_TOKEN,   "",   0},
	        {REVOCATION_SUBJECT, NULL, 0},
	};
	char id[REVOCATION_ID_MAX + 2];
	struct revocation longest = {REVOCATION_TOKEN, id, 0};
	struct revocations *r = NULL;
	struct err e = {0};

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert(!revocations_new(&bad[i], 1, &r, &e));
	memset(id, 'x', sizeof(id));
	id[REVOCATION_ID_MAX + 1] = '\0';
	ck_assert(!revocations_new(&longest, 1, &r, &e));
	id[REVOCATION_ID_MAX] = '\0';
	r = set_of(&longest, 1);
	revocations_free(r);
	revocations_free(NULL);
}
END_TEST

START_TEST(the_most_revocations_there_may_be)
{
	struct revocation *all = calloc(REVOCATIONS_MAX + 1, sizeof(*all));
	char(*ids)[16] = calloc(REVOCATIONS_MAX + 1, sizeof(*ids));
	struct revocations *r = NULL;
	struct err e = {0};
	struct security_context who = {.method = AUTH_METHOD_JWT, .subject = "x"};

	ck_assert(all != NULL && ids != NULL);
	for (int i = 0; i <= REVOCATIONS_MAX; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "%d", i * 7919 % 100003);
		all[i] = (struct revocation){REVOCATION_TOKEN, ids[i], 0};
	}
	ck_assert(!revocations_new(all, REVOCATIONS_MAX + 1, &r, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	r = set_of(all, REVOCATIONS_MAX);
	for (int i = 0; i <= REVOCATIONS_MAX; i++) {
		who.token_id = ids[i];
		ck_assert_int_eq(revocations_hit(r, &who), i < REVOCATIONS_MAX);
	}
	revocations_free(r);
	free(all);
	free(ids);
}
END_TEST

START_TEST(kinds_have_names)
{
	for (int k = 1; k < REVOCATION__COUNT; k++)
		ck_assert_int_eq(
		        revocation_kind_named(revocation_kind_name((enum revocation_kind)k)), k);
	ck_assert_int_eq(revocation_kind_named("Token"), REVOCATION_NONE);
	ck_assert_int_eq(revocation_kind_named(""), REVOCATION_NONE);
}
END_TEST

START_TEST(a_set_is_made_whole_or_not_at_all)
{
	struct revocations *r = NULL;
	struct err e = {0};
	unsigned nth = 0;
	bool made = false;

	while (!made && nth < 10) {
		fault_allocation(++nth);
		made = revocations_new(some, COUNT(some), &r, &e);
		fault_allocation(0);
	}
	ck_assert_uint_eq(nth, 4);
	revocations_free(r);
}
END_TEST

/* ---- in force ---- */

static const char api_key[] = "tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static const char *const reads[] = {"tasks:read"};
static const struct api_key_settings keys[] = {
        {.key = api_key, .id = "ci", .permissions = reads, .permission_count = 1}
};

struct rig {
	struct security_live *live;
	struct authenticator *a;
	char *alice, *bob, *worker;
};

static void
open_rig(struct rig *r)
{
	struct security_settings settings = kit_settings();
	char *alice = token_user_claims("alice", "tasks:read", NOW_S);
	char *bob = token_user_claims("bob", "tasks:read", NOW_S);
	char *system = token_worker_claims("w1", "demo", NOW_S);

	settings.api_keys = keys;
	settings.api_key_count = COUNT(keys);
	r->live = kit_live(&settings);
	r->a = kit_authenticator(r->live);
	r->alice = token_make(TOKEN_KEY_RSA, "RS256", alice);
	r->bob = token_make(TOKEN_KEY_RSA, "RS256", bob);
	r->worker = token_make(TOKEN_KEY_ED25519, "EdDSA", system);
	free(alice);
	free(bob);
	free(system);
}

static void
close_rig(struct rig *r)
{
	authenticator_free(r->a);
	security_live_free(r->live);
	free(r->alice);
	free(r->bob);
	free(r->worker);
}

static void
revoke(struct rig *r, const struct revocation *all, size_t count)
{
	AUTO(revocations) struct revocations *set = set_of(all, count);
	struct err e = {0};

	ck_assert(security_live_revoke(r->live, set, &e));
}

static void
expect(struct rig *r, enum verdict alice, enum verdict bob, enum verdict worker, enum verdict key)
{
	ck_assert_int_eq(kit_bearer(r->a, r->alice, NOW_S, NULL), alice);
	ck_assert_int_eq(kit_bearer(r->a, r->bob, NOW_S, NULL), bob);
	ck_assert_int_eq(kit_bearer(r->a, r->worker, NOW_S, NULL), worker);
	ck_assert_int_eq(kit_present(r->a, NULL, api_key, NULL), key);
}

#define YES VERDICT_GRANT
#define NO VERDICT_DENY_REVOKED

/* Also what the cache knew; and what is taken back is believed again. */
START_TEST(a_revocation_ends_what_is_cached_with_the_next_request)
{
	static const struct revocation alice = {REVOCATION_SUBJECT, "alice", NOW_S};
	static const struct revocation worker = {REVOCATION_SUBJECT, "wrk:w1", NOW_S};
	static const struct revocation key = {REVOCATION_API_KEY, "ci", 0};
	struct rig r;
	struct err e = {0};

	open_rig(&r);
	expect(&r, YES, YES, YES, YES);
	revoke(&r, &alice, 1);
	expect(&r, NO, YES, YES, YES);
	revoke(&r, &worker, 1);
	expect(&r, YES, YES, NO, YES);
	revoke(&r, &key, 1);
	expect(&r, YES, YES, YES, NO);
	ck_assert(security_live_revoke(r.live, NULL, &e));
	expect(&r, YES, YES, YES, YES);
	close_rig(&r);
}
END_TEST

/* Others' cached tokens are judged anew, not verified anew. */
START_TEST(a_revocation_costs_others_no_verification)
{
	static const struct revocation alice = {REVOCATION_SUBJECT, "alice", NOW_S};
	struct rig r;
	uint64_t verified;

	open_rig(&r);
	expect(&r, YES, YES, YES, YES);
	verified = authenticator_stats(r.a).verified;
	revoke(&r, &alice, 1);
	ck_assert_int_eq(kit_bearer(r.a, r.bob, NOW_S, NULL), YES);
	ck_assert_int_eq(kit_bearer(r.a, r.worker, NOW_S, NULL), YES);
	ck_assert_uint_eq(authenticator_stats(r.a).verified, verified);
	close_rig(&r);
}
END_TEST

START_TEST(a_reload_forgets_no_revocation)
{
	static const struct revocation alice = {REVOCATION_SUBJECT, "alice", NOW_S};
	struct security_settings settings = kit_settings();
	struct rig r;
	struct err e = {0};

	open_rig(&r);
	revoke(&r, &alice, 1);
	ck_assert(security_live_replace(r.live, kit_service(&settings), &e));
	expect(&r, NO, YES, YES, VERDICT_DENY_API_KEY);
	close_rig(&r);
}
END_TEST

Suite *
revocations_suite(void)
{
	Suite *s = suite_create("revocations");
	TCase *tc = tcase_create("set");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_add_loop_test(tc, who_is_revoked_and_who_is_not, 0, (int)COUNT(callers));
	tcase_add_test(tc, an_empty_set_revokes_nobody);
	tcase_add_test(tc, a_revocation_of_nothing_is_refused);
	tcase_add_test(tc, the_most_revocations_there_may_be);
	tcase_add_test(tc, kinds_have_names);
	tcase_add_test(tc, a_set_is_made_whole_or_not_at_all);
	tcase_add_test(tc, a_revocation_ends_what_is_cached_with_the_next_request);
	tcase_add_test(tc, a_revocation_costs_others_no_verification);
	tcase_add_test(tc, a_reload_forgets_no_revocation);
	suite_add_tcase(s, tc);
	return s;
}

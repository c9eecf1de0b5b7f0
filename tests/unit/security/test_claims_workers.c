/* WI1: a worker's token is judged by rules of its own, and passes for no user's. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

enum { NOW = NOW_S, LEEWAY = 30, LIFETIME = 86400 };

static const struct claim_rules users = {.caller = CALLER_USER,
        .issuer = "tasker-core",
        .audience = "tasker-api",
        .permissions_claim = "permissions",
        .leeway_s = LEEWAY,
        .max_lifetime_s = LIFETIME,
        .strict_permissions = true};

static const struct claim_rules workers = {.caller = CALLER_SYSTEM,
        .issuer = "tasker-core",
        .audience = "tasker-internal",
        .permissions_claim = "permissions",
        .leeway_s = LEEWAY,
        .max_lifetime_s = LIFETIME,
        .strict_permissions = true};

static const char user_payload[] = "{\"iss\":\"tasker-core\",\"aud\":\"tasker-api\","
                                   "\"sub\":\"alice\",\"exp\":1800003600}";

static struct claims claims;

static enum verdict
check(const struct claim_rules *rules, const char *payload, int64_t now_s)
{
	return kit_claims(rules, payload, now_s, &claims);
}

/* Workers: another audience, subject, and list; permissions are nothing to them. */
static const struct worker {
	const char *sub, *rest;
	enum verdict verdict;
} worker_cases[] = {
        {"wrk:w1",      ",\"worker_namespaces\":[\"demo\"]",  VERDICT_GRANT       },
        {"wrk:A.b_c-9", "",                                   VERDICT_GRANT       },
        {"wrk:w1",      ",\"permissions\":7",                 VERDICT_GRANT       },
        {"wrk:",        "",                                   VERDICT_DENY_SUBJECT},
        {"w1",          "",                                   VERDICT_DENY_SUBJECT},
        {"alice",       "",                                   VERDICT_DENY_SUBJECT},
        {"svc:w1",      "",                                   VERDICT_DENY_SUBJECT},
        {"WRK:w1",      "",                                   VERDICT_DENY_SUBJECT},
        {"wrk:a b",     "",                                   VERDICT_DENY_SUBJECT},
        {"wrk:a/b",     "",                                   VERDICT_DENY_SUBJECT},
        {"wrk:a:b",     "",                                   VERDICT_DENY_SUBJECT},
        {"wrk:\\u00e4", "",                                   VERDICT_DENY_SUBJECT},
        {"wrk:w1",      ",\"worker_namespaces\":\"demo\"",    VERDICT_DENY_CLAIMS },
        {"wrk:w1",      ",\"worker_namespaces\":[7]",         VERDICT_DENY_CLAIMS },
        {"wrk:w1",      ",\"worker_namespaces\":[\"\"]",      VERDICT_DENY_CLAIMS },
        {"wrk:w1",      ",\"worker_namespaces\":[\"a\\nb\"]", VERDICT_DENY_CLAIMS },
        {"wrk:w1",      ",\"worker_namespaces\":null",        VERDICT_DENY_CLAIMS },
        {"wrk:w1",      ",\"worker_namespaces\":[]",          VERDICT_GRANT       },
};

static const char *
worker_payload(const char *sub, const char *rest)
{
	static char payload[16384];

	(void)snprintf(payload, sizeof(payload),
	        "{\"iss\":\"tasker-core\",\"aud\":\"tasker-internal\",\"sub\":\"%s\","
	        "\"iat\":1800000000,\"exp\":1800000900%s}",
	        sub, rest);
	return payload;
}

START_TEST(a_workers_token_is_judged_by_its_own_rules)
{
	const struct worker *w = &worker_cases[_i];

	ck_assert_int_eq(check(&workers, worker_payload(w->sub, w->rest), NOW), w->verdict);
	claims_clear(&claims);
}
END_TEST

START_TEST(a_worker_becomes_a_system_caller_with_namespaces_and_no_permission)
{
	const char *payload = worker_payload("wrk:w1",
	        ",\"worker_namespaces\":[\"demo\",\"mail\"],\"permissions\":[\"tasks:*\"]");

	ck_assert_int_eq(check(&workers, payload, NOW), VERDICT_GRANT);
	ck_assert_int_eq(claims.fields.caller, CALLER_SYSTEM);
	ck_assert_int_eq(claims.fields.method, AUTH_METHOD_SYSTEM);
	ck_assert_str_eq(claims.fields.subject, "wrk:w1");
	ck_assert_str_eq(claims.fields.owner, "wrk:w1");
	ck_assert_uint_eq(claims.fields.permissions.bits, 0);
	ck_assert_str_eq(claims.fields.namespaces[0], "demo");
	ck_assert_str_eq(claims.fields.namespaces[1], "mail");
	ck_assert_ptr_null(claims.fields.namespaces[2]);
	claims_clear(&claims);
}
END_TEST

START_TEST(workers_have_limits_too)
{
	char id[140] = "wrk:", list[1024] = ",\"worker_namespaces\":[\"a\"";

	memset(id + 4, 'w', 128);
	ck_assert_int_eq(check(&workers, worker_payload(id, ""), NOW), VERDICT_GRANT);
	id[132] = 'w';
	ck_assert_int_eq(check(&workers, worker_payload(id, ""), NOW), VERDICT_DENY_SUBJECT);
	for (int i = 1; i < 64; i++)
		(void)strncat(list, ",\"a\"", 8);
	(void)strncat(list, "]", 2);
	ck_assert_int_eq(check(&workers, worker_payload("wrk:w", list), NOW), VERDICT_GRANT);
	list[strlen(list) - 1] = '\0';
	(void)strncat(list, ",\"a\"]", 8);
	ck_assert_int_eq(check(&workers, worker_payload("wrk:w", list), NOW), VERDICT_DENY_CLAIMS);
	(void)snprintf(list, sizeof(list), ",\"worker_namespaces\":[\"%.128s\"]", id + 4);
	ck_assert_int_eq(check(&workers, worker_payload("wrk:w", list), NOW), VERDICT_GRANT);
	(void)snprintf(list, sizeof(list), ",\"worker_namespaces\":[\"%.129s\"]", id + 4);
	ck_assert_int_eq(check(&workers, worker_payload("wrk:w", list), NOW), VERDICT_DENY_CLAIMS);
	claims_clear(&claims);
}
END_TEST

/* A user's payload never passes as a worker's, nor the other way round. */
START_TEST(the_classes_do_not_mix)
{
	ck_assert_int_eq(check(&workers, user_payload, NOW), VERDICT_DENY_AUDIENCE);
	ck_assert_int_eq(check(&users, worker_payload("wrk:w1", ""), NOW), VERDICT_DENY_AUDIENCE);
	ck_assert_int_eq(
	        check(&users,
	                "{\"iss\":\"tasker-core\",\"aud\":[\"tasker-api\",\"tasker-internal\"],"
	                "\"sub\":\"wrk:w1\",\"exp\":1800000900}",
	                NOW),
	        VERDICT_DENY_SUBJECT);
	claims_clear(&claims);
}
END_TEST

Suite *
claims_workers_suite(void)
{
	Suite *s = suite_create("claims_workers");
	TCase *tc = tcase_create("workers");

	tcase_add_loop_test(tc, a_workers_token_is_judged_by_its_own_rules, 0, COUNT(worker_cases));
	tcase_add_test(tc, a_worker_becomes_a_system_caller_with_namespaces_and_no_permission);
	tcase_add_test(tc, workers_have_limits_too);
	tcase_add_test(tc, the_classes_do_not_mix);
	suite_add_tcase(s, tc);
	return s;
}

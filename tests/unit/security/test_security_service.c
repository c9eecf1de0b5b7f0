/* What a configuration can get wrong before the first request (JT23, JK13, AK9, CR8). */
#include "shared/security/security_service.h"

#include <stdlib.h>
#include <string.h>

#include "shared/security/jwt_authenticator.h"
#include "shared/security/signature.h"
#include "shared/security/token_cache.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static bool
starts(const struct security_settings *settings, struct security_report *report, struct err *e)
{
	struct security_service *service = NULL;
	bool started = security_service_new(settings, &service, report, e);

	ck_assert_int_eq(service != NULL, started);
	security_service_free(service);
	return started;
}

static void
assert_refused(const struct security_settings *settings, enum err_code code, const char *says)
{
	struct err e = {0};

	ck_assert(!starts(settings, NULL, &e));
	ck_assert_msg(e.code == code, "%d: %s", (int)e.code, e.text);
	ck_assert_msg(strstr(e.text, says) != NULL, "%s", e.text);
	ck_assert_ptr_null(strstr(e.text, "BEGIN"));
}

START_TEST(good_settings_start)
{
	struct security_settings settings = kit_settings();
	struct security_report report = {0};
	struct err e = {0};

	ck_assert_msg(starts(&settings, &report, &e), "%s", e.text);
	ck_assert_uint_eq(report.count, 0);
}
END_TEST

START_TEST(what_is_not_said_has_taskers_defaults)
{
	struct security_settings settings = kit_settings();
	struct security_service *service;
	const struct claim_rules *users, *workers;

	settings.users.algorithm_count = 0; /* RS256 */
	service = kit_service(&settings);
	users = trust_rules(security_service_users(service));
	workers = trust_rules(security_service_workers(service));
	ck_assert(security_service_enabled(service));
	ck_assert_str_eq(users->issuer, "tasker-core");
	ck_assert_str_eq(users->audience, "tasker-api");
	ck_assert_str_eq(workers->audience, "tasker-internal");
	ck_assert_str_eq(users->permissions_claim, "permissions");
	ck_assert_ptr_null(users->tenant_claim);
	ck_assert_int_eq(users->max_lifetime_s, 86400);
	ck_assert_int_eq(users->caller, CALLER_USER);
	ck_assert_int_eq(workers->caller, CALLER_SYSTEM);
	security_service_free(service);
}
END_TEST

START_TEST(settings_are_copied)
{
	struct security_settings settings = kit_settings();
	struct security_service *service;
	char issuer[] = "https://issuer.example", tenant[] = "org";

	settings.users.issuer = issuer;
	settings.users.tenant_claim = tenant;
	service = kit_service(&settings);
	memset(issuer, 'x', strlen(issuer));
	memset(tenant, 'x', strlen(tenant));
	ck_assert_str_eq(trust_rules(security_service_users(service))->tenant_claim, "org");
	ck_assert_str_eq(
	        trust_rules(security_service_users(service))->issuer, "https://issuer.example");
	security_service_free(service);
}
END_TEST

START_TEST(jt23_a_private_key_in_the_place_of_a_public_one_is_refused)
{
	struct security_settings settings = kit_settings();
	char *pem = token_key_pem_private(TOKEN_KEY_RSA);

	settings.users.public_key_pem = pem;
	assert_refused(&settings, ERR_CRYPTO, "tokens of users");
	settings = kit_settings();
	settings.workers.public_key_pem = pem;
	assert_refused(&settings, ERR_CRYPTO, "tokens of workers");
	free(pem);
}
END_TEST

START_TEST(jt23_a_file_that_cannot_be_read_is_named)
{
	struct security_settings settings = kit_settings();

	settings.users.public_key_path = "/nonexistent/jwt.pem"; /* wins over the inline one */
	assert_refused(&settings, ERR_MISSING, "/nonexistent/jwt.pem");
}
END_TEST

static const char *const unknown[] = {"RS256", "HS256"}, *const two[] = {"RS256", "PS256"},
                         *const other[] = {"ES256"};

START_TEST(jt1_an_algorithm_list_that_leaves_no_single_one_is_refused)
{
	struct security_settings settings = kit_settings();

	settings.users.algorithms = unknown;
	settings.users.algorithm_count = 2;
	assert_refused(&settings, ERR_FORMAT, "HS256");
	settings.users.algorithms = two;
	assert_refused(&settings, ERR_CRYPTO, "only one of them");
	settings.users.algorithms = other;
	settings.users.algorithm_count = 1;
	assert_refused(&settings, ERR_CRYPTO, "no allowed algorithm");
}
END_TEST

START_TEST(limits_of_leeway_and_lifetime)
{
	static const struct {
		int64_t leeway_s, lifetime_s;
		bool starts;
	} cases[] = {
	        {0,  0,              true },
                {60, 720 * 3600,     true },
                {61, 0,              false},
                {-1, 0,              false},
	        {0,  720 * 3600 + 1, false},
                {0,  -1,             false},
                {0,  1,              true }
        };
	struct security_settings settings = kit_settings();

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = {0};

		settings.users.leeway_s = cases[i].leeway_s;
		settings.users.max_lifetime_s = cases[i].lifetime_s;
		ck_assert_int_eq(starts(&settings, NULL, &e), cases[i].starts);
	}
}
END_TEST

/* WI1: never the users' key, in whatever format, and never their audience. */
START_TEST(wi1_workers_need_a_key_and_an_audience_of_their_own)
{
	struct security_settings settings = kit_settings();
	char *pkcs1 = token_key_pem_pkcs1(TOKEN_KEY_RSA);

	settings.workers.public_key_pem = pkcs1;
	settings.workers.algorithms = settings.users.algorithms;
	assert_refused(&settings, ERR_CONFLICT, "key of their own");
	settings = kit_settings();
	settings.workers.audience = "tasker-api";
	assert_refused(&settings, ERR_CONFLICT, "audience of their own");
	free(pkcs1);
}
END_TEST

START_TEST(what_is_missing_is_reported)
{
	struct security_settings settings = {.enabled = true, .has_workers = true};
	struct security_report report = {0};
	struct err e = {0};

	ck_assert(starts(&settings, &report, &e));
	ck_assert_uint_eq(report.count, 2);
	ck_assert_ptr_nonnull(strstr(report.warnings[0], "everybody is refused"));
	ck_assert_ptr_nonnull(strstr(report.warnings[1], "workers"));
}
END_TEST

START_TEST(ak9_a_wrong_api_key_entry_refuses_the_start)
{
	static const char *const star[] = {"*"};
	struct api_key_settings key = {.key = "tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
	        .id = "ci",
	        .permissions = star,
	        .permission_count = 1};
	struct security_settings settings = kit_settings();

	settings.api_keys = &key;
	settings.api_key_count = 1;
	assert_refused(&settings, ERR_FORMAT, "api_keys[0]");
}
END_TEST

/* CR8: authentication that is off reads no key, so it starts without any. */
START_TEST(cr8_switched_off_it_starts_whatever_else_is_wrong)
{
	struct security_settings settings = kit_settings();
	struct err e = {0};

	settings.enabled = false;
	settings.users.public_key_path = "/nonexistent";
	ck_assert(starts(&settings, NULL, &e));
}
END_TEST

START_TEST(without_a_key_there_is_nobody_to_trust)
{
	struct token_settings none = {.public_key_pem = ""};
	struct trust *trust = NULL;
	struct err e = {0};

	ck_assert(!trust_is_configured(&none));
	ck_assert(!trust_new(&none, CALLER_USER, &trust, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	ck_assert_ptr_null(trust);
}
END_TEST

START_TEST(every_free_takes_null)
{
	security_service_free(NULL);
	trust_free(NULL);
	api_key_registry_free(NULL);
	key_set_free(NULL);
	key_free(NULL);
	digest_free(NULL);
	jws_verifier_free(NULL);
	signature_checker_free(NULL);
	jwt_authenticator_free(NULL);
	token_cache_free(NULL);
	security_context_unref(NULL);
	authenticator_free(NULL);
}
END_TEST

Suite *
security_service_suite(void)
{
	Suite *s = suite_create("security_service");
	TCase *tc = tcase_create("start");

	token_maker_prepare();
	tcase_add_test(tc, good_settings_start);
	tcase_add_test(tc, what_is_not_said_has_taskers_defaults);
	tcase_add_test(tc, settings_are_copied);
	tcase_add_test(tc, jt23_a_private_key_in_the_place_of_a_public_one_is_refused);
	tcase_add_test(tc, jt23_a_file_that_cannot_be_read_is_named);
	tcase_add_test(tc, jt1_an_algorithm_list_that_leaves_no_single_one_is_refused);
	tcase_add_test(tc, limits_of_leeway_and_lifetime);
	tcase_add_test(tc, wi1_workers_need_a_key_and_an_audience_of_their_own);
	tcase_add_test(tc, what_is_missing_is_reported);
	tcase_add_test(tc, ak9_a_wrong_api_key_entry_refuses_the_start);
	tcase_add_test(tc, cr8_switched_off_it_starts_whatever_else_is_wrong);
	tcase_add_test(tc, without_a_key_there_is_nobody_to_trust);
	tcase_add_test(tc, every_free_takes_null);
	suite_add_tcase(s, tc);
	return s;
}

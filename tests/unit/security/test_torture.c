/*
 * CR9: every single allocation fails once, ours and OpenSSL's, while a service is built and while
 * credentials are checked. Refusing or failing is right; granting what is not good, crashing, or
 * leaving memory behind (the sanitizer run sees that) is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/authenticator.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/security/openssl_fault.h"
#include "tests/unit/unit.h"

enum { NTH_MAX = 300 };

static const char api_key[] = "tk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static const char *const reads[] = {"tasks:read"};
static const struct api_key_settings keys[] = {
        {.key = api_key, .id = "ci", .permissions = reads, .permission_count = 1}
};

static struct security_settings
settings(void)
{
	struct security_settings s = kit_settings();

	s.api_keys = keys;
	s.api_key_count = 1;
	return s;
}

static struct security_settings torture_settings;

static bool
build(struct err *e)
{
	AUTO(security_service) struct security_service *service = NULL;
	AUTO(security_live) struct security_live *live = NULL;
	AUTO(authenticator) struct authenticator *a = NULL;

	if (!security_service_new(&torture_settings, &service, NULL, e) ||
	        !security_live_new(service, &live, e))
		return false;
	(void)TAKE(service);
	return authenticator_new(live, 8, NULL, NULL, &a, e);
}

/* With a P-256 key for users: checking an RSA modulus a few thousand times takes a while. */
START_TEST(cr9_a_service_is_built_whole_or_not_at_all)
{
	static const char *const algorithms[] = {"ES256"};
	char *pem = token_key_pem(TOKEN_KEY_P256);

	torture_settings = settings();
	torture_settings.users.public_key_pem = pem;
	torture_settings.users.algorithms = algorithms;
	ck_assert_uint_gt(kit_torture(build), 25);
	free(pem);
}
END_TEST

struct attempt {
	enum token_key key;
	const char *alg;
	bool worker, spoiled;
};

/* One algorithm of each kind of key, good and with a bit of the signature flipped. */
static const struct attempt attempts[] = {
        {TOKEN_KEY_RSA,     "RS256", false, false},
        {TOKEN_KEY_RSA,     "RS256", false, true },
        {TOKEN_KEY_RSA,     "PS256", false, false},
        {TOKEN_KEY_RSA,     "PS256", false, true },
        {TOKEN_KEY_P256,    "ES256", false, false},
        {TOKEN_KEY_P256,    "ES256", false, true },
        {TOKEN_KEY_ED25519, "EdDSA", true,  false},
        {TOKEN_KEY_ED25519, "EdDSA", true,  true }
};

static char *
token_for(const struct attempt *t)
{
	char *claims = t->worker ? token_worker_claims("w1", "demo", NOW_S)
	                         : token_user_claims("alice", "tasks:read", NOW_S);
	char *token = token_make(t->key, t->alg, claims);

	if (t->spoiled)
		token_spoil(token);
	free(claims);
	return token;
}

static struct security_live *
live_for(const struct attempt *t, char *pem)
{
	static const char *algorithms[1];
	struct security_settings s = settings();

	algorithms[0] = t->alg;
	if (!t->worker) {
		s.users.public_key_pem = pem;
		s.users.algorithms = algorithms;
	}
	return kit_live(&s);
}

/* Check itself allocates, so nothing is asserted while an allocation is to fail. */
static enum verdict
check_failing(
        struct authenticator *a, const struct credentials *c, void (*fault)(unsigned), unsigned nth)
{
	struct authentication result = {0};
	enum auth_progress progress;

	fault(nth);
	progress = authenticator_check(a, c, NOW_S, &result, NULL, NULL);
	fault(0);
	ck_assert_int_eq(progress, AUTH_READY);
	ck_assert_int_eq(result.context != NULL, result.verdict == VERDICT_GRANT);
	security_context_unref(result.context);
	return result.verdict;
}

/* Fails each of the first NTH_MAX allocations of a check, which is more than it makes. */
static void
torture(struct authenticator *a, const char *token, bool good, void (*fault)(unsigned))
{
	char value[2048];
	struct credentials c = {.authorization = value};
	enum verdict v = VERDICT_DENY_UNDECIDED;
	unsigned refused = 0;

	c.authorization_len = (size_t)snprintf(value, sizeof(value), "Bearer %s", token);
	for (unsigned nth = 1; nth <= NTH_MAX; nth++) {
		v = check_failing(a, &c, fault, nth);
		ck_assert(good || v != VERDICT_GRANT);
		ck_assert(
		        v == VERDICT_GRANT || verdict_status(v) == 401 || verdict_status(v) == 503);
		refused += v != VERDICT_GRANT;
	}
	ck_assert_int_eq(v, good ? VERDICT_GRANT : VERDICT_DENY_SIGNATURE);
	ck_assert_uint_gt(refused, 0);
	ck_assert(!good || refused < NTH_MAX);
}

START_TEST(cr9_no_failed_allocation_turns_a_no_into_a_yes)
{
	const struct attempt *t = &attempts[_i];
	char *token = token_for(t), *pem = token_key_pem(t->key);
	struct security_live *live = live_for(t, pem);
	AUTO(authenticator) struct authenticator *a = NULL;
	struct err e = {0};

	ck_assert(authenticator_new(live, 0, NULL, NULL, &a, &e)); /* no cache: each is whole */
	torture(a, token, !t->spoiled, fault_allocation);
	torture(a, token, !t->spoiled, openssl_fault);
	authenticator_free(TAKE(a));
	security_live_free(live);
	free(token);
	free(pem);
}
END_TEST

START_TEST(cr9_a_wrong_api_key_stays_wrong_without_memory)
{
	struct security_settings s = settings();
	struct security_live *live = kit_live(&s);
	struct authenticator *a = kit_authenticator(live);
	struct credentials c = {.api_key = "tk_wrongwrongwrongwrongwrongwrong", .api_key_len = 33};

	for (unsigned nth = 1; nth < 20; nth++)
		ck_assert_int_eq(check_failing(a, &c, fault_allocation, nth), VERDICT_DENY_API_KEY);
	authenticator_free(a);
	security_live_free(live);
}
END_TEST

/* JT3: what is not linked cannot be confused. Run where the build left its objects. */
START_TEST(jt3_there_is_no_hmac_in_the_security_folder)
{
	FILE *names = popen("grep -lE 'HMAC|EVP_MAC|EVP_PKEY_new_mac' shared/security/*.c", "re");
	char line[256];

	ck_assert_ptr_nonnull(names);
	ck_assert_ptr_null(fgets(line, sizeof(line), names));
	(void)pclose(names);
}
END_TEST

Suite *
torture_suite(void)
{
	Suite *s = suite_create("torture");
	TCase *tc = tcase_create("memory");

	token_maker_prepare();
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, cr9_a_service_is_built_whole_or_not_at_all);
	tcase_add_loop_test(tc, cr9_no_failed_allocation_turns_a_no_into_a_yes, 0, COUNT(attempts));
	tcase_add_test(tc, cr9_a_wrong_api_key_stays_wrong_without_memory);
	tcase_add_test(tc, jt3_there_is_no_hmac_in_the_security_folder);
	suite_add_tcase(s, tc);
	return s;
}

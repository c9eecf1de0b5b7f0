/* Several configured keys, so that a rotation overlaps (JK14, JT23), and every algorithm in one. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const char *const every_algorithm[] = {
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};
static const char *const rs256[] = {"RS256"};

static struct token_settings
users(const struct public_key_settings *keys, size_t count)
{
	return (struct token_settings){.public_keys = keys,
	        .public_key_count = count,
	        .algorithms = rs256,
	        .algorithm_count = 1};
}

/* The verdict on a token with this header under the settings' keys. */
static enum verdict
check(const struct token_settings *settings, enum token_key key, const char *alg,
        const char *header)
{
	const struct token_signing how = {.alg = alg};
	char *token = token_make_signed(key, &how, header, "{}");
	AUTO(trust) struct trust *trust = NULL;
	struct err e = {0};
	enum verdict v;

	ck_assert_msg(trust_new(settings, CALLER_USER, &trust, &e), "%s", e.text);
	v = kit_jws(trust_keys(trust), token, strlen(token));
	free(token);
	return v;
}

static const struct {
	enum token_key key;
	const char *header;
	enum verdict verdict;
} overlap[] = {
        {TOKEN_KEY_RSA,       "{\"alg\":\"RS256\",\"kid\":\"2026\"}",  VERDICT_GRANT           },
        {TOKEN_KEY_RSA_OTHER, "{\"alg\":\"RS256\",\"kid\":\"2027\"}",  VERDICT_GRANT           },
        {TOKEN_KEY_RSA,       "{\"alg\":\"RS256\",\"kid\":\"2027\"}",  VERDICT_DENY_SIGNATURE  },
        {TOKEN_KEY_RSA,       "{\"alg\":\"RS256\",\"kid\":\"2028\"}",  VERDICT_DENY_UNKNOWN_KEY},
        {TOKEN_KEY_RSA,       "{\"alg\":\"RS256\",\"kid\":\"2026 \"}", VERDICT_DENY_UNKNOWN_KEY},
        {TOKEN_KEY_RSA,       "{\"alg\":\"RS256\"}",                   VERDICT_DENY_UNKNOWN_KEY},
        {TOKEN_KEY_RSA_OTHER, "{\"alg\":\"RS256\"}",                   VERDICT_DENY_UNKNOWN_KEY},
};

START_TEST(jk14_a_kid_picks_the_key_and_without_one_two_keys_are_no_key)
{
	char *old = token_key_pem(TOKEN_KEY_RSA), *next = token_key_pem(TOKEN_KEY_RSA_OTHER);
	const struct public_key_settings keys[] = {
	        {.kid = "2026", .pem = old },
                {.kid = "2027", .pem = next}
        };
	struct token_settings settings = users(keys, COUNT(keys));

	ck_assert_int_eq(check(&settings, overlap[_i].key, "RS256", overlap[_i].header),
	        overlap[_i].verdict);
	free(old);
	free(next);
}
END_TEST

START_TEST(jk14_without_a_kid_the_only_key_of_the_algorithm_counts)
{
	static const char *const two[] = {"RS256", "ES256"};
	char *rsa = token_key_pem(TOKEN_KEY_RSA), *ec = token_key_pem(TOKEN_KEY_P256);
	const struct public_key_settings keys[] = {
	        {.kid = "r", .pem = rsa},
                {.kid = "e", .pem = ec }
        };
	struct token_settings settings = users(keys, 1);

	ck_assert_int_eq(
	        check(&settings, TOKEN_KEY_RSA, "RS256", "{\"alg\":\"RS256\"}"), VERDICT_GRANT);
	settings.public_key_count = 2;
	settings.algorithms = two;
	settings.algorithm_count = 2;
	ck_assert_int_eq(
	        check(&settings, TOKEN_KEY_RSA, "RS256", "{\"alg\":\"RS256\"}"), VERDICT_GRANT);
	ck_assert_int_eq(
	        check(&settings, TOKEN_KEY_P256, "ES256", "{\"alg\":\"ES256\"}"), VERDICT_GRANT);
	ck_assert_int_eq(
	        check(&settings, TOKEN_KEY_P256, "ES256", "{\"alg\":\"ES256\",\"kid\":\"r\"}"),
	        VERDICT_DENY_ALGORITHM);
	free(rsa);
	free(ec);
}
END_TEST

/* The key of jwt_public_key(_path) is one more, without a kid. */
START_TEST(jk14_the_lone_key_stays_beside_the_others)
{
	static const char *const two[] = {"RS256", "ES256"};
	char *rsa = token_key_pem(TOKEN_KEY_RSA), *ec = token_key_pem(TOKEN_KEY_P256);
	const struct public_key_settings keys[] = {
	        {.kid = "e", .pem = ec}
        };
	struct token_settings settings = users(keys, 1);

	settings.public_key_pem = rsa;
	settings.algorithms = two;
	settings.algorithm_count = 2;
	ck_assert_int_eq(
	        check(&settings, TOKEN_KEY_RSA, "RS256", "{\"alg\":\"RS256\"}"), VERDICT_GRANT);
	ck_assert_int_eq(
	        check(&settings, TOKEN_KEY_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"any\"}"),
	        VERDICT_DENY_UNKNOWN_KEY);
	ck_assert_int_eq(
	        check(&settings, TOKEN_KEY_P256, "ES256", "{\"alg\":\"ES256\",\"kid\":\"e\"}"),
	        VERDICT_GRANT);
	free(rsa);
	free(ec);
}
END_TEST

static enum token_key
key_for(const char *alg)
{
	if (strncmp(alg, "ES", 2) == 0)
		return alg[2] == '2'   ? TOKEN_KEY_P256
		       : alg[2] == '3' ? TOKEN_KEY_P384
		                       : TOKEN_KEY_P521;
	return alg[0] == 'E' ? TOKEN_KEY_ED25519 : TOKEN_KEY_RSA;
}

/* With everything allowed a key's own algorithm decides, and no token may choose another. */
START_TEST(every_algorithm_works_with_a_configured_key)
{
	const char *alg = every_algorithm[_i];
	char *pem = token_key_pem(key_for(alg));
	const struct public_key_settings key = {.kid = "k", .pem = pem, .algorithm = alg};
	struct token_settings settings = users(&key, 1);
	AUTO(trust) struct trust *trust = NULL;
	struct err e = {0};

	settings.algorithms = every_algorithm;
	settings.algorithm_count = COUNT(every_algorithm);
	ck_assert_msg(trust_new(&settings, CALLER_USER, &trust, &e), "%s", e.text);
	for (size_t i = 0; i < COUNT(every_algorithm); i++) {
		const char *used = every_algorithm[i];
		char *token = token_make(key_for(used), used, "{}");
		enum verdict v = kit_jws(trust_keys(trust), token, strlen(token));

		ck_assert_msg((v == VERDICT_GRANT) == (strcmp(used, alg) == 0), "%s %s", alg, used);
		free(token);
	}
	free(pem);
}
END_TEST

/* JT23: each refusal names the key it is about. */
static const struct {
	struct public_key_settings key; /* pem "RSA" or "EC" stands for such a key's */
	size_t algorithms;              /* of every_algorithm, from the first */
	const char *says;
} bad[] = {
        {{.kid = "b", .pem = "RSA"},                         2,  "2 allowed algorithms fit the key; allow only"},
        {{.kid = "b", .pem = "EC"},                          1,  "no allowed algorithm fits the key"           },
        {{.kid = "b", .pem = "RSA", .algorithm = "PS256"},   1,
         "algorithm \"PS256\" is none of those allowed"                                                        },
        {{.kid = "b", .pem = "EC", .algorithm = "RS384"},    10, "no allowed algorithm fits the key"           },
        {{.kid = "b", .pem = "RSA", .algorithm = "HS256"},   10, "is none of those allowed"                    },
        {{.kid = "b", .pem = "RSA", .algorithm = "none"},    10, "is none of those allowed"                    },
        {{.kid = "a", .pem = "EC", .algorithm = "ES256"},    10, "two keys have one kid"                       },
        {{.kid = "b", .pem = "OTHER", .algorithm = "RS384"}, 10, "it is listed twice"                          },
        {{.kid = "b\n", .pem = "EC", .algorithm = "ES256"},  10, "printable ASCII"                             },
        {{.kid = "b"},                                       1,  "no public key is configured"                 },
        {{.kid = "b", .path = "/nonexistent.pem"},           1,  "/nonexistent.pem"                            },
        {{.kid = "b", .pem = "no PEM"},                      1,  "no PEM block in it"                          },
};

START_TEST(jt23_a_bad_key_among_several_refuses_the_start_by_name)
{
	char *other = token_key_pem(TOKEN_KEY_RSA_OTHER), *rsa = token_key_pem(TOKEN_KEY_RSA);
	char *ec = token_key_pem(TOKEN_KEY_P256);
	struct public_key_settings keys[] = {
	        {.kid = "a", .pem = other, .algorithm = "RS256"},
                bad[_i].key
        };
	struct token_settings settings = users(keys, 2);
	const char *pem = bad[_i].key.pem;
	struct trust *trust = NULL;
	struct err e = {0};

	if (pem != NULL && strcmp(pem, "RSA") == 0)
		keys[1].pem = rsa;
	else if (pem != NULL && strcmp(pem, "EC") == 0)
		keys[1].pem = ec;
	else if (pem != NULL && strcmp(pem, "OTHER") == 0)
		keys[1].pem = other;
	/* RS256 and RS384; else what the row says. */
	settings.algorithms = every_algorithm;
	settings.algorithm_count = bad[_i].algorithms;
	ck_assert(!trust_new(&settings, CALLER_USER, &trust, &e));
	ck_assert_ptr_null(trust);
	ck_assert_msg(strstr(e.text, bad[_i].says) != NULL, "%s", e.text);
	ck_assert_msg(strstr(e.text, "public_keys[1] (kid \"b") != NULL ||
	                      strcmp(bad[_i].key.kid, "a") == 0,
	        "%s", e.text);
	free(other);
	free(rsa);
	free(ec);
}
END_TEST

/* None of the users' keys may be a worker's, wherever in the lists they stand. */
START_TEST(no_key_of_a_list_is_shared_between_users_and_workers)
{
	static const char *const both[] = {"RS256", "ES256", "EdDSA"};
	char *ec = token_key_pem(TOKEN_KEY_P256);
	const struct public_key_settings keys[] = {
	        {.kid = "2027", .pem = ec}
        };
	struct security_settings settings = kit_settings();
	struct security_service *service = NULL;
	struct err e = {0};

	settings.users.public_keys = settings.workers.public_keys = keys;
	settings.users.public_key_count = settings.workers.public_key_count = 1;
	settings.users.algorithms = settings.workers.algorithms = both;
	settings.users.algorithm_count = settings.workers.algorithm_count = COUNT(both);
	ck_assert(!security_service_new(&settings, &service, NULL, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	ck_assert_ptr_null(service);
	free(ec);
}
END_TEST

/* Workers' tokens rotate the same way. */
START_TEST(two_keys_of_workers_count_at_once)
{
	static const char *const algorithms[] = {"EdDSA", "ES256"};
	char *ec = token_key_pem(TOKEN_KEY_P256), *ed = token_key_pem(TOKEN_KEY_ED25519);
	const struct public_key_settings keys[] = {
	        {.kid = "2026", .pem = ed},
                {.kid = "2027", .pem = ec}
        };
	struct security_settings settings = kit_settings();
	struct security_live *live;
	struct authenticator *a;
	char *payload = token_worker_claims("w1", "demo", NOW_S);

	settings.workers.public_key_pem = NULL;
	settings.workers.public_keys = keys;
	settings.workers.public_key_count = COUNT(keys);
	settings.workers.algorithms = algorithms;
	settings.workers.algorithm_count = COUNT(algorithms);
	live = kit_live(&settings);
	a = kit_authenticator(live);
	for (size_t i = 0; i < 2; i++) {
		const struct token_signing how = {.alg = algorithms[i]};
		char *token = token_make_signed(i == 0 ? TOKEN_KEY_ED25519 : TOKEN_KEY_P256, &how,
		        i == 0 ? "{\"alg\":\"EdDSA\",\"kid\":\"2026\"}"
		               : "{\"alg\":\"ES256\",\"kid\":\"2027\"}",
		        payload);

		ck_assert_int_eq(kit_bearer(a, token, NOW_S, NULL), VERDICT_GRANT);
		free(token);
	}
	authenticator_free(a);
	security_live_free(live);
	free(payload);
	free(ec);
	free(ed);
}
END_TEST

static const struct public_key_settings *torture_keys;

static bool
build(struct err *e)
{
	static const char *const algorithms[] = {"ES256", "EdDSA"};
	const struct permission_mapping row = {"ops", 3, "tasks:read"};
	const struct token_settings settings = {.public_keys = torture_keys,
	        .public_key_count = 2,
	        .algorithms = algorithms,
	        .algorithm_count = 2,
	        .permission_map = &row,
	        .permission_map_count = 1};
	AUTO(trust) struct trust *trust = NULL;
	AUTO(trust) struct trust *again = NULL;

	return trust_new(&settings, CALLER_USER, &trust, e) &&
	       trust_with_keys(trust, NULL, &again, e);
}

START_TEST(every_allocation_may_fail)
{
	char *ec = token_key_pem(TOKEN_KEY_P256), *ed = token_key_pem(TOKEN_KEY_ED25519);
	const struct public_key_settings keys[] = {
	        {.kid = "2026", .pem = ed},
                {.kid = "2027", .pem = ec}
        };

	torture_keys = keys;
	ck_assert_uint_gt(kit_torture(build), 10);
	free(ec);
	free(ed);
}
END_TEST

Suite *
static_keys_suite(void)
{
	Suite *s = suite_create("static_keys");
	TCase *tc = tcase_create("keys");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, jk14_a_kid_picks_the_key_and_without_one_two_keys_are_no_key, 0,
	        COUNT(overlap));
	tcase_add_test(tc, jk14_without_a_kid_the_only_key_of_the_algorithm_counts);
	tcase_add_test(tc, jk14_the_lone_key_stays_beside_the_others);
	tcase_add_loop_test(
	        tc, every_algorithm_works_with_a_configured_key, 0, COUNT(every_algorithm));
	tcase_add_loop_test(
	        tc, jt23_a_bad_key_among_several_refuses_the_start_by_name, 0, COUNT(bad));
	tcase_add_test(tc, no_key_of_a_list_is_shared_between_users_and_workers);
	tcase_add_test(tc, two_keys_of_workers_count_at_once);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

/*
 * Project Wycheproof's JWS and JWK-set cases (JK12, JT8, JT9, JT19, JT20): nothing invalid is
 * accepted, and what is valid but refused is refused by a policy that is written down here.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/jwk.h"
#include "shared/security/jws.h"
#include "tests/unit/security/vectors.h"
#include "tests/unit/unit.h"

enum { JWS_CASES = 401, JWK_CASES = 26 };

struct range {
	int first, last;
	const char *why;
};

/* Valid cases of json_web_signature_test.json that our policy refuses. */
static const struct range jws_policy[] = {
        {1,   1,   "HS256: no HMAC here (JT3)"                         },
        {259, 259, "an empty payload (JT8)"                            },
        {264, 264, "an empty payload (JT8)"                            },
        {268, 268, "an empty payload (JT8)"                            },
        {272, 272, "an empty payload (JT8)"                            },
        {320, 320, "an empty payload (JT8)"                            },
        {325, 325, "an empty payload (JT8)"                            },
        {346, 346, "PS384 under a key bound to PS256 (JT4)"            },
        {347, 347, "a key declares ES521, which is no algorithm's name"},
        {348, 348, "HS256: no HMAC here (JT3)"                         },
        {350, 350, "PS384 under a key bound to PS256 (JT4)"            },
        {351, 351, "a key declares ES521, which is no algorithm's name"},
        {352, 352, "HS256: no HMAC here (JT3)"                         },
        {357, 359, "HS256: no HMAC here (JT3)"                         },
        {372, 373, "HS256: no HMAC here (JT3)"                         },
        {376, 377, "HS256: no HMAC here (JT3)"                         },
};

/* The same of json_web_key_test.json. */
static const struct range jwk_policy[] = {
        {2,  2,  "a set of symmetric keys (JK12)"},
        {13, 15, "a set of symmetric keys (JK12)"},
};

struct score {
	int total, agree, refused, false_accepts, surprises;
};

static bool
listed(const struct range *policy, size_t count, int id)
{
	for (size_t i = 0; i < count; i++)
		if (id >= policy[i].first && id <= policy[i].last)
			return true;
	return false;
}

static bool
verifies(const struct cJSON *key, const char *token)
{
	char *text = cJSON_PrintUnformatted(key);
	AUTO(key_set) struct key_set *set = NULL;
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;
	const struct key *used = NULL;
	static struct jws jws;
	struct err e = {0};
	bool ok = jwk_set_import(text, strlen(text), algorithm_set_all(), &set, NULL, &e) &&
	          jws_verifier_new(set, &verifier, &e) &&
	          jws_open(&jws, token, strlen(token)) == VERDICT_GRANT &&
	          jws_check(verifier, &jws, &used) == VERDICT_GRANT;

	cJSON_free(text);
	return ok;
}

/* The group's public key as a set; a group of symmetric keys has only the secret one. */
static struct cJSON *
keys_of(const struct cJSON *group)
{
	const struct cJSON *key = cJSON_GetObjectItemCaseSensitive(group, "public");
	struct cJSON *set, *list;

	if (key == NULL)
		key = cJSON_GetObjectItemCaseSensitive(group, "private");
	if (cJSON_GetObjectItemCaseSensitive(key, "keys") != NULL)
		return cJSON_Duplicate(key, 1);
	set = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(set, "keys");
	cJSON_AddItemToArray(list, cJSON_Duplicate(key, 1));
	return set;
}

static void
count(struct score *score, const struct cJSON *test, bool accepted, bool by_policy)
{
	int id = cJSON_GetObjectItemCaseSensitive(test, "tcId")->valueint;
	bool valid =
	        strcmp(cJSON_GetObjectItemCaseSensitive(test, "result")->valuestring, "valid") == 0;

	score->total++;
	if (accepted == valid)
		score->agree++;
	else if (accepted)
		score->false_accepts++;
	else
		score->refused++;
	/* A listed case that is accepted, or an unlisted one that is refused, is a surprise. */
	if (valid && accepted == by_policy) {
		printf("  case %d: %s\n", id, accepted ? "accepted against the list" : "refused");
		score->surprises++;
	}
}

static struct score
run(const struct cJSON *doc, const struct range *policy, size_t policy_count)
{
	struct score score = {0};
	const struct cJSON *group, *test;

	cJSON_ArrayForEach(group, cJSON_GetObjectItemCaseSensitive(doc, "testGroups"))
	{
		struct cJSON *keys = keys_of(group);

		cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(group, "tests"))
		{
			int id = cJSON_GetObjectItemCaseSensitive(test, "tcId")->valueint;
			const struct cJSON *jws = cJSON_GetObjectItemCaseSensitive(test, "jws");

			count(&score, test, cJSON_IsString(jws) && verifies(keys, jws->valuestring),
			        listed(policy, policy_count, id));
		}
		cJSON_Delete(keys);
	}
	return score;
}

static void
judge(const char *what, const struct score *s, int expected)
{
	printf("wycheproof %s: %d/%d/%d/%d\n", what, s->total, s->agree, s->refused,
	        s->false_accepts);
	(void)fflush(stdout); /* Check ends the case without it */
	ck_assert_int_eq(s->false_accepts, 0);
	ck_assert_int_eq(s->surprises, 0);
	ck_assert_int_eq(s->total, expected);
}

START_TEST(jws_cases_without_a_false_accept)
{
	struct cJSON *doc = vectors_load("json_web_signature_test.json");
	struct score score;

	if (doc == NULL)
		return;
	score = run(doc, jws_policy, COUNT(jws_policy));
	cJSON_Delete(doc);
	judge("jws", &score, JWS_CASES);
}
END_TEST

START_TEST(jk12_jwk_set_cases_without_a_false_accept)
{
	struct cJSON *doc = vectors_load("json_web_key_test.json");
	struct score score;

	if (doc == NULL)
		return;
	score = run(doc, jwk_policy, COUNT(jwk_policy));
	cJSON_Delete(doc);
	judge("jwk", &score, JWK_CASES);
}
END_TEST

Suite *
wycheproof_suite(void)
{
	Suite *s = suite_create("wycheproof");
	TCase *tc = tcase_create("vectors");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, jws_cases_without_a_false_accept);
	tcase_add_test(tc, jk12_jwk_set_cases_without_a_false_accept);
	suite_add_tcase(s, tc);
	return s;
}

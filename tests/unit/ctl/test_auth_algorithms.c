/* Every algorithm from generate-keys to validate-token, named keys, claims of one's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/issuer.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

static struct rig r;

static void
begin(void)
{
	rig_folder_begin();
	ck_assert_int_eq(chdir(rig_path("")), 0);
}

static void
end(void)
{
	rig_end(&r);
	rig_folder_end();
}

/* The token that a run has printed, without its line break. */
static char *
token(void)
{
	ck_assert_msg(r.status == EXIT_STATUS_OK, "%s", r.err);
	return strndup(r.out, strcspn(r.out, "\n"));
}

static void
use_key(enum token_key which)
{
	char *private_pem = token_key_pem_private(which), *public_pem = token_key_pem(which);

	rig_write("k", private_pem);
	rig_write("p", public_pem);
	free(private_pem);
	free(public_pem);
}

static const char *const algorithms[] = {
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};

START_TEST(a_pair_for_any_algorithm_signs_and_checks)
{
	const char *alg = algorithms[_i];
	char *made;

	rig_run(&r, "auth", "generate-keys", "--algorithm", alg, NULL);
	ck_assert_msg(r.status == EXIT_STATUS_OK, "%s", r.err);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--algorithm", alg, "--kid",
	        "2027", NULL);
	made = token();
	rig_run(&r, "auth", "validate-token", "-t", made, "--algorithm", alg, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	made[strlen(made) / 2] ^= 1;
	rig_run(&r, "auth", "validate-token", "-t", made, "--algorithm", alg, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	free(made);
}
END_TEST

/* The key's type decides where nobody else does. */
static const struct {
	enum token_key key;
	const char *alg;
} usual[] = {
        {TOKEN_KEY_RSA,     "RS256"},
        {TOKEN_KEY_P256,    "ES256"},
        {TOKEN_KEY_P384,    "ES384"},
        {TOKEN_KEY_P521,    "ES512"},
        {TOKEN_KEY_ED25519, "EdDSA"},
};

START_TEST(a_key_signs_what_it_is_for)
{
	char *made;

	use_key(usual[_i].key);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--private-key", "k", NULL);
	made = token();
	rig_run(&r, "auth", "validate-token", "-t", made, "--public-key", "p", "--algorithm",
	        usual[_i].alg, NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_OK);
	free(made);
}
END_TEST

START_TEST(claims_are_json_or_text_and_read_where_they_are)
{
	char *made;

	use_key(TOKEN_KEY_ED25519);
	rig_run(&r, "auth", "generate-token", "--private-key", "k", "--claim",
	        "realm_access={\"roles\":[\"tasks:read\"]}", "--claim", "scope=dlq:read a b",
	        "--claim", "level=7", NULL);
	made = token();
	rig_run(&r, "auth", "validate-token", "-t", made, "--public-key", "p", "--algorithm",
	        "RS256,EdDSA", "--permissions-claim", "realm_access.roles", NULL);
	ck_assert_msg(r.status == EXIT_STATUS_OK, "%s%s", r.out, r.err);
	rig_has(r.out, "tasks:read");
	rig_run(&r, "--output", "json", "auth", "validate-token", "-t", made, "--public-key", "p",
	        "--algorithm", "EdDSA", "--permissions-claim", "scope", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO); /* a and b are no permissions */
	rig_has(r.out, "\"level\":7");
	rig_has(r.out, "\"scope\":\"dlq:read a b\"");
	free(made);
}
END_TEST

START_TEST(a_token_is_read_from_stdin_and_may_wait)
{
	char *made;

	use_key(TOKEN_KEY_P256);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--private-key", "k",
	        "--not-before", "3000", NULL);
	made = token();
	r.input = made;
	rig_run(&r, "auth", "validate-token", "-t", "-", "--public-key", "p", "--algorithm",
	        "ES256", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.out, "not valid yet");
	r.input = NULL;
	free(made);
}
END_TEST

static const char *const wrong[][3] = {
        {"--claim",      "noequals", "NAME=VALUE"             },
        {"--claim",      "=x",       "NAME=VALUE"             },
        {"--algorithm",  "HS256",    "no algorithm"           },
        {"--algorithm",  "none",     "no algorithm"           },
        {"--not-before", "86400",    "whole number"           },
        {"--not-before", "-1",       "whole number"           },
        {"--kid",        "",         "a kid has"              },
        {"--claim",      "sub=me",   "a duplicate member name"}, /* nobody could read it */
        {"--algorithm",  "PS256",    "does not fit PS256"     },
};

START_TEST(what_daemons_could_not_take_is_not_signed)
{
	use_key(TOKEN_KEY_P256);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--private-key", "k",
	        wrong[_i][0], wrong[_i][1], NULL);
	ck_assert_int_ne(r.status, EXIT_STATUS_OK);
	ck_assert_str_eq(r.out, "");
	rig_has(r.err, wrong[_i][2]);
}
END_TEST

START_TEST(an_issuers_keys_check_its_tokens)
{
	struct issuer *issuer = issuer_start();
	char *jwk = token_key_jwk(TOKEN_KEY_P256, "\"kid\":\"2027\",\"alg\":\"ES256\"");
	char set[2048], *made;

	ck_assert_ptr_nonnull(issuer);
	(void)snprintf(set, sizeof(set), "{\"keys\":[%s]}", jwk);
	issuer_say(issuer, ISSUER_GOOD, set, NULL);
	use_key(TOKEN_KEY_P256);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--private-key", "k", "--kid",
	        "2027", NULL);
	made = token();
	rig_run(&r, "auth", "validate-token", "-t", made, "--jwks-url", issuer_url(issuer),
	        "--algorithm", "ES256", NULL);
	ck_assert_msg(r.status == EXIT_STATUS_OK, "%s%s", r.out, r.err);
	free(made);
	rig_run(&r, "auth", "generate-token", "-p", "tasks:read", "--private-key", "k", "--kid",
	        "2028", NULL);
	made = token();
	rig_run(&r, "auth", "validate-token", "-t", made, "--jwks-url", issuer_url(issuer),
	        "--algorithm", "ES256", NULL);
	ck_assert_int_eq(r.status, EXIT_STATUS_NO);
	rig_has(r.out, "it names another key");
	issuer_say(issuer, ISSUER_ERROR, NULL, NULL);
	rig_run(&r, "auth", "validate-token", "-t", made, "--jwks-url", issuer_url(issuer),
	        "--algorithm", "ES256", NULL);
	ck_assert_int_ne(r.status, EXIT_STATUS_OK);
	rig_has(r.err, "the issuer answers 500");
	free(made);
	free(jwk);
	issuer_stop(issuer);
}
END_TEST

Suite *
auth_algorithms_suite(void)
{
	Suite *s = suite_create("auth_algorithms");
	TCase *tc = tcase_create("algorithms");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_pair_for_any_algorithm_signs_and_checks, 0, COUNT(algorithms));
	tcase_add_loop_test(tc, a_key_signs_what_it_is_for, 0, COUNT(usual));
	tcase_add_test(tc, claims_are_json_or_text_and_read_where_they_are);
	tcase_add_test(tc, a_token_is_read_from_stdin_and_may_wait);
	tcase_add_loop_test(tc, what_daemons_could_not_take_is_not_signed, 0, COUNT(wrong));
	tcase_add_test(tc, an_issuers_keys_check_its_tokens);
	suite_add_tcase(s, tc);
	return s;
}

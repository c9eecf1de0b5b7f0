#include "ctl/sign.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "shared/security/jws.h"
#include "shared/security/pem.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

enum { NOW = 1795000000 };

static struct secret *
private_key(enum token_key which)
{
	char *pem = token_key_pem_private(which);
	struct secret *s = NULL;
	struct err e = {0};

	ck_assert(secret_new(pem, strlen(pem), &s, &e));
	free(pem);
	return s;
}

static const struct sign_list none;
static const struct sign_list permissions = {
        .words = {"tasks:create", "tasks:re\"ad"},
          .count = 2
};

static struct sign_claims
claims(void)
{
	return (struct sign_claims){.subject = "me",
	        .issuer = "tasker-core",
	        .audience = "tasker-api",
	        .permissions = &permissions,
	        .namespaces = &none,
	        .issued_s = NOW,
	        .expires_s = NOW + 3600};
}

/* Does our own verifier take it with the public half of that key? */
static enum verdict
verify(const char *token, enum token_key which, struct jws *jws)
{
	AUTO(key) struct key *key = NULL;
	AUTO(key_set) struct key_set *keys = NULL;
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;
	const struct key_binding binding = {.allowed = {UINT32_C(1) << ALGORITHM_RS256}};
	const struct key *signer = NULL;
	char *pem = token_key_pem(which);
	struct err e = {0};
	enum verdict v;

	ck_assert(pem_import(pem, strlen(pem), &binding, &key, &e));
	free(pem);
	ck_assert(key_set_new(&keys, &e) && key_set_add(keys, key, &e));
	(void)TAKE(key);
	ck_assert(jws_verifier_new(keys, &verifier, &e));
	v = jws_open(jws, token, strlen(token));
	return v == VERDICT_GRANT ? jws_check(verifier, jws, &signer) : v;
}

START_TEST(our_verifier_takes_what_libjwt_signed)
{
	AUTO(secret) struct secret *key = private_key(TOKEN_KEY_RSA);
	AUTO(secret) struct secret *token = NULL;
	AUTO(json) struct json *doc = NULL;
	struct sign_claims c = claims();
	struct err e = {0};
	struct jws jws;
	const struct json_node *root;
	int64_t exp = 0;

	c.tenant = "acme";
	c.tenant_claim = "org";
	ck_assert_msg(sign_token(&c, key, &token, &e), "%s", e.text);
	ck_assert_int_eq(
	        verify((const char *)secret_bytes(token), TOKEN_KEY_RSA, &jws), VERDICT_GRANT);
	ck_assert_int_eq(jws.typ, JWS_TYP_JWT);
	ck_assert_int_eq(verify((const char *)secret_bytes(token), TOKEN_KEY_RSA_OTHER, &jws),
	        VERDICT_DENY_SIGNATURE);
	ck_assert(json_parse(
	        (const char *)jws.payload, jws.payload_len, &json_limits_default, &doc, &e));
	root = json_root(doc);
	ck_assert(json_string_is(doc, json_member(doc, root, "sub"), "me"));
	ck_assert(json_string_is(doc, json_member(doc, root, "org"), "acme"));
	ck_assert(json_int64(doc, json_member(doc, root, "exp"), &exp));
	ck_assert_int_eq(exp, NOW + 3600);
	ck_assert_uint_eq(json_count(json_member(doc, root, "permissions")), 2);
	ck_assert(json_string_is(doc,
	        json_next(doc, json_first(doc, json_member(doc, root, "permissions"))),
	        "tasks:re\"ad"));
	ck_assert_int_eq(json_kind(json_member(doc, root, "worker_namespaces")), JSON_ARRAY);
	ck_assert_uint_eq(json_count(json_member(doc, root, "worker_namespaces")), 0);
	ck_assert_int_eq(json_kind(json_member(doc, root, "jti")), JSON_STRING);
}
END_TEST

START_TEST(libjwt_takes_what_our_tests_sign)
{
	char *payload = token_user_claims("me", "tasks:read", NOW);
	char *token = token_make(TOKEN_KEY_RSA, "RS256", payload);
	char *pem = token_key_pem(TOKEN_KEY_RSA);
	jwt_t *jwt = NULL;

	ck_assert_int_eq(jwt_decode(&jwt, token, (const unsigned char *)pem, (int)strlen(pem)), 0);
	ck_assert_str_eq(jwt_get_grant(jwt, "sub"), "me");
	jwt_free(jwt);
	token[strlen(token) - 4] ^= 1;
	ck_assert_int_ne(jwt_decode(&jwt, token, (const unsigned char *)pem, (int)strlen(pem)), 0);
	free(payload);
	free(token);
	free(pem);
}
END_TEST

START_TEST(two_tokens_are_never_the_same)
{
	AUTO(secret) struct secret *key = private_key(TOKEN_KEY_RSA);
	AUTO(secret) struct secret *a = NULL;
	AUTO(secret) struct secret *b = NULL;
	struct sign_claims c = claims();
	struct err e = {0};

	ck_assert(sign_token(&c, key, &a, &e) && sign_token(&c, key, &b, &e));
	ck_assert_str_ne((const char *)secret_bytes(a), (const char *)secret_bytes(b));
}
END_TEST

START_TEST(a_key_does_not_sign_what_it_is_not_for)
{
	static const enum token_key others[] = {TOKEN_KEY_P256, TOKEN_KEY_ED25519, TOKEN_KEY_K1};
	struct sign_claims c = claims();

	c.algorithm = ALGORITHM_PS256;

	for (size_t i = 0; i < COUNT(others); i++) {
		AUTO(secret) struct secret *key = private_key(others[i]);
		struct secret *token = NULL;
		struct err e = {0};

		ck_assert(!sign_token(&c, key, &token, &e));
		ck_assert_int_eq(e.code, ERR_CRYPTO);
		ck_assert_ptr_null(token);
	}
}
END_TEST

/* JT9: daemons accept 8 KiB. */
START_TEST(a_token_that_daemons_find_too_long_is_not_handed_out)
{
	AUTO(secret) struct secret *key = private_key(TOKEN_KEY_RSA);
	static char subject[JWS_TOKEN_MAX];
	struct sign_claims c = claims();
	struct secret *token = NULL;
	struct err e = {0};

	memset(subject, 's', sizeof(subject) - 1);
	c.subject = subject;
	ck_assert(!sign_token(&c, key, &token, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

static const struct {
	const char *given;
	size_t count;
	const char *first, *last;
} lists[] = {
        {NULL,             0, NULL, NULL},
        {"",               0, NULL, NULL},
        {" , ,, ",         0, NULL, NULL},
        {"a",              1, "a",  "a" },
        {" a , b\n,,\tc ", 3, "a",  "c" },
};

START_TEST(a_list_is_trimmed_and_empty_words_are_left_out)
{
	struct sign_list list = {0};
	struct err e = {0};

	ck_assert(sign_list_split(lists[_i].given, &list, &e));
	ck_assert_uint_eq(list.count, lists[_i].count);
	if (list.count > 0) {
		ck_assert_str_eq(list.words[0], lists[_i].first);
		ck_assert_str_eq(list.words[list.count - 1], lists[_i].last);
	}
	sign_list_clear(&list);
}
END_TEST

START_TEST(a_list_has_a_limit)
{
	static char text[2 * (SIGN_LIST_MAX + 1) + 1];
	struct sign_list list = {0};
	struct err e = {0};

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 == 0 ? 'a' : ',';
	ck_assert(!sign_list_split(text, &list, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	text[2 * SIGN_LIST_MAX] = '\0';
	ck_assert(sign_list_split(text, &list, &e));
	ck_assert_uint_eq(list.count, SIGN_LIST_MAX);
	sign_list_clear(&list);
}
END_TEST

START_TEST(key_files_are_read_whole_or_not_at_all)
{
	AUTO(secret) struct secret *key = NULL;
	struct err e = {0};

	rig_write("key", "text");
	rig_write("empty", "");
	ck_assert(sign_key_read(rig_path("key"), &key, &e));
	ck_assert_uint_eq(secret_len(key), 4);
	ck_assert(!sign_key_read(rig_path("empty"), &key, &e));
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert(!sign_key_read(rig_path("none"), &key, &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	AUTO(secret) struct secret *key = private_key(TOKEN_KEY_RSA);
	struct sign_claims c = claims();
	bool done = false;

	for (unsigned nth = 1; !done && nth < 200; nth++) {
		struct secret *token = NULL;
		struct sign_list list = {0};
		struct err e = {0};

		fault_allocation(nth);
		done = sign_list_split("a,b", &list, &e) && sign_token(&c, key, &token, &e);
		fault_allocation(0);
		if (!done)
			ck_assert(e.code != ERR_NONE && token == NULL);
		else
			ck_assert_uint_gt(nth, 5);
		sign_list_clear(&list);
		secret_free(token);
	}
	ck_assert(done);
}
END_TEST

Suite *
sign_suite(void)
{
	Suite *s = suite_create("sign");
	TCase *tc = tcase_create("tokens");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_add_checked_fixture(tc, rig_folder_begin, rig_folder_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, our_verifier_takes_what_libjwt_signed);
	tcase_add_test(tc, libjwt_takes_what_our_tests_sign);
	tcase_add_test(tc, two_tokens_are_never_the_same);
	tcase_add_test(tc, a_key_does_not_sign_what_it_is_not_for);
	tcase_add_test(tc, a_token_that_daemons_find_too_long_is_not_handed_out);
	tcase_add_loop_test(tc, a_list_is_trimmed_and_empty_words_are_left_out, 0, COUNT(lists));
	tcase_add_test(tc, a_list_has_a_limit);
	tcase_add_test(tc, key_files_are_read_whole_or_not_at_all);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

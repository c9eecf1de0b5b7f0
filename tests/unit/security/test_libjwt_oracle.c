/*
 * libjwt signs in tasker-ctl and is an oracle here: what it signs we accept, what we hold for good
 * it accepts. (The other direction is no oracle: it accepts much that we must refuse.)
 */
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/jws.h"
#include "tests/unit/security/kit.h"
#include "tests/unit/unit.h"

static const struct method {
	enum token_key key;
	const char *alg;
	jwt_alg_t libjwt;
} methods[] = {
        {TOKEN_KEY_RSA,  "RS256", JWT_ALG_RS256},
        {TOKEN_KEY_RSA,  "RS384", JWT_ALG_RS384},
        {TOKEN_KEY_RSA,  "RS512", JWT_ALG_RS512},
        {TOKEN_KEY_P256, "ES256", JWT_ALG_ES256},
        {TOKEN_KEY_P384, "ES384", JWT_ALG_ES384},
        {TOKEN_KEY_P521, "ES512", JWT_ALG_ES512}
};

static struct jws jws;

static bool
we_accept(const struct method *m, const char *token)
{
	AUTO(key_set) struct key_set *keys = kit_keys(m->key, m->alg);
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;
	const struct key *key = NULL;
	struct err e = {0};

	ck_assert(jws_verifier_new(keys, &verifier, &e));
	return jws_open(&jws, token, strlen(token)) == VERDICT_GRANT &&
	       jws_check(verifier, &jws, &key) == VERDICT_GRANT;
}

static char *
libjwt_signs(const struct method *m)
{
	char *pem = token_key_pem_private(m->key), *token;
	jwt_t *jwt = NULL;

	ck_assert_int_eq(jwt_new(&jwt), 0);
	ck_assert_int_eq(jwt_add_grant(jwt, "sub", "alice"), 0);
	ck_assert_int_eq(jwt_add_grant_int(jwt, "exp", NOW_S), 0);
	ck_assert_int_eq(jwt_set_alg(jwt, m->libjwt, (unsigned char *)pem, (int)strlen(pem)), 0);
	token = jwt_encode_str(jwt);
	ck_assert_ptr_nonnull(token);
	jwt_free(jwt);
	free(pem);
	return token;
}

START_TEST(we_accept_what_libjwt_signs)
{
	for (int i = 0; i < 10; i++) {
		char *token = libjwt_signs(&methods[_i]);

		ck_assert(we_accept(&methods[_i], token));
		ck_assert_int_eq(jws.typ, JWS_TYP_JWT);
		token_spoil(token);
		ck_assert(!we_accept(&methods[_i], token));
		free(token);
	}
}
END_TEST

START_TEST(libjwt_accepts_what_we_hold_for_good)
{
	const struct method *m = &methods[_i];
	char *pem = token_key_pem(m->key);

	for (int i = 0; i < 10; i++) {
		char *token = token_make(m->key, m->alg, "{\"sub\":\"alice\"}");
		jwt_t *jwt = NULL;

		ck_assert(we_accept(m, token));
		ck_assert_int_eq(
		        jwt_decode(&jwt, token, (unsigned char *)pem, (int)strlen(pem)), 0);
		ck_assert_str_eq(jwt_get_grant(jwt, "sub"), "alice");
		jwt_free(jwt);
		free(token);
	}
	free(pem);
}
END_TEST

Suite *
libjwt_oracle_suite(void)
{
	Suite *s = suite_create("libjwt_oracle");
	TCase *tc = tcase_create("both ways");

	token_maker_prepare();
	tcase_add_loop_test(tc, we_accept_what_libjwt_signs, 0, COUNT(methods));
	tcase_add_loop_test(tc, libjwt_accepts_what_we_hold_for_good, 0, COUNT(methods));
	suite_add_tcase(s, tc);
	return s;
}

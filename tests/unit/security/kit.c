#include "tests/unit/security/kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/security/pem.h"
#include "tests/torture/fault.h"
#include "tests/unit/security/openssl_fault.h"
#include "tests/unit/unit.h"

struct key_set *
kit_keys(enum token_key which, const char *alg)
{
	struct key_binding binding = {0};
	struct key *key = NULL;
	struct key_set *set = NULL;
	struct err e = {0};
	char *pem = token_key_pem(which);

	ck_assert(algorithm_set_add(&binding.allowed, alg, &e));
	ck_assert_msg(pem_import(pem, strlen(pem), &binding, &key, &e), "%s", e.text);
	ck_assert(key_set_new(&set, &e));
	ck_assert(key_set_add(set, key, &e));
	free(pem);
	return set;
}

char *
kit_jwks(char *first, ...)
{
	size_t size = 32;
	char *text = calloc(1, 1 << 17);
	va_list args;

	ck_assert_ptr_nonnull(text);
	(void)strncat(text, "{\"keys\":[", size);
	va_start(args, first);
	for (char *jwk = first; jwk != NULL; jwk = va_arg(args, char *)) {
		if (jwk != first)
			(void)strncat(text, ",", 2);
		(void)strncat(text, jwk, (1 << 17) - strlen(text) - 8);
		free(jwk);
	}
	va_end(args);
	(void)strncat(text, "]}", 3);
	return text;
}

struct security_settings
kit_settings(void)
{
	static const char *const users[] = {"RS256"}, *const workers[] = {"EdDSA"};
	static char *user_pem, *worker_pem;

	if (user_pem == NULL) {
		user_pem = token_key_pem(TOKEN_KEY_RSA);
		worker_pem = token_key_pem(TOKEN_KEY_ED25519);
	}
	return (struct security_settings){
	        .enabled = true,
	        .users = {.public_key_pem = user_pem,
	                  .algorithms = users,
	                  .algorithm_count = 1,
	                  .leeway_s = 30,
	                  .strict_permissions = true},
	        .workers = {.public_key_pem = worker_pem,
	                  .algorithms = workers,
	                  .algorithm_count = 1,
	                  .leeway_s = 30,
	                  .strict_permissions = true}
        };
}

struct security_service *
kit_service(const struct security_settings *settings)
{
	struct security_service *service = NULL;
	struct err e = {0};

	ck_assert_msg(security_service_new(settings, &service, NULL, &e), "%s", e.text);
	return service;
}

struct security_live *
kit_live(const struct security_settings *settings)
{
	struct security_live *live = NULL;
	struct err e = {0};

	ck_assert_msg(security_live_new(kit_service(settings), &live, &e), "%s", e.text);
	return live;
}

struct authenticator *
kit_authenticator(struct security_live *live)
{
	struct authenticator *a = NULL;
	struct err e = {0};

	ck_assert_msg(authenticator_new(live, 64, NULL, NULL, &a, &e), "%s", e.text);
	return a;
}

enum verdict
kit_bearer(struct authenticator *a, const char *token, int64_t now_s,
        const struct security_context **out)
{
	static char value[16384];
	struct authentication result = {0};
	struct credentials c = {.authorization = value};

	(void)snprintf(value, sizeof(value), "Bearer %s", token);
	c.authorization_len = strlen(value);
	ck_assert_int_eq(authenticator_check(a, &c, now_s, &result, NULL, NULL), AUTH_READY);
	ck_assert_int_eq(result.context != NULL, result.verdict == VERDICT_GRANT);
	if (out != NULL)
		*out = result.context;
	else
		security_context_unref(result.context);
	return result.verdict;
}

static void
judge_fault(bool done, const struct err *e)
{
	if (!done)
		ck_assert_msg(e->code == ERR_NOMEM || e->code == ERR_CRYPTO, "%s", e->text);
}

unsigned
kit_torture(kit_attempt_fn attempt)
{
	struct err e = {0};
	unsigned nth = 0, openssl_made;
	bool done = false, failed = true;

	/* What is tried twice may succeed in spite of a failure. */
	while (failed) {
		ck_assert_uint_lt(nth, 1000);
		fault_arm(FAULT_ALLOCATION, ++nth, false);
		done = attempt(&e);
		failed = fault_disarm();
		judge_fault(done, &e);
	}
	ck_assert(done);
	openssl_fault(0);
	ck_assert(attempt(&e));
	openssl_made = openssl_fault_count();
	for (unsigned i = 1; i <= openssl_made; i++) {
		openssl_fault(i);
		done = attempt(&e);
		openssl_fault(0);
		judge_fault(done, &e);
	}
	return nth - 1;
}

enum verdict
kit_present(struct authenticator *a, const char *authorization, const char *key,
        const struct security_context **out)
{
	struct credentials c = {.authorization = authorization, .api_key = key};
	struct authentication result = {.verdict = VERDICT_GRANT};

	c.authorization_len = authorization != NULL ? strlen(authorization) : 0;
	c.api_key_len = key != NULL ? strlen(key) : 0;
	ck_assert_int_eq(authenticator_check(a, &c, NOW_S, &result, NULL, NULL), AUTH_READY);
	ck_assert_int_eq(result.context != NULL, result.verdict == VERDICT_GRANT);
	if (out != NULL)
		*out = result.context;
	else
		security_context_unref(result.context);
	return result.verdict;
}

struct jws kit_opened;

enum verdict
kit_jws(const struct key_set *keys, const char *token, size_t len)
{
	AUTO(jws_verifier) struct jws_verifier *verifier = NULL;
	const struct key *used = NULL;
	struct err e = {0};
	enum verdict v;

	ck_assert_msg(jws_verifier_new(keys, &verifier, &e), "%s", e.text);
	v = jws_open(&kit_opened, token, len);
	if (v == VERDICT_GRANT)
		v = jws_check(verifier, &kit_opened, &used);
	ck_assert_int_eq(used != NULL, v == VERDICT_GRANT);
	return v;
}

void
kit_jws_expect(enum token_key which, const char *alg, char *token, enum verdict wanted)
{
	AUTO(key_set) struct key_set *keys = kit_keys(which, alg);
	enum verdict v = kit_jws(keys, token, strlen(token));

	ck_assert_msg(
	        v == wanted, "%s: %s, not %s", token, verdict_reason(v), verdict_reason(wanted));
	free(token);
}

enum verdict
kit_claims(const struct claim_rules *rules, const char *payload, int64_t now_s, struct claims *out)
{
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};
	enum verdict v;

	if (!json_parse(payload, strlen(payload), &claims_limits, &doc, &e))
		return VERDICT_DENY_MALFORMED;
	v = claims_check(doc, rules, now_s, out);
	ck_assert(v != VERDICT_GRANT || buf_ok(&out->text));
	return v;
}

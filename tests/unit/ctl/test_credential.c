#include "ctl/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "shared/security/jws.h"
#include "tests/lib/token_maker.h"
#include "tests/unit/ctl/rig.h"
#include "tests/unit/unit.h"

#define OWN_TOKEN "TASKER_ORCHESTRATION_AUTH_TOKEN"
#define WORKERS_TOKEN "TASKER_WORKER_AUTH_TOKEN"
#define GLOBAL "TASKER_AUTH_TOKEN"
#define KEY "TASKER_API_KEY"
#define HEADER "TASKER_API_KEY_HEADER"
#define PRIVATE "TASKER_JWT_PRIVATE_KEY_PATH"

static const struct {
	enum endpoint endpoint;
	const char *env[5];
	const char *source, *header, *value;
} choices[] = {
#define ENV(...)                                                                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define CHOICE(e, v, s, h, c)                                                                      \
	{.endpoint = ENDPOINT_##e, .env = v, .source = (s), .header = (h), .value = (c)},
#include "tests/unit/ctl/choices.def"
#undef CHOICE
#undef ENV
};

START_TEST(the_first_credential_that_is_set_wins)
{
	AUTO(credential) struct credential c = {0};
	struct err e = {0};

	ck_assert(credential_choose(choices[_i].endpoint, choices[_i].env, 0, &c, &e));
	ck_assert_pstr_eq(c.source, choices[_i].source);
	ck_assert_pstr_eq(c.header, choices[_i].header);
	ck_assert_pstr_eq(credential_source(choices[_i].endpoint, choices[_i].env), c.source);
	if (choices[_i].value == NULL)
		ck_assert_ptr_null(c.value);
	else
		ck_assert_str_eq((const char *)secret_bytes(c.value), choices[_i].value);
}
END_TEST

static const struct {
	const char *env[3];
	const char *named;
} bad[] = {
        {{GLOBAL "=a b"},                GLOBAL },
        {{GLOBAL "=a\r\nX-Evil: yes"},   GLOBAL },
        {{KEY "=a\n"},                   KEY    },
        {{KEY "=\xc3\xa9"},              KEY    },
        {{KEY "=a", HEADER "=X: y\r\n"}, HEADER },
        {{PRIVATE "=/nowhere/key.pem"},  PRIVATE},
};

START_TEST(what_cannot_be_a_credential_is_named_and_not_sent)
{
	struct credential c = {0};
	struct err e = {0};

	ck_assert(!credential_choose(ENDPOINT_WORKER, bad[_i].env, 0, &c, &e));
	ck_assert_ptr_nonnull(strstr(e.text, bad[_i].named));
	ck_assert_ptr_null(c.value);
}
END_TEST

START_TEST(a_credential_has_a_limit)
{
	static char entry[CREDENTIAL_MAX + 64] = GLOBAL "=";
	const char *const env[] = {entry, NULL};
	struct credential c = {0};
	struct err e = {0};

	memset(entry + strlen(entry), 'a', CREDENTIAL_MAX);
	ck_assert(!credential_choose(ENDPOINT_WORKER, env, 0, &c, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

/* The payload of a bearer value; its signature was checked before it was handed out. */
static struct json *
payload(const struct credential *c, struct jws *jws)
{
	const char *value = (const char *)secret_bytes(c->value);
	struct json *doc = NULL;
	struct err e = {0};

	ck_assert_int_eq(strncmp(value, "Bearer ", 7), 0);
	ck_assert_int_eq(jws_open(jws, value + 7, strlen(value + 7)), VERDICT_GRANT);
	ck_assert(json_parse(
	        (const char *)jws->payload, jws->payload_len, &json_limits_default, &doc, &e));
	return doc;
}

static bool
permits(const struct json *doc, const char *permission)
{
	const struct json_node *n =
	        json_first(doc, json_member(doc, json_root(doc), "permissions"));

	while (n != NULL && !json_string_is(doc, n, permission))
		n = json_next(doc, n);
	return n != NULL;
}

START_TEST(a_private_key_signs_a_short_token_for_this_call)
{
	AUTO(credential) struct credential c = {0};
	AUTO(json) struct json *doc = NULL;
	char *pem = token_key_pem_private(TOKEN_KEY_RSA), path[512];
	const char *const env[] = {path, "TASKER_JWT_SUBJECT=robot", NULL};
	struct err e = {0};
	struct jws jws;
	int64_t exp = 0;

	rig_write("key.pem", pem);
	(void)snprintf(path, sizeof(path), PRIVATE "=%s", rig_path("key.pem"));
	ck_assert_msg(credential_choose(ENDPOINT_WORKER, env, 1000, &c, &e), "%s", e.text);
	ck_assert_str_eq(c.source, PRIVATE);
	doc = payload(&c, &jws);
	ck_assert(json_string_is(doc, json_member(doc, json_root(doc), "sub"), "robot"));
	ck_assert(json_string_is(doc, json_member(doc, json_root(doc), "aud"), "tasker-api"));
	ck_assert(json_int64(doc, json_member(doc, json_root(doc), "exp"), &exp));
	ck_assert_int_eq(exp, 1000 + CREDENTIAL_LIFETIME_S);
	ck_assert(permits(doc, "tasks:create") && permits(doc, "templates:read"));
	ck_assert(!permits(doc, "any:write") && !permits(doc, "system:admin"));
	free(pem);
}
END_TEST

START_TEST(its_permissions_can_be_named)
{
	AUTO(credential) struct credential c = {0};
	AUTO(json) struct json *doc = NULL;
	char *pem = token_key_pem_private(TOKEN_KEY_RSA), path[512];
	const char *const env[] = {path, "TASKER_JWT_PERMISSIONS=tasks:list", NULL};
	struct err e = {0};
	struct jws jws;

	rig_write("key.pem", pem);
	(void)snprintf(path, sizeof(path), PRIVATE "=%s", rig_path("key.pem"));
	ck_assert(credential_choose(ENDPOINT_WORKER, env, 1000, &c, &e));
	doc = payload(&c, &jws);
	ck_assert(permits(doc, "tasks:list") && !permits(doc, "tasks:create"));
	free(pem);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
	const char *const env[] = {GLOBAL "=a", NULL};
	bool done = false;

	for (unsigned nth = 1; !done && nth < 20; nth++) {
		struct credential c = {0};
		struct err e = {0};

		fault_allocation(nth);
		done = credential_choose(ENDPOINT_WORKER, env, 0, &c, &e);
		fault_allocation(0);
		if (!done)
			ck_assert(e.code == ERR_NOMEM && c.value == NULL);
		else
			ck_assert_uint_gt(nth, 1);
		credential_clear(&c);
	}
	ck_assert(done);
}
END_TEST

Suite *
credential_suite(void)
{
	Suite *s = suite_create("credential");
	TCase *tc = tcase_create("choices");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_add_checked_fixture(tc, rig_folder_begin, rig_folder_end);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_first_credential_that_is_set_wins, 0, COUNT(choices));
	tcase_add_loop_test(tc, what_cannot_be_a_credential_is_named_and_not_sent, 0, COUNT(bad));
	tcase_add_test(tc, a_credential_has_a_limit);
	tcase_add_test(tc, a_private_key_signs_a_short_token_for_this_call);
	tcase_add_test(tc, its_permissions_can_be_named);
	tcase_add_test(tc, every_allocation_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

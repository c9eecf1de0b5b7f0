#include "shared/security/security_context.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char *const namespaces[] = {"demo", "other", NULL};

static struct security_context
sample(void)
{
	return (struct security_context){.caller = CALLER_SYSTEM,
	        .method = AUTH_METHOD_SYSTEM,
	        .permissions = {7},
	        .subject = "wrk:w1",
	        .owner = "wrk:w1",
	        .tenant = "acme",
	        .issuer = "tasker-core",
	        .token_id = "j1",
	        .expires_at_s = 1000,
	        .issued_at_s = 900,
	        .namespaces = namespaces};
}

START_TEST(a_context_owns_copies_of_all_it_shows)
{
	char subject[] = "wrk:w1";
	struct security_context fields = sample();
	const struct security_context *c = NULL;
	struct err e = {0};

	fields.subject = subject;
	ck_assert(security_context_new(&fields, &c, &e));
	subject[0] = 'X';
	ck_assert_str_eq(c->subject, "wrk:w1");
	ck_assert_str_eq(c->owner, "wrk:w1");
	ck_assert_str_eq(c->tenant, "acme");
	ck_assert_str_eq(c->issuer, "tasker-core");
	ck_assert_str_eq(c->token_id, "j1");
	ck_assert_str_eq(c->namespaces[0], "demo");
	ck_assert_str_eq(c->namespaces[1], "other");
	ck_assert_ptr_null(c->namespaces[2]);
	ck_assert_ptr_ne(c->namespaces, namespaces);
	ck_assert_int_eq(c->caller, CALLER_SYSTEM);
	ck_assert_uint_eq(c->permissions.bits, 7);
	security_context_unref(c);
}
END_TEST

START_TEST(missing_texts_are_empty_or_stay_missing)
{
	struct security_context nothing = {0};
	const struct security_context *c = NULL;
	struct err e = {0};

	ck_assert(security_context_new(&nothing, &c, &e));
	ck_assert_str_eq(c->subject, "");
	ck_assert_str_eq(c->owner, "");
	ck_assert_str_eq(c->tenant, "");
	ck_assert_ptr_null(c->issuer);
	ck_assert_ptr_null(c->token_id);
	ck_assert_ptr_null(c->namespaces);
	security_context_unref(c);
}
END_TEST

/* The sanitizer run proves the other half: nothing is left, nothing is freed twice. */
START_TEST(a_context_lives_as_long_as_its_last_reference)
{
	struct security_context fields = sample();
	const struct security_context *c = NULL;
	struct err e = {0};

	ck_assert(security_context_new(&fields, &c, &e));
	ck_assert_ptr_eq(security_context_ref(c), c);
	security_context_unref(c);
	ck_assert_str_eq(c->subject, "wrk:w1");
	security_context_unref(c);
	security_context_unref(NULL);
	ck_assert_ptr_null(security_context_ref(NULL));
}
END_TEST

START_TEST(one_allocation_and_it_may_fail)
{
	struct security_context fields = sample();
	const struct security_context *c = NULL;
	struct err e = {0};

	fault_allocation(1);
	ck_assert(!security_context_new(&fields, &c, &e));
	fault_allocation(0);
	ck_assert_int_eq(e.code, ERR_NOMEM);
	ck_assert_ptr_null(c);
	fault_allocation(2);
	ck_assert(security_context_new(&fields, &c, &e));
	fault_allocation(0);
	security_context_unref(c);
}
END_TEST

START_TEST(methods_have_the_words_of_the_wire)
{
	ck_assert_str_eq(auth_method_name(AUTH_METHOD_JWT), "jwt");
	ck_assert_str_eq(auth_method_name(AUTH_METHOD_API_KEY), "api_key");
	ck_assert_str_eq(auth_method_name(AUTH_METHOD_DISABLED), "disabled");
	ck_assert_str_eq(auth_method_name(AUTH_METHOD_SYSTEM), "system");
	ck_assert_str_eq(auth_method_name(AUTH_METHOD_SESSION), "session");
	ck_assert_str_eq(auth_method_name(AUTH_METHOD_NONE), "none");
	ck_assert_str_eq(auth_method_name((enum auth_method)77), "none");
}
END_TEST

Suite *
security_context_suite(void)
{
	Suite *s = suite_create("security_context");
	TCase *tc = tcase_create("lifetime");

	tcase_add_test(tc, a_context_owns_copies_of_all_it_shows);
	tcase_add_test(tc, missing_texts_are_empty_or_stay_missing);
	tcase_add_test(tc, a_context_lives_as_long_as_its_last_reference);
	tcase_add_test(tc, one_allocation_and_it_may_fail);
	tcase_add_test(tc, methods_have_the_words_of_the_wire);
	suite_add_tcase(s, tc);
	return s;
}

/* Whose rows a caller sees: the policies as a table, and that nothing widens beyond the tenant. */
#include "orchestration/policy/scope.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { NONE_MORE = 0 };
#define HAS(p) (UINT64_C(1) << PERMISSION_##p)

static const struct {
	const char *policy;
	uint64_t permissions;
	bool write;
	enum scope_kind scope;
} cases[] = {
        {"tenant",    NONE_MORE,      false, SCOPE_TENANT},
        {"owner",     NONE_MORE,      false, SCOPE_OWNER },
        {"deny_all",  ~UINT64_C(0),   false, SCOPE_NONE  }, /* OW8: no permission opens it */
        {"allow_all", NONE_MORE,      false, SCOPE_ANY   },
        {"owner",     HAS(ANY_READ),  false, SCOPE_TENANT}, /* OW9: by an explicit permission */
        {"owner",     HAS(ANY_READ),  true,  SCOPE_OWNER }, /* reading wide is not writing wide */
        {"owner",     HAS(ANY_WRITE), true,  SCOPE_TENANT},
        {"owner",     HAS(ANY_WRITE), false, SCOPE_OWNER },
        {"tenant",    HAS(ANY_READ),  false, SCOPE_TENANT}, /* never beyond the tenant */
};

START_TEST(policy_and_permissions_fix_the_scope)
{
	struct security_context who = {.owner = "jwt:i:s", .tenant = "t"};
	struct principal p = {0};
	struct err e = {0};
	enum ownership policy;

	who.permissions.bits = cases[_i].permissions;
	ck_assert(ownership_parse(cases[_i].policy, &policy));
	ck_assert_str_eq(ownership_name(policy), cases[_i].policy);
	ck_assert(scope_resolve(policy, &who, cases[_i].write, &p, &e));
	ck_assert_int_eq(p.scope, cases[_i].scope);
	ck_assert_str_eq(p.owner, "jwt:i:s");
	ck_assert_str_eq(p.tenant, "t");
}
END_TEST

START_TEST(unknown_policy_is_none)
{
	struct security_context who = {.owner = "jwt:i:s", .tenant = "t"};
	struct principal p = {.scope = SCOPE_ANY};
	struct err e = {0};
	enum ownership policy;

	ck_assert(!ownership_parse("everybody", &policy));
	ck_assert(scope_resolve((enum ownership)77, &who, true, &p, &e));
	ck_assert_int_eq(p.scope, SCOPE_NONE);
	ck_assert_str_eq(ownership_name((enum ownership)77), "deny_all");
}
END_TEST

START_TEST(caller_without_owner_sees_nothing)
{
	struct security_context who = {.owner = NULL, .tenant = ""};
	struct principal p = {.scope = SCOPE_ANY};
	struct err e = {0};

	ck_assert(scope_resolve(OWNERSHIP_TENANT, &who, false, &p, &e));
	ck_assert_int_eq(p.scope, SCOPE_NONE);
}
END_TEST

START_TEST(owner_too_long_is_a_fault_and_changes_nothing)
{
	char owner[600];
	struct security_context who = {.owner = owner, .tenant = ""};
	struct principal p = {.scope = SCOPE_NONE, .owner = "before"};
	struct err e = {0};

	memset(owner, 'x', sizeof(owner) - 1);
	owner[sizeof(owner) - 1] = '\0';
	ck_assert(!scope_resolve(OWNERSHIP_ALLOW_ALL, &who, false, &p, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_str_eq(p.owner, "before");
}
END_TEST

Suite *
scope_suite(void)
{
	Suite *s = suite_create("scope");
	TCase *tc = tcase_create("policy");

	tcase_add_loop_test(tc, policy_and_permissions_fix_the_scope, 0, COUNT(cases));
	tcase_add_test(tc, unknown_policy_is_none);
	tcase_add_test(tc, caller_without_owner_sees_nothing);
	tcase_add_test(tc, owner_too_long_is_a_fault_and_changes_nothing);
	suite_add_tcase(s, tc);
	return s;
}

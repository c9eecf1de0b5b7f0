/* The vocabulary: what each spelling grants, and above all what it does not (PM3). */
#include "shared/security/permission.h"

#include <string.h>

#include "tests/unit/unit.h"

static uint64_t
granted(const char *spelled)
{
	struct permission_set set = {0};
	struct err e = {0};

	return permission_set_add(&set, spelled, strlen(spelled), &e) ? set.bits : 0;
}

static const char *const nonsense[] = {"", "*", "*:*", "*:read", "tasks", "tasks:", "tasks:cre",
        "tasks:create ", " tasks:create", "TASKS:create", "Tasks:Create", "tasks:CREATE",
        "tasks:*:x", "tasks:**", "tasks:*x", "tasks*", "tasks::create", "tasks:create:x",
        "tasks:delete", "task:*", "tasksx:*", "health:*", ":", ":*", ":create", "any",
        "any:", "tasks:create,tasks:read", "tasks:create tasks:read"};

START_TEST(pm3_nonsense_grants_nothing_and_leaves_the_set_alone)
{
	const char *spelled = nonsense[_i];
	struct permission_set set = {.bits = 1};
	struct err e = {0};

	ck_assert(!permission_set_add(&set, spelled, strlen(spelled), &e));
	ck_assert_int_eq(e.code, ERR_MISSING);
	ck_assert_uint_eq(set.bits, 1);
}
END_TEST

START_TEST(pm3_a_nul_inside_a_spelling_is_not_its_end)
{
	struct permission_set set = {0};
	struct err e = {0};

	ck_assert(!permission_set_add(&set, "tasks:create\0x", 14, &e));
	ck_assert(!permission_set_add(&set, "tasks:*\0", 8, &e));
}
END_TEST

START_TEST(pm3_an_exact_spelling_grants_its_own_bit_only)
{
	for (unsigned p = 0; p < PERMISSION__COUNT; p++)
		ck_assert_uint_eq(
		        granted(permission_spelled((enum permission)p)), UINT64_C(1) << p);
}
END_TEST

START_TEST(pm3_a_wildcard_grants_its_resource_and_no_other)
{
	for (unsigned p = 0; p < PERMISSION__COUNT; p++) {
		size_t len = 0, other_len = 0;
		const char *resource = permission_resource((enum permission)p, &len);
		char wildcard[64] = {0};
		uint64_t bits;

		memcpy(wildcard, resource, len);
		memcpy(wildcard + len, ":*", 2);
		bits = granted(wildcard);
		for (unsigned q = 0; q < PERMISSION__COUNT; q++) {
			const char *other = permission_resource((enum permission)q, &other_len);
			bool same = len == other_len && memcmp(resource, other, len) == 0;

			ck_assert_int_eq((bits >> q & 1) != 0, same);
		}
	}
}
END_TEST

/* any:read and any:write reach beyond one's scope, so no other wildcard may carry them. */
START_TEST(any_is_in_no_wildcard_but_its_own)
{
	uint64_t any = granted("any:*");

	ck_assert_uint_eq(
	        any, UINT64_C(1) << PERMISSION_ANY_READ | UINT64_C(1) << PERMISSION_ANY_WRITE);
	for (unsigned p = 0; p < PERMISSION__COUNT; p++) {
		size_t len = 0;
		const char *resource = permission_resource((enum permission)p, &len);
		char wildcard[64] = {0};

		memcpy(wildcard, resource, len);
		memcpy(wildcard + len, ":*", 2);
		if (strcmp(wildcard, "any:*") != 0)
			ck_assert_uint_eq(granted(wildcard) & any, 0);
	}
}
END_TEST

START_TEST(adding_only_adds)
{
	struct permission_set set = {0};
	struct err e = {0};

	ck_assert(permission_set_add(&set, "tasks:read", 10, &e));
	ck_assert(permission_set_add(&set, "dlq:*", 5, &e));
	ck_assert(permission_set_has(&set, PERMISSION_TASKS_READ));
	ck_assert(permission_set_has(&set, PERMISSION_DLQ_STATS));
	ck_assert(!permission_set_has(&set, PERMISSION_TASKS_CREATE));
}
END_TEST

START_TEST(a_value_outside_the_vocabulary_is_never_held)
{
	struct permission_set all = {.bits = UINT64_MAX};

	ck_assert(!permission_set_has(&all, PERMISSION__COUNT));
	ck_assert(!permission_set_has(&all, (enum permission)63));
	ck_assert(!permission_set_has(&all, (enum permission)1000));
}
END_TEST

START_TEST(all_is_every_row_and_nothing_more)
{
	struct permission_set all = permission_set_all();

	for (unsigned p = 0; p < PERMISSION__COUNT; p++) {
		ck_assert(permission_set_has(&all, (enum permission)p));
		ck_assert_uint_gt(strlen(permission_meaning((enum permission)p)), 0);
	}
	ck_assert_uint_eq(all.bits >> PERMISSION__COUNT, 0);
}
END_TEST

/* The 17 of Tasker, so that a renamed row cannot slip through (tasker-rest 4.1). */
static const char *const taskers[] = {"tasks:create", "tasks:read", "tasks:list", "tasks:cancel",
        "tasks:context_read", "steps:read", "steps:resolve", "dlq:read", "dlq:update", "dlq:stats",
        "templates:read", "templates:validate", "system:config_read", "system:handlers_read",
        "system:analytics_read", "worker:config_read", "worker:templates_read"};

START_TEST(taskers_vocabulary_is_whole)
{
	for (size_t i = 0; i < COUNT(taskers); i++)
		ck_assert_uint_ne(granted(taskers[i]), 0);
}
END_TEST

Suite *
permission_suite(void)
{
	Suite *s = suite_create("permission");
	TCase *tc = tcase_create("spelling");

	tcase_add_loop_test(
	        tc, pm3_nonsense_grants_nothing_and_leaves_the_set_alone, 0, COUNT(nonsense));
	tcase_add_test(tc, pm3_a_nul_inside_a_spelling_is_not_its_end);
	tcase_add_test(tc, pm3_an_exact_spelling_grants_its_own_bit_only);
	tcase_add_test(tc, pm3_a_wildcard_grants_its_resource_and_no_other);
	tcase_add_test(tc, any_is_in_no_wildcard_but_its_own);
	tcase_add_test(tc, adding_only_adds);
	tcase_add_test(tc, a_value_outside_the_vocabulary_is_never_held);
	tcase_add_test(tc, all_is_every_row_and_nothing_more);
	tcase_add_test(tc, taskers_vocabulary_is_whole);
	suite_add_tcase(s, tc);
	return s;
}

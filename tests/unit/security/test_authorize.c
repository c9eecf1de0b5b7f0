/* The decision table, cell by cell, and that nothing but authorize() makes a grant. */
#include "shared/security/authorize.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct security_context user = {.caller = CALLER_USER,
        .method = AUTH_METHOD_JWT,
        .permissions = {UINT64_C(1) << PERMISSION_TASKS_READ}};
static const struct security_context powerless = {
        .caller = CALLER_USER, .method = AUTH_METHOD_API_KEY};
static const struct security_context system_caller = {
        .caller = CALLER_SYSTEM, .method = AUTH_METHOD_SYSTEM, .permissions = {UINT64_MAX}};
static const struct security_context session = {
        .caller = CALLER_SESSION, .method = AUTH_METHOD_SESSION, .permissions = {UINT64_MAX}};
static const struct security_context off = {.caller = CALLER_USER, .method = AUTH_METHOD_DISABLED};
static const struct security_context nobody = {.permissions = {UINT64_MAX}};

static const struct access unset = {0};
static const struct access open_row = OPEN;
static const struct access signed_in = SIGNED_IN;
static const struct access needs_read = NEEDS(TASKS, READ);
static const struct access needs_cancel = NEEDS(TASKS, CANCEL);
static const struct access system_row = INTERNAL(SYSTEM);
static const struct access session_row = INTERNAL(SESSION);
static const struct access user_row = INTERNAL(USER);
static const struct access nobody_row = INTERNAL(NOBODY);
static const struct access no_permission = {.kind = ACCESS_NEEDS, .permission = PERMISSION__COUNT};
static const struct access no_kind = {.kind = (enum access_kind)99};

static const struct decision {
	const struct security_context *who;
	const struct access *wanted;
	enum verdict verdict;
} table[] = {
        {NULL,           &open_row,      VERDICT_GRANT         },
        {NULL,           &signed_in,     VERDICT_DENY_MISSING  },
        {NULL,           &needs_read,    VERDICT_DENY_MISSING  },
        {NULL,           &system_row,    VERDICT_DENY_MISSING  },
        {NULL,           &session_row,   VERDICT_DENY_MISSING  },
        {NULL,           &unset,         VERDICT_DENY_UNDECIDED},
        {&nobody,        &open_row,      VERDICT_GRANT         },
        {&nobody,        &signed_in,     VERDICT_DENY_MISSING  },
        {&nobody,        &needs_read,    VERDICT_DENY_MISSING  },
        {&nobody,        &system_row,    VERDICT_DENY_MISSING  },
        {&user,          &open_row,      VERDICT_GRANT         },
        {&user,          &signed_in,     VERDICT_GRANT         },
        {&user,          &needs_read,    VERDICT_GRANT         },
        {&user,          &needs_cancel,  VERDICT_DENY_FORBIDDEN},
        {&user,          &system_row,    VERDICT_DENY_CLASS    },
        {&user,          &session_row,   VERDICT_DENY_CLASS    },
        {&user,          &user_row,      VERDICT_DENY_UNDECIDED},
        {&user,          &unset,         VERDICT_DENY_UNDECIDED},
        {&user,          &no_kind,       VERDICT_DENY_UNDECIDED},
        {&user,          &no_permission, VERDICT_DENY_UNDECIDED},
        {&powerless,     &signed_in,     VERDICT_GRANT         },
        {&powerless,     &needs_read,    VERDICT_DENY_FORBIDDEN},
        {&system_caller, &open_row,      VERDICT_GRANT         },
        {&system_caller, &signed_in,     VERDICT_DENY_CLASS    },
        {&system_caller, &needs_read,    VERDICT_DENY_CLASS    },
        {&system_caller, &system_row,    VERDICT_GRANT         },
        {&system_caller, &session_row,   VERDICT_DENY_CLASS    },
        {&system_caller, &nobody_row,    VERDICT_DENY_UNDECIDED},
        {&session,       &signed_in,     VERDICT_DENY_CLASS    },
        {&session,       &needs_read,    VERDICT_DENY_CLASS    },
        {&session,       &system_row,    VERDICT_DENY_CLASS    },
        {&session,       &session_row,   VERDICT_GRANT         },
        {&off,           &open_row,      VERDICT_GRANT         },
        {&off,           &signed_in,     VERDICT_GRANT         },
        {&off,           &needs_cancel,  VERDICT_GRANT         },
        {&off,           &system_row,    VERDICT_GRANT         },
        {&off,           &session_row,   VERDICT_DENY_CLASS    },
        {&off,           &unset,         VERDICT_DENY_UNDECIDED},
};

START_TEST(each_cell_of_the_decision_table)
{
	const struct decision *d = &table[_i];
	struct grant_slot slot = {0};
	const struct grant *grant = NULL;

	ck_assert_int_eq(authorize(d->who, *d->wanted, &slot, &grant), d->verdict);
	ck_assert_int_eq(grant != NULL, d->verdict == VERDICT_GRANT);
	ck_assert_int_eq(grant_holds(grant, &slot), d->verdict == VERDICT_GRANT);
	if (grant != NULL)
		ck_assert_ptr_eq(grant_context(grant), d->who);
}
END_TEST

/* PM3: with one permission, no other one opens anything. */
START_TEST(pm3_one_permission_opens_one_row)
{
	for (unsigned held = 0; held < PERMISSION__COUNT; held++)
		for (unsigned asked = 0; asked < PERMISSION__COUNT; asked++) {
			struct security_context who = {
			        .caller = CALLER_USER, .permissions = {UINT64_C(1) << held}};
			struct access wanted = {
			        .kind = ACCESS_NEEDS, .permission = (enum permission)asked};
			struct grant_slot slot = {0};
			const struct grant *grant = NULL;

			ck_assert_int_eq(authorize(&who, wanted, &slot, &grant),
			        held == asked ? VERDICT_GRANT : VERDICT_DENY_FORBIDDEN);
		}
}
END_TEST

START_TEST(a_denial_takes_the_slots_earlier_grant_back)
{
	struct grant_slot slot = {0};
	const struct grant *grant = NULL;

	ck_assert_int_eq(authorize(&user, needs_read, &slot, &grant), VERDICT_GRANT);
	ck_assert_int_eq(authorize(&user, needs_cancel, &slot, &grant), VERDICT_DENY_FORBIDDEN);
	ck_assert(!grant_holds(grant, &slot));
}
END_TEST

START_TEST(a_copied_slot_holds_no_grant)
{
	struct grant_slot slot = {0}, copy;
	const struct grant *grant = NULL;

	ck_assert_int_eq(authorize(&user, needs_read, &slot, &grant), VERDICT_GRANT);
	memcpy(&copy, &slot, sizeof(copy));
	ck_assert(!grant_holds(grant, &copy));
	ck_assert(!grant_holds((const struct grant *)&copy, &copy));
	ck_assert(!grant_holds(NULL, &slot));
}
END_TEST

START_TEST(a_slot_filled_by_hand_holds_no_grant)
{
	struct grant_slot forged =
	                          {
	                                  .opaque = {&user, &forged, "seal"}
        },
	                  zero = {0};

	ck_assert(!grant_holds((const struct grant *)&forged, &forged));
	ck_assert(!grant_holds((const struct grant *)&zero, &zero));
}
END_TEST

START_TEST(zero_denies_and_unlisted_is_500)
{
	ck_assert_int_eq(VERDICT_DENY_UNDECIDED, 0);
	ck_assert_int_eq(verdict_status(VERDICT_DENY_UNDECIDED), 500);
	ck_assert_int_eq(verdict_status(VERDICT__COUNT), 500);
	ck_assert_int_eq(verdict_status((enum verdict) - 1), 500);
	ck_assert_str_eq(verdict_code((enum verdict)12345), "INTERNAL_ERROR");
}
END_TEST

START_TEST(only_a_grant_is_in_the_two_hundreds)
{
	for (unsigned v = 0; v < VERDICT__COUNT; v++) {
		int status = verdict_status((enum verdict)v);

		ck_assert_int_eq(status >= 200 && status < 300, v == VERDICT_GRANT);
		ck_assert_uint_gt(strlen(verdict_reason((enum verdict)v)), 0);
	}
}
END_TEST

/* CR10: what the caller is told is one text for every bad credential, and one for none. */
START_TEST(cr10_every_bad_credential_reads_alike)
{
	const char *said = verdict_text(VERDICT_DENY_SIGNATURE);

	for (unsigned v = 0; v < VERDICT__COUNT; v++)
		if (verdict_status((enum verdict)v) == 401 && v != VERDICT_DENY_MISSING)
			ck_assert_str_eq(verdict_text((enum verdict)v), said);
	ck_assert_str_ne(verdict_text(VERDICT_DENY_MISSING), said);
}
END_TEST

/* CR10: the log can still tell them apart. */
START_TEST(cr10_every_verdict_has_a_reason_of_its_own)
{
	for (unsigned v = 0; v < VERDICT__COUNT; v++)
		for (unsigned other = 0; other < v; other++)
			ck_assert_str_ne(verdict_reason((enum verdict)v),
			        verdict_reason((enum verdict)other));
}
END_TEST

Suite *
authorize_suite(void)
{
	Suite *s = suite_create("authorize");
	TCase *tc = tcase_create("decision");

	tcase_add_loop_test(tc, each_cell_of_the_decision_table, 0, COUNT(table));
	tcase_add_test(tc, pm3_one_permission_opens_one_row);
	tcase_add_test(tc, a_denial_takes_the_slots_earlier_grant_back);
	tcase_add_test(tc, a_copied_slot_holds_no_grant);
	tcase_add_test(tc, a_slot_filled_by_hand_holds_no_grant);
	tcase_add_test(tc, zero_denies_and_unlisted_is_500);
	tcase_add_test(tc, only_a_grant_is_in_the_two_hundreds);
	tcase_add_test(tc, cr10_every_bad_credential_reads_alike);
	tcase_add_test(tc, cr10_every_verdict_has_a_reason_of_its_own);
	suite_add_tcase(s, tc);
	return s;
}

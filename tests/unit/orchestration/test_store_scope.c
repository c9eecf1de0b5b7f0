/*
 * Whose rows: a foreign task is a missing one, for every operation (OW1 to OW6, OW10). Three
 * tenants with two owners each; a caller's lists, counts, cursors and events hold exactly what is
 * theirs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/orchestration/lab.h"

enum { TENANTS = 3, OWNERS = 2, EACH = 7 };

static struct lab lab;
static struct uuid tasks[TENANTS][OWNERS][EACH];

static struct principal
caller(enum scope_kind scope, int tenant, int owner)
{
	char t[16], o[16];

	(void)snprintf(t, sizeof(t), "t%d", tenant);
	(void)snprintf(o, sizeof(o), "o%d", owner); /* the same names in every tenant */
	return lab_caller(scope, t, o);
}

static void
set_up(void)
{
	lab_open(&lab);
	lab_template(&lab, lab_yaml("single"));
	for (int i = 0; i < EACH; i++)
		for (int t = 0; t < TENANTS; t++)
			for (int o = 0; o < OWNERS; o++) {
				char context[32];
				AUTO(store_op) struct store_op *op = NULL;

				/* The same context in every tenant and for every owner: OW5. */
				(void)snprintf(context, sizeof(context), "{\"i\":%d}", i);
				op = lab_create_op("single", context);
				op->caller = caller(SCOPE_OWNER, t, o);
				ck_assert_msg(lab_run(&lab, op) == STORE_OK, "%s", op->text);
				tasks[t][o][i] = op->out.task.id;
			}
}

static void
tear_down(void)
{
	lab_check(&lab);
	lab_close(&lab);
}

/* Whose task it is, and which of his; false: nobody's. */
static bool
whose(const struct uuid *id, int *tenant, int *owner, int *which)
{
	for (int t = 0; t < TENANTS; t++)
		for (int o = 0; o < OWNERS; o++)
			for (int i = 0; i < EACH; i++)
				if (memcmp(&tasks[t][o][i], id, sizeof(*id)) == 0) {
					*tenant = t;
					*owner = o;
					*which = i;
					return true;
				}
	return false;
}

static bool
may_see(const struct principal *who, int tenant, int owner)
{
	struct principal theirs = caller(SCOPE_OWNER, tenant, owner);

	switch (who->scope) {
	case SCOPE_ANY:
		return true;
	case SCOPE_TENANT:
		return strcmp(who->tenant, theirs.tenant) == 0;
	case SCOPE_OWNER:
		return strcmp(who->tenant, theirs.tenant) == 0 &&
		       strcmp(who->owner, theirs.owner) == 0;
	case SCOPE_NONE:
		break;
	}
	return false;
}

static const struct {
	enum scope_kind scope;
	int tenant, owner, total;
} callers[] = {
        {SCOPE_NONE,   0, 0, 0                    },
        {SCOPE_OWNER,  0, 0, EACH                 },
        {SCOPE_OWNER,  1, 1, EACH                 },
        {SCOPE_OWNER,  9, 0, 0                    },
        {SCOPE_OWNER,  0, 9, 0                    },
        {SCOPE_TENANT, 0, 0, EACH *OWNERS         },
        {SCOPE_TENANT, 2, 9, EACH *OWNERS         },
        {SCOPE_TENANT, 9, 0, 0                    },
        {SCOPE_ANY,    9, 9, EACH *OWNERS *TENANTS},
};

static const enum store_verb lookers[] = {STORE_TASK_GET, STORE_STEP_LIST, STORE_STEP_GET};

/* OW1: every look-up of every task by every kind of caller. */
START_TEST(a_foreign_task_is_a_missing_one)
{
	struct principal who = caller(callers[_i].scope, callers[_i].tenant, callers[_i].owner);

	for (int t = 0; t < TENANTS; t++)
		for (int o = 0; o < OWNERS; o++)
			for (size_t v = 0; v < COUNT(lookers); v++) {
				AUTO(store_op) struct store_op *op = store_op_new(lookers[v]);
				AUTO(store_op) struct store_op *missing = store_op_new(lookers[v]);

				op->caller = missing->caller = who;
				op->in.id.task = tasks[t][o][0];
				op->in.id.step = lab_step(&lab, tasks[t][o][0], "a").id;
				missing->in.id.task = uuid_v4();
				missing->in.id.step = op->in.id.step;
				ck_assert_int_eq(lab_run(&lab, op),
				        may_see(&who, t, o) ? STORE_OK : STORE_NOT_FOUND);
				ck_assert_int_eq(lab_run(&lab, missing), STORE_NOT_FOUND);
				if (op->outcome != STORE_NOT_FOUND)
					continue;
				ck_assert_str_eq(op->text, missing->text);
				ck_assert_mem_eq(&op->out, &missing->out, sizeof(op->out));
			}
}
END_TEST

START_TEST(a_foreign_task_cannot_be_cancelled)
{
	struct principal who = caller(callers[_i].scope, callers[_i].tenant, callers[_i].owner);
	int cancelled = 0;

	for (int t = 0; t < TENANTS; t++)
		for (int o = 0; o < OWNERS; o++) {
			AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_CANCEL);

			op->caller = who;
			op->in.id.task = tasks[t][o][0];
			ck_assert_int_eq(lab_run(&lab, op),
			        may_see(&who, t, o) ? STORE_OK : STORE_NOT_FOUND);
			cancelled += op->outcome == STORE_OK;
		}
	ck_assert_int_eq(
	        lab_number(&lab, "SELECT count(*) FROM tasks WHERE state = 11"), cancelled);
}
END_TEST

/* OW3: pages, totals and cursors hold exactly what the caller may see, newest first, each once. */
START_TEST(lists_hold_exactly_what_is_ones_own)
{
	struct principal who = caller(callers[_i].scope, callers[_i].tenant, callers[_i].owner);
	bool seen[TENANTS][OWNERS][EACH] = {0};
	int count = 0;

	for (int page = 1; page <= 20; page++) {
		AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_LIST);

		op->caller = who;
		op->in.task_list.page = page;
		op->in.task_list.per_page = 4;
		ck_assert_int_eq(lab_run(&lab, op), STORE_OK);
		ck_assert_int_eq(op->out.page.total, callers[_i].total);
		ck_assert_int_eq(op->out.page.more, page * 4 < callers[_i].total);
		for (size_t k = 0; k < op->out.page.count; k++) {
			int t, o, i;

			ck_assert(whose(&op->out.page.tasks[k].id, &t, &o, &i));
			ck_assert(may_see(&who, t, o) && !seen[t][o][i]);
			seen[t][o][i] = true;
			count++;
		}
	}
	ck_assert_int_eq(count, callers[_i].total);
}
END_TEST

START_TEST(cursors_walk_the_same_rows_and_take_no_foreign_task)
{
	struct principal who = caller(SCOPE_TENANT, 1, 0);
	struct uuid after = {{0}};
	int count = 0;
	AUTO(store_op) struct store_op *foreign = store_op_new(STORE_TASK_LIST);

	for (int page = 0; page < 20; page++) {
		AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_LIST);

		op->caller = who;
		op->in.task_list = (struct task_list_in){
		        .page = 1, .per_page = 3, .has_after = page > 0, .after = after};
		ck_assert_int_eq(lab_run(&lab, op), STORE_OK);
		ck_assert_int_eq(op->out.page.total, EACH * OWNERS);
		count += (int)op->out.page.count;
		if (!op->out.page.more)
			break;
		after = op->out.page.tasks[op->out.page.count - 1].id;
	}
	ck_assert_int_eq(count, EACH * OWNERS);
	foreign->caller = who;
	foreign->in.task_list =
	        (struct task_list_in){.per_page = 3, .has_after = true, .after = tasks[0][0][3]};
	ck_assert_int_eq(lab_run(&lab, foreign), STORE_INVALID);
}
END_TEST

START_TEST(events_hold_exactly_what_is_ones_own)
{
	struct principal who = caller(callers[_i].scope, callers[_i].tenant, callers[_i].owner);
	AUTO(store_op) struct store_op *op = store_op_new(STORE_EVENT_LIST);
	AUTO(store_op) struct store_op *of_task = store_op_new(STORE_EVENT_LIST);

	op->caller = of_task->caller = who;
	op->in.events.limit = STORE_PAGE_MAX;
	ck_assert_int_eq(lab_run(&lab, op), STORE_OK);
	ck_assert_uint_eq(op->out.page.count, (size_t)callers[_i].total);
	of_task->in.events =
	        (struct event_list_in){.limit = 5, .has_task = true, .task = tasks[0][0][0]};
	ck_assert_int_eq(lab_run(&lab, of_task), may_see(&who, 0, 0) ? STORE_OK : STORE_NOT_FOUND);
}
END_TEST

/* OW5: the same key in another tenant, or of another owner, makes a task of its own. */
START_TEST(a_conflict_is_only_with_ones_own)
{
	for (int t = 0; t < TENANTS; t++)
		for (int o = 0; o < OWNERS; o++) {
			AUTO(store_op) struct store_op *op = lab_create_op("single", "{\"i\":3}");

			op->caller = caller(SCOPE_ANY, t, o); /* however far one sees */
			ck_assert_int_eq(lab_run(&lab, op), STORE_CONFLICT);
			ck_assert_mem_eq(&op->conflict_id, &tasks[t][o][3], sizeof(struct uuid));
		}
}
END_TEST

static const struct {
	const char *what;
	struct task_list_in in;
	int total;
} filters[] = {
        {"nothing",              {.page = 1, .per_page = 100},                                        42},
        {"namespace",            {.page = 1, .per_page = 100, .ns = "demo"},                          42},
        {"another namespace",    {.page = 1, .per_page = 100, .ns = "dem"},                           0 },
        {"name",                 {.page = 1, .per_page = 100, .name = "single"},                      42},
        {"another name",         {.page = 1, .per_page = 100, .ns = "demo", .name = "x"},             0 },
        {"initiator",            {.page = 1, .per_page = 100, .initiator = "tester"},                 42},
        {"another initiator",    {.page = 1, .per_page = 100, .initiator = "tester' OR 1=1 --"},      0 },
        {"source",               {.page = 1, .per_page = 100, .source_system = "lab"},                42},
        {"initiator and source",
         {.page = 1, .per_page = 100, .initiator = "tester", .source_system = "x"},                   0 },
        {"open states",          {.page = 1, .per_page = 100, .states = 1U << TASK_STEPS_IN_PROCESS}, 41},
        {"cancelled",            {.page = 1, .per_page = 100, .states = 1U << TASK_CANCELLED},        1 },
        {"two states",
         {.page = 1,
                        .per_page = 100,
                        .states = 1U << TASK_CANCELLED | 1U << TASK_STEPS_IN_PROCESS},
         42                                                                                             },
        {"complete",             {.page = 1, .per_page = 100, .states = 1U << TASK_COMPLETE},         0 },
};

START_TEST(filters_choose_exactly)
{
	AUTO(store_op) struct store_op *cancel = store_op_new(STORE_TASK_CANCEL);
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_LIST);

	cancel->caller = op->caller = lab_caller(SCOPE_ANY, "", "");
	cancel->in.id.task = tasks[0][0][0];
	ck_assert_int_eq(lab_run(&lab, cancel), STORE_OK);
	op->in.task_list = filters[_i].in;
	ck_assert_int_eq(lab_run(&lab, op), STORE_OK);
	ck_assert_msg(op->out.page.total == filters[_i].total, "%s", filters[_i].what);
	ck_assert_uint_eq(op->out.page.count, (size_t)filters[_i].total);
}
END_TEST

START_TEST(a_page_out_of_bounds_is_refused)
{
	static const struct task_list_in bad[] = {
	        {.page = 1,  .per_page = 0  },
                {.page = 1,  .per_page = 101},
	        {.page = 0,  .per_page = 5  },
                {.page = -1, .per_page = 5  }
        };

	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_LIST);

		op->caller = lab_caller(SCOPE_ANY, "", "");
		op->in.task_list = bad[i];
		ck_assert_int_eq(lab_run(&lab, op), STORE_INVALID);
	}
}
END_TEST

Suite *
store_scope_suite(void)
{
	Suite *s = suite_create("store scope");
	TCase *tc = tcase_create("scope");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_foreign_task_is_a_missing_one, 0, COUNT(callers));
	tcase_add_loop_test(tc, a_foreign_task_cannot_be_cancelled, 0, COUNT(callers));
	tcase_add_loop_test(tc, lists_hold_exactly_what_is_ones_own, 0, COUNT(callers));
	tcase_add_test(tc, cursors_walk_the_same_rows_and_take_no_foreign_task);
	tcase_add_loop_test(tc, events_hold_exactly_what_is_ones_own, 0, COUNT(callers));
	tcase_add_test(tc, a_conflict_is_only_with_ones_own);
	tcase_add_loop_test(tc, filters_choose_exactly, 0, COUNT(filters));
	tcase_add_test(tc, a_page_out_of_bounds_is_refused);
	suite_add_tcase(s, tc);
	return s;
}

/* The state that sums mean, and what a task looks like from outside. */
#include "orchestration/engine/task_rules.h"

#include "orchestration/engine/status.h"
#include "tests/unit/unit.h"

static const struct {
	int remaining, live, waiting, failed;
	enum task_state state;
	enum event_kind event;
} sums[] = {
        {0, 0, 0, 0, TASK_COMPLETE,                 EVENT_TASK_COMPLETED},
        {2, 1, 0, 0, TASK_STEPS_IN_PROCESS,         EVENT_TASK_RESUMED  },
        {2, 1, 1, 1, TASK_STEPS_IN_PROCESS,         EVENT_TASK_RESUMED  },
        {2, 0, 1, 1, TASK_BLOCKED_BY_FAILURES,      EVENT_TASK_BLOCKED  },
        {2, 0, 0, 1, TASK_BLOCKED_BY_FAILURES,      EVENT_TASK_BLOCKED  },
        {2, 0, 1, 0, TASK_WAITING_FOR_RETRY,        EVENT_TASK_WAITING  },
        {2, 0, 0, 0, TASK_WAITING_FOR_DEPENDENCIES, EVENT_TASK_WAITING  },
};

START_TEST(sums_mean_one_state)
{
	struct task_facts t = {.state = TASK_PENDING,
	        .total = 3,
	        .remaining = sums[_i].remaining,
	        .live = sums[_i].live,
	        .waiting = sums[_i].waiting,
	        .failed = sums[_i].failed};

	ck_assert_int_eq(task_evaluate(&t), sums[_i].event);
	ck_assert_int_eq(t.state, sums[_i].state);
	ck_assert_int_eq(task_evaluate(&t), EVENT_NONE);
}
END_TEST

START_TEST(a_final_task_is_not_evaluated_again)
{
	for (int s = 1; s < TASK_STATE_END; s++) {
		struct task_facts t = {.state = (enum task_state)s, .remaining = 1, .live = 1};
		enum event_kind kind = EVENT_NONE;
		bool final = task_state_is_final(t.state);

		if (final)
			ck_assert_int_eq(task_evaluate(&t), EVENT_NONE);
		t.state = (enum task_state)s;
		ck_assert_int_eq(task_cancel(&t, &kind), !final);
		ck_assert_int_eq(t.state, final ? (enum task_state)s : TASK_CANCELLED);
		ck_assert_int_eq(kind, final ? EVENT_NONE : EVENT_TASK_CANCELLED);
	}
}
END_TEST

START_TEST(a_new_task_is_in_process_with_its_roots)
{
	struct task_facts t = task_begin(4, 1);

	ck_assert_int_eq(t.state, TASK_STEPS_IN_PROCESS);
	ck_assert_int_eq(t.remaining, 4);
	ck_assert_int_eq(t.live, 1);
	ck_assert(!task_is_blocked(&t));
	t.failed = 1;
	ck_assert(task_is_blocked(&t));
}
END_TEST

/* Sums kept by differences equal sums counted anew, for every pair of states. */
START_TEST(counting_differences_counts_right)
{
	for (int a = 1; a < STEP_STATE_END; a++) {
		for (int b = 1; b < STEP_STATE_END; b++) {
			struct step_facts before = {
			        .state = (enum step_state)a, .queued = a == STEP_PENDING};
			struct step_facts after = {
			        .state = (enum step_state)b, .queued = b == STEP_PENDING};
			struct task_facts t = {
			        .remaining = 5, .live = 5, .waiting = 5, .failed = 5};

			task_count(&t, &before, &after);
			ck_assert_int_eq(
			        t.remaining - 5, (int)step_state_satisfies(before.state) -
			                                 (int)step_state_satisfies(after.state));
			ck_assert_int_eq(t.failed - 5, (b == STEP_ERROR) - (a == STEP_ERROR));
			ck_assert_int_eq(t.waiting - 5,
			        (b == STEP_WAITING_FOR_RETRY) - (a == STEP_WAITING_FOR_RETRY));
			ck_assert_int_eq(
			        t.live - 5, (b == STEP_PENDING || b == STEP_IN_PROGRESS) -
			                            (a == STEP_PENDING || a == STEP_IN_PROGRESS));
		}
	}
}
END_TEST

/* tasker-rest 1.5 and 3.3: precedence of execution status; its action; health; percentage. */
static const struct {
	struct step_counts c;
	const char *status, *action, *health;
	double percentage;
} looks[] = {
        {{.total = 4, .failed = 1, .ready = 1, .completed = 1},     "blocked_by_failures",
         "handle_failures",                                                                                              "blocked",    25   },
        {{.total = 4, .ready = 1, .in_process = 1},                 "has_ready_steps",          "execute_ready_steps",
         "healthy",                                                                                                                    0    },
        {{.total = 3, .in_process = 1, .completed = 1},             "processing",               "wait_for_completion",
         "healthy",                                                                                                                    33.33},
        {{.total = 3, .completed = 3},                              "all_complete",             "finalize_task",         "healthy",    100  },
        {{.total = 3, .waiting = 1, .failures = 1, .completed = 2}, "waiting_for_dependencies",
         "wait_for_dependencies",                                                                                        "recovering", 66.67},
        {{.total = 2, .cancelled = 2},                              "waiting_for_dependencies", "wait_for_dependencies",
         "healthy",                                                                                                                    0    },
        {{.total = 0},                                              "waiting_for_dependencies", "wait_for_dependencies", "unknown",    0    },
};

START_TEST(a_task_looks_as_its_steps_count)
{
	enum execution_status s = execution_status_of(&looks[_i].c);

	ck_assert_str_eq(execution_status_name(s), looks[_i].status);
	ck_assert_str_eq(execution_status_action(s), looks[_i].action);
	ck_assert_str_eq(health_status_of(&looks[_i].c), looks[_i].health);
	ck_assert_double_eq_tol(
	        completion_percentage_of(&looks[_i].c), looks[_i].percentage, 0.001);
	ck_assert_str_eq(execution_status_name((enum execution_status)77), "unknown");
	ck_assert_str_eq(execution_status_action((enum execution_status)77), "none");
}
END_TEST

START_TEST(every_step_is_counted_where_it_belongs)
{
	struct step_counts c = {0};

	for (int s = 1; s < STEP_STATE_END; s++)
		step_counts_add(&c, (enum step_state)s, s == STEP_PENDING, 1);
	ck_assert_int_eq(c.total, 10);
	ck_assert_int_eq(c.pending, 1);
	ck_assert_int_eq(c.in_progress, 1);
	ck_assert_int_eq(c.in_process, 4);
	ck_assert_int_eq(c.completed, 2);
	ck_assert_int_eq(c.failed, 1);
	ck_assert_int_eq(c.ready, 1);
	ck_assert_int_eq(c.waiting, 1);
	ck_assert_int_eq(c.cancelled, 1);
	ck_assert_int_eq(c.failures, 6); /* of those that may still end well */
}
END_TEST

Suite *
engine_task_suite(void)
{
	Suite *s = suite_create("engine task");
	TCase *tc = tcase_create("rules");

	tcase_add_loop_test(tc, sums_mean_one_state, 0, COUNT(sums));
	tcase_add_test(tc, a_final_task_is_not_evaluated_again);
	tcase_add_test(tc, a_new_task_is_in_process_with_its_roots);
	tcase_add_test(tc, counting_differences_counts_right);
	tcase_add_loop_test(tc, a_task_looks_as_its_steps_count, 0, COUNT(looks));
	tcase_add_test(tc, every_step_is_counted_where_it_belongs);
	suite_add_tcase(s, tc);
	return s;
}

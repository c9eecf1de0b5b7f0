/* The state tables: 12 and 10 names, and exactly the edges that one transaction may take. */
#include "orchestration/engine/state.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char *const task_names[] = {"pending", "initializing", "enqueuing_steps",
        "steps_in_process", "evaluating_results", "waiting_for_dependencies", "waiting_for_retry",
        "blocked_by_failures", "complete", "error", "cancelled", "resolved_manually"};

static const char *const step_names[] = {"pending", "enqueued", "in_progress",
        "enqueued_for_orchestration", "enqueued_as_error_for_orchestration", "waiting_for_retry",
        "error", "complete", "cancelled", "resolved_manually"};

START_TEST(unknown_names_are_no_state)
{
	static const char *const wrong[] = {"", "Complete", "complete ", "complet", "unknown"};

	for (size_t i = 0; i < COUNT(wrong); i++) {
		ck_assert_int_eq(task_state_parse(wrong[i], strlen(wrong[i])), TASK_STATE_NONE);
		ck_assert_int_eq(step_state_parse(wrong[i], strlen(wrong[i])), STEP_STATE_NONE);
	}
	ck_assert_str_eq(task_state_name((enum task_state)99), "unknown");
	ck_assert_str_eq(step_state_name(STEP_STATE_NONE), "unknown");
	ck_assert_str_eq(event_kind_name((enum event_kind)99), "unknown");
}
END_TEST

START_TEST(every_name_is_spelled_and_parsed)
{
	ck_assert_uint_eq(COUNT(task_names), TASK_STATE_END - 1);
	ck_assert_uint_eq(COUNT(step_names), STEP_STATE_END - 1);
	for (size_t i = 0; i < COUNT(task_names); i++) {
		ck_assert_str_eq(task_state_name((enum task_state)(i + 1)), task_names[i]);
		ck_assert_uint_eq(task_state_parse(task_names[i], strlen(task_names[i])), i + 1);
	}
	for (size_t i = 0; i < COUNT(step_names); i++) {
		ck_assert_str_eq(step_state_name((enum step_state)(i + 1)), step_names[i]);
		ck_assert_uint_eq(step_state_parse(step_names[i], strlen(step_names[i])), i + 1);
	}
}
END_TEST

START_TEST(nothing_leaves_a_final_state)
{
	for (int from = 1; from < TASK_STATE_END; from++)
		for (int to = 1; task_state_is_final((enum task_state)from) && to < TASK_STATE_END;
		        to++)
			ck_assert(!task_edge_is_legal((enum task_state)from, (enum task_state)to));
	for (int from = 1; from < STEP_STATE_END; from++)
		for (int to = 1; step_state_is_final((enum step_state)from) && to < STEP_STATE_END;
		        to++)
			ck_assert(!step_edge_is_legal((enum step_state)from, (enum step_state)to));
	ck_assert(!step_state_is_final(STEP_ERROR));
	ck_assert(task_state_is_final(TASK_ERROR));
}
END_TEST

static const struct {
	enum task_state from, to;
	bool legal;
} task_edges[] = {
        {TASK_STATE_NONE,          TASK_STEPS_IN_PROCESS,         true },
        {TASK_STATE_NONE,          TASK_COMPLETE,                 true },
        {TASK_STATE_NONE,          TASK_BLOCKED_BY_FAILURES,      false},
        {TASK_STEPS_IN_PROCESS,    TASK_COMPLETE,                 true },
        {TASK_STEPS_IN_PROCESS,    TASK_WAITING_FOR_RETRY,        true },
        {TASK_STEPS_IN_PROCESS,    TASK_BLOCKED_BY_FAILURES,      true },
        {TASK_STEPS_IN_PROCESS,    TASK_WAITING_FOR_DEPENDENCIES, true },
        {TASK_STEPS_IN_PROCESS,    TASK_CANCELLED,                true },
        {TASK_STEPS_IN_PROCESS,    TASK_STATE_NONE,               false},
        {TASK_WAITING_FOR_RETRY,   TASK_STEPS_IN_PROCESS,         true },
        {TASK_WAITING_FOR_RETRY,   TASK_COMPLETE,                 false},
        {TASK_WAITING_FOR_RETRY,   TASK_BLOCKED_BY_FAILURES,      false},
        {TASK_BLOCKED_BY_FAILURES, TASK_ERROR,                    true },
        {TASK_BLOCKED_BY_FAILURES, TASK_RESOLVED_MANUALLY,        true },
        {TASK_COMPLETE,            TASK_PENDING,                  false},
        {TASK_ERROR,               TASK_PENDING,                  false},
};

START_TEST(task_edges_follow_the_table)
{
	ck_assert_int_eq(
	        task_edge_is_legal(task_edges[_i].from, task_edges[_i].to), task_edges[_i].legal);
}
END_TEST

static const struct {
	enum step_state from, to;
	bool legal;
} step_edges[] = {
        {STEP_STATE_NONE,        STEP_PENDING,           true },
        {STEP_STATE_NONE,        STEP_IN_PROGRESS,       false},
        {STEP_PENDING,           STEP_IN_PROGRESS,       true },
        {STEP_PENDING,           STEP_CANCELLED,         true },
        {STEP_PENDING,           STEP_ERROR,             true },
        {STEP_IN_PROGRESS,       STEP_COMPLETE,          true },
        {STEP_IN_PROGRESS,       STEP_ERROR,             true },
        {STEP_IN_PROGRESS,       STEP_WAITING_FOR_RETRY, true },
        {STEP_IN_PROGRESS,       STEP_PENDING,           true },
        {STEP_IN_PROGRESS,       STEP_CANCELLED,         true },
        {STEP_WAITING_FOR_RETRY, STEP_PENDING,           true },
        {STEP_WAITING_FOR_RETRY, STEP_IN_PROGRESS,       false},
        {STEP_ERROR,             STEP_PENDING,           true },
        {STEP_ERROR,             STEP_RESOLVED_MANUALLY, true },
        {STEP_CANCELLED,         STEP_PENDING,           false},
        {STEP_COMPLETE,          STEP_RESOLVED_MANUALLY, false},
};

START_TEST(step_edges_follow_the_table)
{
	ck_assert_int_eq(
	        step_edge_is_legal(step_edges[_i].from, step_edges[_i].to), step_edges[_i].legal);
}
END_TEST

START_TEST(only_complete_and_resolved_satisfy_children)
{
	for (int s = 0; s < STEP_STATE_END; s++)
		ck_assert_int_eq(step_state_satisfies((enum step_state)s),
		        s == STEP_COMPLETE || s == STEP_RESOLVED_MANUALLY);
}
END_TEST

START_TEST(events_say_whose_they_are)
{
	for (int k = 1; k < EVENT_KIND_END; k++) {
		const char *name = event_kind_name((enum event_kind)k);

		ck_assert_int_eq(
		        event_kind_is_of_step((enum event_kind)k), strncmp(name, "step.", 5) == 0);
	}
}
END_TEST

Suite *
engine_state_suite(void)
{
	Suite *s = suite_create("engine state");
	TCase *tc = tcase_create("tables");

	tcase_add_test(tc, unknown_names_are_no_state);
	tcase_add_test(tc, every_name_is_spelled_and_parsed);
	tcase_add_test(tc, nothing_leaves_a_final_state);
	tcase_add_loop_test(tc, task_edges_follow_the_table, 0, COUNT(task_edges));
	tcase_add_loop_test(tc, step_edges_follow_the_table, 0, COUNT(step_edges));
	tcase_add_test(tc, only_complete_and_resolved_satisfy_children);
	tcase_add_test(tc, events_say_whose_they_are);
	suite_add_tcase(s, tc);
	return s;
}

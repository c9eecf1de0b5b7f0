/* The rules of a step as truth tables: who may report what (I4, WI4, WI5), what it leads to. */
#include "orchestration/engine/step_rules.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { SESSION = 7, OTHER = 8 };

static const struct step_policy three_tries = {
        .retryable = true,
        .max_attempts = 3,
        .max_lease_losses = 10,
        .backoff = {TEMPLATE_BACKOFF_EXPONENTIAL, 1000, 30000}
};
static const struct moment now = {.wall_us = 5000000, .random = BACKOFF_NO_JITTER};

static struct step_facts
running(void)
{
	return (struct step_facts){
	        .state = STEP_IN_PROGRESS, .attempt = 2, .settled = 1, .session = SESSION};
}

/* What a report by `session` of `attempt` means for a step in `state`. */
static const struct {
	const char *what;
	enum step_state state;
	int settled;
	int64_t session;
	int attempt;
	enum report_verdict verdict;
} reports[] = {
        {"the current attempt",             STEP_IN_PROGRESS,       1, SESSION, 2, REPORT_ACCEPTED     },
        {"another session's",               STEP_IN_PROGRESS,       1, OTHER,   2, REPORT_STALE        },
        {"an earlier, settled attempt",     STEP_IN_PROGRESS,       1, SESSION, 1, REPORT_DUPLICATE    },
        {"an earlier, unsettled attempt",   STEP_IN_PROGRESS,       0, SESSION, 1, REPORT_STALE        },
        {"an attempt to come",              STEP_IN_PROGRESS,       1, SESSION, 3, REPORT_STALE        },
        {"attempt zero",                    STEP_IN_PROGRESS,       0, SESSION, 0, REPORT_STALE        },
        {"a repeated success",              STEP_COMPLETE,          2, SESSION, 2, REPORT_DUPLICATE    },
        {"a stranger's repeat",             STEP_COMPLETE,          2, OTHER,   2, REPORT_STALE        },
        {"a repeated failure",              STEP_WAITING_FOR_RETRY, 2, SESSION, 2, REPORT_DUPLICATE    },
        {"a repeat when it is ready again", STEP_PENDING,           2, SESSION, 2, REPORT_DUPLICATE    },
        {"late, and nobody took it",        STEP_PENDING,           1, SESSION, 2, REPORT_ACCEPTED_LATE},
        {"late, by another",                STEP_PENDING,           1, OTHER,   2, REPORT_STALE        },
        {"its task was cancelled",          STEP_CANCELLED,         1, SESSION, 2, REPORT_NOTED        },
        {"cancelled, by another",           STEP_CANCELLED,         1, OTHER,   2, REPORT_STALE        },
        {"too many workers were lost",      STEP_ERROR,             1, SESSION, 2, REPORT_STALE        },
        {"resolved by hand meanwhile",      STEP_RESOLVED_MANUALLY, 1, SESSION, 2, REPORT_STALE        },
};

START_TEST(a_report_counts_only_from_the_current_holder)
{
	struct step_facts s = running();
	struct step_report r = {.session = reports[_i].session,
	        .attempt = reports[_i].attempt,
	        .outcome = OUTCOME_OK,
	        .retry_after_ms = -1};
	struct step_change out, untouched;

	memset(&out, 0x5a, sizeof(out));
	untouched = out;
	s.state = reports[_i].state;
	s.settled = reports[_i].settled;
	ck_assert_msg(step_report(&s, &r, &three_tries, now, &out) == reports[_i].verdict, "%s",
	        reports[_i].what);
	if (reports[_i].verdict == REPORT_ACCEPTED || reports[_i].verdict == REPORT_ACCEPTED_LATE) {
		ck_assert_int_eq(out.next.state, STEP_COMPLETE);
		ck_assert_int_eq(out.next.settled, 2);
	} else {
		ck_assert_mem_eq(&out, &untouched, sizeof(out));
	}
}
END_TEST

/* What an accepted report leads to. */
static const struct {
	const char *what;
	enum step_outcome outcome;
	bool retryable;
	int failures_before;
	int64_t retry_after_ms;
	enum step_state next;
	enum event_kind event;
	int failures;
	int64_t delay_ms;
} outcomes[] = {
        {"success",               OUTCOME_OK,        false, 0, -1,        STEP_COMPLETE,          EVENT_STEP_COMPLETED, 0, 0      },
        {"first failure",         OUTCOME_ERROR,     true,  0, -1,        STEP_WAITING_FOR_RETRY,
         EVENT_STEP_RETRY_SCHEDULED,                                                                                    1, 1000   },
        {"second failure",        OUTCOME_ERROR,     true,  1, -1,        STEP_WAITING_FOR_RETRY,
         EVENT_STEP_RETRY_SCHEDULED,                                                                                    2, 2000   },
        {"third failure",         OUTCOME_ERROR,     true,  2, -1,        STEP_ERROR,             EVENT_STEP_FAILED,    3, 0      },
        {"failure for good",      OUTCOME_ERROR,     false, 0, -1,        STEP_ERROR,             EVENT_STEP_FAILED,    1, 0      },
        {"the handler's wish",    OUTCOME_ERROR,     true,  0, 5000,      STEP_WAITING_FOR_RETRY,
         EVENT_STEP_RETRY_SCHEDULED,                                                                                    1, 5000   },
        {"a wish beyond an hour", OUTCOME_ERROR,     true,  0, INT64_MAX, STEP_WAITING_FOR_RETRY,
         EVENT_STEP_RETRY_SCHEDULED,                                                                                    1, 3600000},
        {"handed back",           OUTCOME_RELEASED,  false, 1, -1,        STEP_PENDING,           EVENT_STEP_RELEASED,  1, 0      },
        {"came to nothing",       OUTCOME_CANCELLED, false, 1, -1,        STEP_PENDING,           EVENT_STEP_LOST,      1, 0      },
};

START_TEST(an_outcome_leads_where_the_table_says)
{
	struct step_facts s = running();
	struct step_report r = {.session = SESSION,
	        .attempt = 2,
	        .outcome = outcomes[_i].outcome,
	        .retryable = outcomes[_i].retryable,
	        .retry_after_ms = outcomes[_i].retry_after_ms};
	struct step_change out;

	s.failures = outcomes[_i].failures_before;
	ck_assert_int_eq(step_report(&s, &r, &three_tries, now, &out), REPORT_ACCEPTED);
	ck_assert_msg(out.next.state == outcomes[_i].next, "%s", outcomes[_i].what);
	ck_assert_int_eq(out.event, outcomes[_i].event);
	ck_assert_int_eq(out.next.failures, outcomes[_i].failures);
	ck_assert_int_eq(out.delay_ms, outcomes[_i].delay_ms);
	ck_assert_int_eq(out.next.settled, 2);
	ck_assert_int_eq(out.next.attempt, 2);
	ck_assert_int_eq(out.next.queued, outcomes[_i].next == STEP_PENDING);
	if (out.delay_ms > 0)
		ck_assert_int_eq(out.next.retry_at, now.wall_us + out.delay_ms * 1000);
	else
		ck_assert_int_eq(out.next.retry_at, 0);
}
END_TEST

START_TEST(in_a_blocked_task_nothing_is_offered_again)
{
	static const enum step_outcome all[] = {OUTCOME_ERROR, OUTCOME_RELEASED, OUTCOME_CANCELLED};
	struct step_policy blocked = three_tries;
	struct step_facts s = running();
	struct step_change out;

	blocked.blocked = true;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct step_report r = {SESSION, 2, all[i], true, -1};

		ck_assert_int_eq(step_report(&s, &r, &blocked, now, &out), REPORT_ACCEPTED);
		ck_assert(!out.next.queued && out.next.retry_at == 0);
	}
	ck_assert(step_give_back(&s, OUTCOME_UNHELD, &blocked, &out) && !out.next.queued);
	s = (struct step_facts){.state = STEP_PENDING, .unmet = 1};
	ck_assert(step_parent_done(&s, &blocked, &out) && !out.next.queued);
	s = (struct step_facts){.state = STEP_WAITING_FOR_RETRY, .retry_at = 1};
	ck_assert(!step_retry_due(&s, &blocked, &out));
}
END_TEST

/* A lost worker burns no failure; the tenth loss ends the step. */
START_TEST(losses_count_apart_from_failures)
{
	struct step_facts s = running();
	struct step_change out;

	for (int loss = 1; loss <= 10; loss++) {
		ck_assert(step_give_back(&s, OUTCOME_LOST, &three_tries, &out));
		ck_assert_int_eq(out.next.lease_losses, loss);
		ck_assert_int_eq(out.next.failures, 0);
		ck_assert_int_eq(out.next.state, loss < 10 ? STEP_PENDING : STEP_ERROR);
		ck_assert_int_eq(out.event, loss < 10 ? EVENT_STEP_LOST : EVENT_STEP_FAILED);
		if (loss < 10)
			ck_assert(step_claim(&out.next, OTHER, &out));
		s = out.next;
	}
	ck_assert_int_eq(s.attempt, 11);
}
END_TEST

START_TEST(what_was_not_held_goes_back_unburnt_and_may_still_be_reported)
{
	struct step_facts s = running();
	struct step_report r = {SESSION, 2, OUTCOME_OK, false, -1};
	struct step_change out;

	ck_assert(step_give_back(&s, OUTCOME_UNHELD, &three_tries, &out));
	ck_assert_int_eq(out.next.state, STEP_PENDING);
	ck_assert_int_eq(out.next.lease_losses, 0);
	ck_assert_int_eq(out.next.failures, 0);
	ck_assert(out.next.queued);
	s = out.next;
	ck_assert_int_eq(step_report(&s, &r, &three_tries, now, &out), REPORT_ACCEPTED_LATE);
	ck_assert_int_eq(out.next.state, STEP_COMPLETE);
}
END_TEST

START_TEST(only_a_ready_step_is_claimed)
{
	struct step_facts s = step_begin(0), not_ready[] = {step_begin(1), running(), s, s};
	struct step_change out;

	not_ready[2].queued = false;
	not_ready[3].state = STEP_WAITING_FOR_RETRY;
	for (size_t i = 0; i < COUNT(not_ready); i++)
		ck_assert(!step_claim(&not_ready[i], SESSION, &out));
	ck_assert(!step_claim(&s, 0, &out));
	ck_assert(step_claim(&s, SESSION, &out));
	ck_assert_int_eq(out.next.state, STEP_IN_PROGRESS);
	ck_assert_int_eq(out.next.attempt, 1);
	ck_assert_int_eq(out.next.session, SESSION);
	ck_assert(!out.next.queued);
	ck_assert_int_eq(out.event, EVENT_STEP_STARTED);
}
END_TEST

START_TEST(a_join_is_ready_with_its_last_parent_and_not_before)
{
	struct step_facts s = step_begin(3);
	struct step_change out;

	for (int left = 2; left >= 0; left--) {
		ck_assert(step_parent_done(&s, &three_tries, &out));
		ck_assert_int_eq(out.next.unmet, left);
		ck_assert_int_eq(out.next.queued, left == 0);
		ck_assert_int_eq(out.event, EVENT_NONE);
		s = out.next;
	}
	ck_assert(!step_parent_done(&s, &three_tries, &out));
}
END_TEST

START_TEST(cancel_ends_whatever_is_not_final)
{
	struct step_change out;

	for (int state = 1; state < STEP_STATE_END; state++) {
		struct step_facts s = {
		        .state = (enum step_state)state, .queued = true, .retry_at = 9};
		bool open = !step_state_is_final(s.state);

		ck_assert_int_eq(step_cancel(&s, &out), open);
		if (open)
			ck_assert(out.next.state == STEP_CANCELLED && !out.next.queued &&
			          out.next.retry_at == 0);
	}
}
END_TEST

START_TEST(holding_takes_the_offer_back_and_stops_the_timer)
{
	struct step_facts s = step_begin(0);
	struct step_change out;

	ck_assert(step_hold(&s, &out));
	ck_assert(!out.next.queued && out.next.state == STEP_PENDING);
	ck_assert(!step_hold(&out.next, &out));
	s = (struct step_facts){.state = STEP_WAITING_FOR_RETRY, .retry_at = 9};
	ck_assert(step_hold(&s, &out));
	ck_assert_int_eq(out.next.retry_at, 0);
}
END_TEST

/* retry_eligible: before the first failure always (max_attempts 0), then while attempts are left.
 */
START_TEST(the_first_attempt_runs_whatever_the_limit)
{
	static const struct {
		bool retryable;
		int max, failures;
		bool may;
	} cases[] = {
	        {true,  0, 0, true },
	        {true,  0, 1, false},
	        {false, 3, 0, true },
	        {false, 3, 1, false},
	        {true,  3, 2, true },
	        {true,  3, 3, false},
	        {true,  1, 1, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct step_policy p = {
		        .retryable = cases[i].retryable, .max_attempts = cases[i].max};
		struct step_facts s = {.failures = cases[i].failures};

		ck_assert_int_eq(step_may_retry(&s, &p), cases[i].may);
	}
}
END_TEST

static const struct {
	enum template_backoff kind;
	int64_t base, max;
	int failures;
	int64_t delay;
} delays[] = {
        {TEMPLATE_BACKOFF_NONE,        1000,    30000,         1,   0            },
        {TEMPLATE_BACKOFF_NONE,        1000,    30000,         5,   0            },
        {TEMPLATE_BACKOFF_LINEAR,      1000,    30000,         1,   1000         },
        {TEMPLATE_BACKOFF_LINEAR,      1000,    30000,         3,   3000         },
        {TEMPLATE_BACKOFF_LINEAR,      1000,    2500,          3,   2500         },
        {TEMPLATE_BACKOFF_EXPONENTIAL, 1000,    30000,         1,   1000         },
        {TEMPLATE_BACKOFF_EXPONENTIAL, 1000,    30000,         2,   2000         },
        {TEMPLATE_BACKOFF_EXPONENTIAL, 1000,    30000,         5,   16000        },
        {TEMPLATE_BACKOFF_EXPONENTIAL, 1000,    30000,         6,   30000        },
        {TEMPLATE_BACKOFF_EXPONENTIAL, 3600000, INT64_MAX / 4, 100, INT64_MAX / 4},
        {TEMPLATE_BACKOFF_FIBONACCI,   1000,    30000,         1,   1000         },
        {TEMPLATE_BACKOFF_FIBONACCI,   1000,    30000,         2,   1000         },
        {TEMPLATE_BACKOFF_FIBONACCI,   1000,    30000,         3,   2000         },
        {TEMPLATE_BACKOFF_FIBONACCI,   1000,    30000,         4,   3000         },
        {TEMPLATE_BACKOFF_FIBONACCI,   1000,    30000,         5,   5000         },
        {TEMPLATE_BACKOFF_FIBONACCI,   1000,    30000,         6,   8000         },
        {TEMPLATE_BACKOFF_FIBONACCI,   1000,    10000,         7,   10000        },
};

START_TEST(backoff_grows_as_its_kind_says_up_to_its_cap)
{
	struct backoff b = {delays[_i].kind, delays[_i].base, delays[_i].max};

	ck_assert_int_eq(
	        backoff_delay_ms(&b, delays[_i].failures, -1, BACKOFF_NO_JITTER), delays[_i].delay);
}
END_TEST

START_TEST(jitter_stays_within_15_percent_and_spreads)
{
	struct backoff b = {TEMPLATE_BACKOFF_LINEAR, 10000, 100000};
	int64_t low = INT64_MAX, high = 0;

	for (uint64_t random = 0; random < 200000; random += 7) {
		int64_t delay = backoff_delay_ms(&b, 1, -1, random);

		ck_assert_int_ge(delay, 8500);
		ck_assert_int_le(delay, 11500);
		low = delay < low ? delay : low;
		high = delay > high ? delay : high;
	}
	ck_assert_int_le(low, 8501);
	ck_assert_int_ge(high, 11499);
	ck_assert_int_eq(backoff_delay_ms(&b, 1, 700, 0), 700); /* a wish is taken as it is */
	ck_assert_int_eq(backoff_delay_ms(&b, 1, 0, 0), 0);
}
END_TEST

Suite *
engine_step_suite(void)
{
	Suite *s = suite_create("engine step");
	TCase *tc = tcase_create("rules");

	tcase_add_loop_test(tc, a_report_counts_only_from_the_current_holder, 0, COUNT(reports));
	tcase_add_loop_test(tc, an_outcome_leads_where_the_table_says, 0, COUNT(outcomes));
	tcase_add_test(tc, in_a_blocked_task_nothing_is_offered_again);
	tcase_add_test(tc, losses_count_apart_from_failures);
	tcase_add_test(tc, what_was_not_held_goes_back_unburnt_and_may_still_be_reported);
	tcase_add_test(tc, only_a_ready_step_is_claimed);
	tcase_add_test(tc, a_join_is_ready_with_its_last_parent_and_not_before);
	tcase_add_test(tc, cancel_ends_whatever_is_not_final);
	tcase_add_test(tc, holding_takes_the_offer_back_and_stops_the_timer);
	tcase_add_test(tc, the_first_attempt_runs_whatever_the_limit);
	tcase_add_loop_test(tc, backoff_grows_as_its_kind_says_up_to_its_cap, 0, COUNT(delays));
	tcase_add_test(tc, jitter_stays_within_15_percent_and_spreads);
	suite_add_tcase(s, tc);
	return s;
}

/* Probes at given times: what is ready, what is not, and why. */
#include "shared/runtime/health.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { SECOND = 1000000 };

#define PROBE(n, ...) ((struct health_probe_settings){.name = (n), __VA_ARGS__})

static struct health *
health_or_fail(void)
{
	struct health *h = NULL;
	struct err e = {0};

	ck_assert(health_new(&h, &e));
	return h;
}

static struct health_probe *
probe_or_fail(struct health *h, struct health_probe_settings settings)
{
	struct health_probe *p = NULL;
	struct err e = {0};

	ck_assert_msg(health_add(h, &settings, &p, &e), "%s", e.text);
	return p;
}

static enum health_state
state_of(const struct health *h, size_t n, int64_t now)
{
	struct health_result r;

	ck_assert(health_read(h, n, now, &r));
	return r.state;
}

START_TEST(a_critical_probe_that_said_nothing_is_no_readiness)
{
	AUTO(health) struct health *h = health_or_fail();
	struct health_probe *store = probe_or_fail(h, PROBE("store", .critical = true));

	ck_assert(!health_ready(h, SECOND));
	ck_assert_int_eq(state_of(h, 0, SECOND), HEALTH_UNKNOWN);
	health_report(store, HEALTH_HEALTHY, NULL, SECOND);
	ck_assert(health_ready(h, SECOND));
	ck_assert_int_eq(health_state(h, SECOND), HEALTH_HEALTHY);
}
END_TEST

static const struct {
	bool critical;
	enum health_state reported, overall;
	bool ready;
} cases[] = {
        {true,  HEALTH_HEALTHY,   HEALTH_HEALTHY,   true },
        {true,  HEALTH_DEGRADED,  HEALTH_DEGRADED,  true },
        {true,  HEALTH_UNHEALTHY, HEALTH_UNHEALTHY, false},
        {true,  HEALTH_UNKNOWN,   HEALTH_UNHEALTHY, false},
        {false, HEALTH_HEALTHY,   HEALTH_HEALTHY,   true },
        {false, HEALTH_DEGRADED,  HEALTH_DEGRADED,  true },
        {false, HEALTH_UNHEALTHY, HEALTH_DEGRADED,  true },
        {false, HEALTH_UNKNOWN,   HEALTH_DEGRADED,  true },
};

START_TEST(only_critical_probes_decide_readiness)
{
	AUTO(health) struct health *h = health_or_fail();
	struct health_probe *good = probe_or_fail(h, PROBE("good", .critical = true));
	struct health_probe *p = probe_or_fail(h, PROBE("p", .critical = cases[_i].critical));

	health_report(good, HEALTH_HEALTHY, NULL, SECOND);
	health_report(p, cases[_i].reported, NULL, SECOND);
	ck_assert_int_eq(health_ready(h, SECOND), cases[_i].ready);
	ck_assert_int_eq(health_state(h, SECOND), cases[_i].overall);
}
END_TEST

START_TEST(a_report_too_old_counts_as_unknown)
{
	AUTO(health) struct health *h = health_or_fail();
	struct health_probe *p =
	        probe_or_fail(h, PROBE("beat", .critical = true, .deadline_us = 5 * SECOND));

	health_report(p, HEALTH_HEALTHY, NULL, SECOND);
	ck_assert_int_eq(state_of(h, 0, 6 * SECOND), HEALTH_HEALTHY);
	ck_assert_int_eq(state_of(h, 0, 6 * SECOND + 1), HEALTH_UNKNOWN);
	ck_assert(!health_ready(h, 6 * SECOND + 1));
}
END_TEST

static void
count(struct health_probe *probe, void *arg)
{
	(void)probe;
	++*(unsigned *)arg;
}

START_TEST(a_check_runs_when_its_answer_has_aged_and_never_twice_at_once)
{
	AUTO(health) struct health *h = health_or_fail();
	unsigned started = 0;
	struct health_probe *p =
	        probe_or_fail(h, PROBE("tcp", .critical = true, .check = count, .arg = &started,
	                                 .every_us = 10 * SECOND, .deadline_us = 2 * SECOND));

	ck_assert_int_eq(health_run(h, SECOND), 10 * SECOND);
	ck_assert_uint_eq(started, 1);
	health_report(p, HEALTH_HEALTHY, NULL, SECOND + 1000);
	ck_assert_int_eq(health_run(h, 3 * SECOND), 8 * SECOND); /* cached */
	ck_assert_uint_eq(started, 1);
	(void)health_run(h, 11 * SECOND);
	ck_assert_uint_eq(started, 2);
	ck_assert_int_eq(state_of(h, 0, 12 * SECOND), HEALTH_HEALTHY); /* the old answer stands */
	ck_assert_int_eq(state_of(h, 0, 13 * SECOND + 1), HEALTH_UNHEALTHY); /* past its deadline */
	(void)health_run(h, 21 * SECOND);
	ck_assert_uint_eq(started, 2); /* the second still runs */
	health_report(p, HEALTH_HEALTHY, NULL, 22 * SECOND);
	ck_assert_int_eq(state_of(h, 0, 22 * SECOND), HEALTH_HEALTHY);
}
END_TEST

START_TEST(answers_of_a_runner_that_died_grow_old)
{
	AUTO(health) struct health *h = health_or_fail();
	unsigned started = 0;
	struct health_probe *p =
	        probe_or_fail(h, PROBE("tcp", .critical = true, .check = count, .arg = &started,
	                                 .every_us = 10 * SECOND, .deadline_us = 2 * SECOND));

	(void)health_run(h, SECOND);
	health_report(p, HEALTH_HEALTHY, NULL, SECOND);
	ck_assert_int_eq(state_of(h, 0, 23 * SECOND), HEALTH_HEALTHY);
	ck_assert_int_eq(state_of(h, 0, 23 * SECOND + 1), HEALTH_UNKNOWN);
}
END_TEST

START_TEST(draining_is_not_ready_whatever_the_probes_say)
{
	AUTO(health) struct health *h = health_or_fail();
	struct buf out = BUF(KIB(4));
	struct json_out w = json_out_on(&out);
	char *text;

	health_report(
	        probe_or_fail(h, PROBE("store", .critical = true)), HEALTH_HEALTHY, NULL, SECOND);
	health_drain(h);
	ck_assert(!health_ready(h, SECOND));
	ck_assert_int_eq(health_state(h, SECOND), HEALTH_UNHEALTHY);
	json_open(&w, NULL, '{');
	health_checks(h, SECOND, &w);
	json_close(&w, '}');
	text = buf_take_text(&out);
	ck_assert_str_eq(text, "{\"checks\":{\"store\":\"healthy\",\"shutdown\":\"unhealthy\"}}");
	free(text);
}
END_TEST

START_TEST(checks_show_no_texts_and_details_do)
{
	AUTO(health) struct health *h = health_or_fail();
	struct buf out = BUF(KIB(4));
	struct json_out w = json_out_on(&out);
	char *text;

	health_report(probe_or_fail(h, PROBE("store", .critical = true)), HEALTH_DEGRADED,
	        "slow disk", SECOND);
	(void)probe_or_fail(h, PROBE("jwks", .critical = false));
	json_open(&w, NULL, '[');
	json_open(&w, NULL, '{');
	health_checks(h, SECOND, &w);
	json_close(&w, '}');
	json_open(&w, NULL, '{');
	health_details(h, 3 * SECOND, INT64_C(1700000002000000), &w);
	json_close(&w, '}');
	json_close(&w, ']');
	text = buf_take_text(&out);
	ck_assert_str_eq(text,
	        "[{\"checks\":{\"store\":\"degraded\",\"jwks\":\"unknown\"}},"
	        "{\"checks\":{\"store\":{\"status\":\"degraded\",\"critical\":true,"
	        "\"message\":\"slow disk\",\"duration_ms\":0,"
	        "\"last_checked\":\"2023-11-14T22:13:20.000000Z\"},"
	        "\"jwks\":{\"status\":\"unknown\",\"critical\":false,"
	        "\"message\":\"nothing reported yet\",\"duration_ms\":0,\"last_checked\":null}}}]");
	free(text);
}
END_TEST

START_TEST(probes_are_bounded_and_named_once)
{
	static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	        "11", "12", "13", "14", "15"};
	AUTO(health) struct health *h = health_or_fail();
	struct health_probe *p = NULL;
	struct err e = {0};

	ck_assert_uint_eq(COUNT(names), HEALTH_PROBES);
	(void)probe_or_fail(h, PROBE(names[0], .critical = true));
	ck_assert(!health_add(h, &PROBE(names[0], .critical = false), &p, &e));
	ck_assert_int_eq(e.code, ERR_CONFLICT);
	for (size_t i = 1; i < COUNT(names); i++)
		(void)probe_or_fail(h, PROBE(names[i], .critical = false));
	ck_assert(!health_add(h, &PROBE("more", .critical = false), &p, &e));
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_ptr_null(p);
}
END_TEST

struct live {
	struct loop *loop;
	unsigned runs;
};

static void
answer_and_stop(struct health_probe *probe, void *arg)
{
	struct live *live = arg;

	health_report(probe, HEALTH_HEALTHY, NULL, loop_mono_us(live->loop));
	if (++live->runs == 3)
		loop_stop(live->loop);
}

START_TEST(a_started_health_checks_by_itself)
{
	AUTO(loop) struct loop *loop = NULL;
	AUTO(health) struct health *h = health_or_fail(); /* freed before its loop */
	struct live live = {0};
	struct err e = {0};

	ck_assert(loop_new("service", &loop, &e));
	live.loop = loop;
	(void)probe_or_fail(h, PROBE("x", .critical = true, .check = answer_and_stop, .arg = &live,
	                               .every_us = 1000, .deadline_us = SECOND));
	ck_assert(health_start(h, loop, &e));
	loop_run(loop);
	ck_assert_uint_eq(live.runs, 3);
	ck_assert(health_ready(h, loop_mono_us(loop)));
}
END_TEST

START_TEST(every_allocation_of_a_health_may_fail)
{
	AUTO(loop) struct loop *loop = NULL;
	unsigned nth = 0;
	bool built = false;
	struct err e = {0};

	ck_assert(loop_new("service", &loop, &e));
	while (!built) {
		AUTO(health) struct health *h = NULL;

		ck_assert_uint_lt(nth, 10);
		fault_allocation(++nth);
		built = health_new(&h, &e) && health_start(h, loop, &e);
		fault_allocation(0);
		if (!built)
			ck_assert_int_eq(e.code, ERR_NOMEM);
	}
	ck_assert_uint_eq(nth, 3);
}
END_TEST

Suite *
health_suite(void)
{
	Suite *s = suite_create("health");
	TCase *tc = tcase_create("health");

	tcase_add_test(tc, a_critical_probe_that_said_nothing_is_no_readiness);
	tcase_add_loop_test(tc, only_critical_probes_decide_readiness, 0, COUNT(cases));
	tcase_add_test(tc, a_report_too_old_counts_as_unknown);
	tcase_add_test(tc, a_check_runs_when_its_answer_has_aged_and_never_twice_at_once);
	tcase_add_test(tc, answers_of_a_runner_that_died_grow_old);
	tcase_add_test(tc, draining_is_not_ready_whatever_the_probes_say);
	tcase_add_test(tc, checks_show_no_texts_and_details_do);
	tcase_add_test(tc, probes_are_bounded_and_named_once);
	tcase_add_test(tc, a_started_health_checks_by_itself);
	tcase_add_test(tc, every_allocation_of_a_health_may_fail);
	suite_add_tcase(s, tc);
	return s;
}

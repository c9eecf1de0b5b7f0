/*
 * A step's way through the worker's link, between an orchestration played by this test and a runner
 * that does nothing: whatever fails, once, the step reaches the runner once and its result the
 * orchestration, without help from anybody (F5, I2).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/lib/patience.h"
#include "tests/torture/sweep.h"
#include "tests/unit/worker/fake_orchestration.h"
#include "tests/unit/worker/rig.h"
#include "worker/link.h"

enum { WITHIN_MS = 15000, SLICE_MS = 20, STEP_BYTES = 2048, ANSWER_BYTES = 512 };

static struct fake *fake;
static struct link *link_;

/* The step of this attempt. */
static struct {
	unsigned n;
	char frame[STEP_BYTES];
	struct step_report *report; /* what the runner will say of it */
	atomic_uint offers;
	unsigned given, accepted;
} at;

/* ---- the runner: on the link's thread, without a call that could fail ---- */

static bool
offer(struct step *step, void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	atomic_fetch_add(&at.offers, 1);
	step_free(step);
	return true;
}

static bool
stop(const char *step, int64_t attempt, enum stop why, void *arg)
{
	(void)step;
	(void)attempt;
	(void)why;
	(void)arg;
	return true;
}

static void
release_all(int64_t grace_us, void *arg)
{
	(void)grace_us;
	(void)arg;
}

static void
callables(struct buf *out, void *arg)
{
	(void)arg;
	buf_text(out, "[\"demo.greet\"]");
}

static bool
settled(void *arg)
{
	(void)arg;
	return true;
}

/* ---- the orchestration ---- */

static void
answer_poll(const struct fake_request *r)
{
	const bool held = strstr(r->body, rig_uuid(at.n)) != NULL;
	char results[ANSWER_BYTES] = "";

	if (strstr(r->body, "\"outcome\"") != NULL) {
		(void)snprintf(results, sizeof(results),
		        "{\"step\":\"%s\",\"attempt\":1,\"status\":\"accepted\"}", rig_uuid(at.n));
		at.accepted++;
	}
	/* What it holds already needs no answer before the poll's time is over. */
	if (held && results[0] == '\0')
		return;
	at.given += at.accepted == 0;
	fake_answer_poll(fake, r, results, at.accepted == 0 ? at.frame : "", "", "");
}

/* The result is accepted, and the link does not name it any more. */
static bool
is_over(const struct fake_request *r)
{
	return at.accepted > 0 && strstr(r->body, rig_uuid(at.n)) == NULL;
}

static bool
step_through(struct err *e)
{
	const int64_t until = clock_mono_us() + patience_ms(WITHIN_MS) * INT64_C(1000);
	struct fake_request r;

	while (clock_mono_us() < until) {
		if (at.report != NULL && atomic_load(&at.offers) > 0)
			link_report(link_, TAKE(at.report));
		if (!fake_try(fake, SLICE_MS, &r))
			continue;
		if (strcmp(r.path, "/v1/internal/workers") == 0) {
			fake_answer(fake, r.connection, 200,
			        "{\"session\":\"s\",\"lease_ms\":30000,\"beat_ms\":1000,"
			        "\"templates\":[]}");
			continue;
		}
		if (is_over(&r)) {
			fake_answer_poll(fake, &r, "", "", "", "");
			return true;
		}
		answer_poll(&r);
	}
	return err_set(e, ERR_IO, "given %u times, offered %u times, accepted %u times", at.given,
	        atomic_load(&at.offers), at.accepted);
}

/* ---- sweeping ---- */

static bool
attempt(void *arg, struct err *e)
{
	(void)arg;
	return step_through(e);
}

static void
next_step(void)
{
	struct step *step = rig_step(++at.n, 1, "demo.greet", "{}", 0);
	struct err e = {0};

	(void)snprintf(at.frame, sizeof(at.frame), "%s", step->frame);
	ck_assert_msg(step_report_new(step, &at.report, &e), "%s", e.text);
	at.report->outcome = OUTCOME_OK;
	buf_text(&at.report->result, "1");
	step_free(step);
	at.given = at.accepted = at.offers = 0;
}

static void
judge(void *arg, bool done, unsigned nth)
{
	(void)arg;
	ck_assert_msg(done,
	        "a step went astray: given %u times, offered %u times, accepted %u "
	        "times, after failure %u (%s)",
	        at.given, at.offers, at.accepted, nth, fault_last());
	ck_assert_msg(at.offers == 1, "offered %u times after failure %u (%s)", at.offers, nth,
	        fault_last());
	next_step();
}

static struct link_settings
settings(void)
{
	static const char *const namespaces[] = {"demo"};
	struct link_settings s = link_settings_default;

	s.url = fake_url(fake);
	s.worker = "w1";
	s.boot = "00000000-0000-4000-8000-00000000b007";
	s.slots = 4;
	s.namespaces = namespaces;
	s.namespace_count = COUNT(namespaces);
	s.templates = "[]";
	s.templates_len = strlen(s.templates);
	s.backoff_us = 2000;
	s.backoff_most_us = 10000;
	s.slack_us = 200000;
	s.goodbye_us = 60000;
	return s;
}

START_TEST(a_step_and_its_result_get_through_whatever_fails_F5_I2)
{
	const struct link_runner runner = {.offer = offer,
	        .stop = stop,
	        .release_all = release_all,
	        .callables = callables,
	        .settled = settled};
	const char *text = getenv("TORTURE_STRIDE");
	const unsigned usual = getenv("TORTURE_ALL") != NULL ? 1 : 13;
	const struct sweep s = {.name = "link: a step",
	        .attempt = attempt,
	        .after = judge,
	        .most = 5000,
	        .stride = text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual,
	        .spare = FAKE_CONNECTIONS,
	        .may_linger = true};
	struct link_settings all;
	struct err e = {0};

	fault_spare_this_thread(true);
	log_open(2, LOG_TEXT, LEVEL_ERROR, "test");
	fake = fake_new();
	all = settings();
	ck_assert_msg(link_new(&all, &runner, &link_, &e), "%s", e.text);
	ck_assert_msg(link_start(link_, &e), "%s", e.text);
	next_step();
	sweep_all(&s);
	link_free(link_);
	step_report_free(at.report);
	fake_free(fake);
}
END_TEST

Suite *
link_suite(void)
{
	Suite *s = suite_create("link");
	TCase *tc = tcase_create("link");

	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, a_step_and_its_result_get_through_whatever_fails_F5_I2);
	suite_add_tcase(s, tc);
	return s;
}

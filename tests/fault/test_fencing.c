/*
 * Who may end an attempt (I4), played by workers made of nothing but requests: each case knows
 * exactly who holds what, and when. WI4, WI5; the lease's own time is real.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/uuid.h"
#include "tests/fault/checker.h"
#include "tests/fault/rig.h"
#include "tests/unit/unit.h"

enum { TIMEOUT_S = 60, PATIENCE_MS = 6000 };

static struct rig rig;

struct fake {
	const char *name;
	char session[128]; /* the header that carries its secret */
};

/* What a poll brought. */
struct news {
	int status;
	char step[UUID_TEXT]; /* "": no step came */
	int attempt;
	char verdict[16]; /* on the first result; "": there was none */
	bool cancelled, lost;
};

static void
start(void)
{
	ck_assert(rig_start(&rig, true));
}

static void
stop_and_judge(struct findings *f)
{
	ck_assert(rig_stop(&rig));
	ck_assert_int_eq(rig_check(&rig), 0);
	ck_assert(checker_judge(&(struct evidence){.dir = rig.pair.dir, .file = "tasker.db"}, f));
	ck_assert_msg(checker_broken(f) == 0, "folder %s:\n%s", rig.pair.dir, f->text);
	rig_remove(&rig);
}

static struct wire_reply
post(const char *path, const char *header, const char *body)
{
	return wire_call(rig.pair.orchestration.port, "POST", path, header, body);
}

/* A registration with a boot of its own. */
static struct fake
enrol(const char *name)
{
	struct fake w = {.name = name};
	const struct uuid boot = uuid_v4();
	char id[UUID_TEXT], body[512];
	char *system = pair_system(name, "demo"), *secret;
	struct wire_reply r;

	uuid_text(&boot, id);
	(void)snprintf(body, sizeof(body),
	        "{\"proto\":1,\"worker\":\"%s\",\"boot\":\"%s\",\"slots\":4,\"namespaces\":"
	        "[\"demo\"],\"handlers\":[\"demo.echo\"],\"templates\":[]}",
	        name, id);
	r = post("/v1/internal/workers", system, body);
	secret = pair_member(r.body, "session");
	ck_assert_msg(r.status == 200 && secret != NULL, "%d %s", r.status, r.body);
	(void)snprintf(w.session, sizeof(w.session), "Authorization: Bearer %s\r\n", secret);
	wire_reply_free(&r);
	free(secret);
	free(system);
	return w;
}

static void
read_news(const struct wire_reply *r, struct news *out)
{
	char *text = pair_member(r->body, "step_uuid");
	const char *attempt;

	*out = (struct news){.status = r->status};
	if (text != NULL)
		(void)snprintf(out->step, sizeof(out->step), "%s", text);
	free(text);
	text = pair_member(r->body, "status");
	if (text != NULL && r->status == 200)
		(void)snprintf(out->verdict, sizeof(out->verdict), "%s", text);
	free(text);
	/* The frame's, which is behind the verdicts'. */
	attempt = out->step[0] != '\0' ? strstr(strstr(r->body, "\"step_uuid\""), "\"attempt\":")
	                               : NULL;
	out->attempt = attempt != NULL ? (int)strtol(attempt + 10, NULL, 10) : 0;
	out->cancelled = r->body != NULL && strstr(r->body, "\"cancel\":[{") != NULL;
	out->lost = r->body != NULL && strstr(r->body, "\"lost\":[{") != NULL;
}

/* One poll; id NULL: a new one. held and results are the insides of their arrays. */
static struct news
poll_as(const struct fake *w, const char *id, int room, int wait_ms, const char *held,
        const char *results)
{
	const struct uuid fresh = uuid_v4();
	char own[UUID_TEXT], body[1024];
	struct wire_reply r;
	struct news n;

	uuid_text(&fresh, own);
	(void)snprintf(body, sizeof(body),
	        "{\"id\":\"%s\",\"free\":%d,\"wait_ms\":%d,\"held\":[%s],\"results\":[%s]}",
	        id != NULL ? id : own, room, wait_ms, held, results);
	r = post("/v1/internal/poll", w->session, body);
	read_news(&r, &n);
	wire_reply_free(&r);
	return n;
}

/* Waits for a step; it must come. A poll may be answered empty sooner than it asked to be. */
static struct news
take(const struct fake *w)
{
	const int64_t until = clock_mono_us() + PATIENCE_MS * 1000;
	struct news n;

	do {
		n = poll_as(w, NULL, 1, PATIENCE_MS / 2, "", "");
		ck_assert_int_eq(n.status, 200);
	} while (n.step[0] == '\0' && clock_mono_us() < until);
	ck_assert_msg(n.step[0] != '\0', "%s got no step", w->name);
	return n;
}

/* Reports an attempt as done; what it was answered. */
static const char *
report(const struct fake *w, const char *step, int attempt)
{
	static struct news n;
	char result[160];

	(void)snprintf(result, sizeof(result),
	        "{\"step\":\"%s\",\"attempt\":%d,\"outcome\":\"ok\",\"result\":{\"by\":\"%s\"}}",
	        step, attempt, w->name);
	n = poll_as(w, NULL, 0, 0, "", result);
	return n.status == 200 ? n.verdict : "refused";
}

/* The steps of a task as a client sees them. */
static char *
steps_of(const char *task)
{
	char path[96];
	struct wire_reply r;
	char *text;

	(void)snprintf(path, sizeof(path), "/v1/tasks/%s/workflow_steps", task);
	r = rig_call(&rig, "GET", path, NULL);
	ck_assert_int_eq(r.status, 200);
	text = r.body;
	r.body = NULL;
	wire_reply_free(&r);
	return text;
}

START_TEST(zombies_result_is_stale_and_changes_nothing)
{
	struct fake a, b;
	struct news old, new;
	struct findings f;
	char *task, *before, *after;

	start();
	a = enrol("a");
	b = enrol("b");
	task = rig_linear(&rig, 0);
	old = take(&a);
	ck_assert_int_eq(old.attempt, 1);
	new = take(&b); /* parked until a's lease is over */
	ck_assert_str_eq(new.step, old.step);
	ck_assert_int_eq(new.attempt, 2);
	before = steps_of(task);
	ck_assert_str_eq(report(&a, old.step, 1), "stale");
	ck_assert_str_eq(report(&a, old.step, 2), "stale");
	ck_assert_str_eq(report(&a, old.step, 3), "stale");
	after = steps_of(task);
	ck_assert_str_eq(after, before);
	ck_assert_str_eq(report(&b, new.step, 2), "accepted");
	free(before);
	free(after);
	before = steps_of(task);
	ck_assert_str_eq(report(&b, new.step, 2), "duplicate");
	ck_assert_str_eq(report(&a, old.step, 1), "stale");
	after = steps_of(task);
	ck_assert_str_eq(after, before);
	ck_assert_ptr_nonnull(strstr(after, "{\"by\":\"b\"}"));
	ck_assert_ptr_null(strstr(after, "{\"by\":\"a\"}"));
	stop_and_judge(&f);
	ck_assert_uint_eq(f.lost, 1);
	free(before);
	free(after);
	free(task);
}
END_TEST

START_TEST(late_result_counts_as_long_as_nobody_took_the_step_again)
{
	struct fake a;
	struct news n;
	struct findings f;
	char *task, *steps;

	start();
	a = enrol("a");
	task = rig_linear(&rig, 0);
	n = take(&a);
	(void)poll(NULL, 0, RIG_LEASE_MS + 500);
	steps = steps_of(task);
	ck_assert_ptr_null(strstr(steps, "in_progress"));
	free(steps);
	ck_assert_str_eq(report(&a, n.step, 1), "accepted");
	steps = steps_of(task);
	ck_assert_ptr_nonnull(strstr(steps, "{\"by\":\"a\"}"));
	stop_and_judge(&f);
	ck_assert_uint_eq(f.lost, 1);
	ck_assert_uint_eq(f.late, 1);
	free(steps);
	free(task);
}
END_TEST

START_TEST(only_the_holder_ends_an_attempt)
{
	struct fake a, b;
	struct news n;
	struct findings f;
	char *task, *steps;

	start();
	a = enrol("a");
	b = enrol("b");
	task = rig_linear(&rig, 0);
	n = take(&a);
	ck_assert_str_eq(report(&b, n.step, 1), "stale");
	ck_assert_str_eq(report(&b, n.step, 2), "stale");
	ck_assert_str_eq(report(&b, task, 1), "stale"); /* a task's id is no step's */
	ck_assert_str_eq(report(&a, n.step, 2), "stale");
	ck_assert_str_eq(report(&a, n.step, 1), "accepted");
	steps = steps_of(task);
	ck_assert_ptr_null(strstr(steps, "{\"by\":\"b\"}"));
	stop_and_judge(&f);
	ck_assert_uint_eq(f.lost + f.released, 0);
	free(steps);
	free(task);
}
END_TEST

/* A new boot is a new process: what the old one ran goes back at once, and the old secret is dead.
 */
START_TEST(new_boot_takes_everything_from_the_old_one)
{
	struct fake old, young;
	struct news n, again;
	struct findings f;
	int64_t from;
	char *task;

	start();
	old = enrol("a");
	task = rig_linear(&rig, 0);
	n = take(&old);
	from = clock_mono_us();
	young = enrol("a");
	again = take(&young);
	ck_assert_int_lt(clock_mono_us() - from, RIG_LEASE_MS * 1000 / 2);
	ck_assert_str_eq(again.step, n.step);
	ck_assert_int_eq(again.attempt, 2);
	ck_assert_int_eq(poll_as(&old, NULL, 1, 0, "", "").status, 401);
	ck_assert_str_eq(report(&old, n.step, 1), "refused");
	ck_assert_str_eq(report(&young, n.step, 1), "stale");
	ck_assert_str_eq(report(&young, n.step, 2), "accepted");
	stop_and_judge(&f);
	ck_assert_uint_eq(f.lost, 1);
	free(task);
}
END_TEST

/* The orchestration dies between the commit and the reply, in both directions. */
START_TEST(report_repeated_after_a_crash_is_a_duplicate)
{
	struct fake a;
	struct news n;
	struct findings f;
	char *task, held[96];

	start();
	a = enrol("a");
	task = rig_linear(&rig, 0);
	n = take(&a);
	ck_assert_int_ge(rig_restart_orchestration(&rig), 0);
	(void)snprintf(held, sizeof(held), "{\"step\":\"%s\",\"attempt\":1}", n.step);
	ck_assert(!poll_as(&a, NULL, 0, 0, held, "").lost); /* still its own: a full term */
	ck_assert_str_eq(report(&a, n.step, 1), "accepted");
	ck_assert_int_ge(rig_restart_orchestration(&rig), 0);
	ck_assert_str_eq(report(&a, n.step, 1), "duplicate");
	stop_and_judge(&f);
	ck_assert_uint_eq(f.lost + f.released, 0);
	free(task);
}
END_TEST

START_TEST(step_whose_reply_was_lost_comes_again)
{
	static const char id[] = "5f0c5a38-9d3e-4c49-9a1f-0e3a6f0b7a11";
	struct fake a;
	struct news n, again;
	struct findings f;
	char *task;

	start();
	a = enrol("a");
	task = rig_linear(&rig, 0);
	n = poll_as(&a, id, 1, PATIENCE_MS, "", "");
	again = poll_as(&a, id, 1, PATIENCE_MS, "", "");
	ck_assert_str_eq(again.step, n.step);
	ck_assert_int_eq(again.attempt, 1);
	/* With the orchestration's memory gone it goes back, unburnt, and out again. */
	ck_assert_int_ge(rig_restart_orchestration(&rig), 0);
	do {
		again = poll_as(&a, NULL, 1, 100, "", "");
	} while (again.status == 200 && again.step[0] == '\0');
	ck_assert_str_eq(again.step, n.step);
	ck_assert_int_eq(again.attempt, 2);
	ck_assert_str_eq(report(&a, n.step, 1), "stale");
	ck_assert_str_eq(report(&a, n.step, 2), "accepted");
	stop_and_judge(&f);
	ck_assert_uint_eq(f.released, 1);
	ck_assert_uint_eq(f.lost, 0);
	free(task);
}
END_TEST

Suite *
fencing_suite(void)
{
	Suite *s = suite_create("fencing");
	TCase *tc = tcase_create("attempts");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, zombies_result_is_stale_and_changes_nothing);
	tcase_add_test(tc, late_result_counts_as_long_as_nobody_took_the_step_again);
	tcase_add_test(tc, only_the_holder_ends_an_attempt);
	tcase_add_test(tc, new_boot_takes_everything_from_the_old_one);
	tcase_add_test(tc, report_repeated_after_a_crash_is_a_duplicate);
	tcase_add_test(tc, step_whose_reply_was_lost_comes_again);
	suite_add_tcase(s, tc);
	return s;
}

/* Tasks through the store: what is refused changes nothing, what is done is done once (I1, I3,
 * ST1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/orchestration/lab.h"

static struct lab lab;

static void
set_up(void)
{
	static const char *const names[] = {
	        "linear", "diamond", "single", "fragile", "keyed", "unique"};

	lab_open(&lab);
	for (size_t i = 0; i < COUNT(names); i++)
		lab_template(&lab, lab_yaml(names[i]));
}

static void
tear_down(void)
{
	lab_check(&lab);
	lab_close(&lab);
}

/* Each refusal leaves every row as it was. */
static const struct {
	const char *what, *name, *context, *key;
	enum scope_kind scope;
	enum store_outcome outcome;
} refusals[] = {
        {"unknown template",      "nothing", "{}",           NULL, SCOPE_TENANT, STORE_NOT_FOUND},
        {"the same again",        "single",  "{\"same\":1}", NULL, SCOPE_TENANT, STORE_CONFLICT },
        {"a key is needed",       "keyed",   "{}",           NULL, SCOPE_TENANT, STORE_INVALID  },
        {"the policy denies all", "single",  "{}",           NULL, SCOPE_NONE,   STORE_FORBIDDEN},
};

START_TEST(a_refused_create_changes_nothing)
{
	AUTO(store_op) struct store_op *first = lab_create_op("single", "{\"same\":1}");
	AUTO(store_op) struct store_op *op = lab_create_op(refusals[_i].name, refusals[_i].context);
	char *before, *after;

	ck_assert_int_eq(lab_run(&lab, first), STORE_OK);
	op->in.task_create.idempotency_key = refusals[_i].key;
	op->caller.scope = refusals[_i].scope;
	before = lab_dump(&lab);
	ck_assert_msg(lab_run(&lab, op) == refusals[_i].outcome, "%s", refusals[_i].what);
	ck_assert_str_ne(op->text, "");
	if (refusals[_i].outcome == STORE_CONFLICT)
		ck_assert_mem_eq(&op->conflict_id, &first->out.task.id, sizeof(struct uuid));
	after = lab_dump(&lab);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_refused_cancel_changes_nothing)
{
	AUTO(store_op) struct store_op *missing = store_op_new(STORE_TASK_CANCEL);
	AUTO(store_op) struct store_op *twice = store_op_new(STORE_TASK_CANCEL);
	AUTO(store_op) struct store_op *thrice = store_op_new(STORE_TASK_CANCEL);
	struct uuid task = lab_create(&lab, "diamond");
	char *before, *after;

	missing->caller = twice->caller = thrice->caller = lab_caller(SCOPE_TENANT, "", "x");
	missing->in.id.task = uuid_v4();
	twice->in.id.task = thrice->in.id.task = task;
	ck_assert_int_eq(lab_run(&lab, twice), STORE_OK);
	before = lab_dump(&lab);
	ck_assert_int_eq(lab_run(&lab, missing), STORE_NOT_FOUND);
	ck_assert_int_eq(lab_run(&lab, thrice), STORE_INVALID);
	after = lab_dump(&lab);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_created_task_shows_all_that_was_given)
{
	AUTO(store_op)
	struct store_op *op = lab_create_op("diamond", "{\"big\":18446744073709551616}");
	AUTO(store_op) struct store_op *got = store_op_new(STORE_TASK_GET);
	const struct task_view *views[2];

	op->in.task_create.tags = (struct store_json){"[\"x\"]", 5};
	op->in.task_create.priority = -5;
	op->in.task_create.has_priority = true;
	op->in.task_create.parent_correlation_id = uuid_v4();
	op->in.task_create.has_parent_correlation = true;
	ck_assert_int_eq(lab_run(&lab, op), STORE_OK);
	got->caller = op->caller;
	got->in.id.task = op->out.task.id;
	ck_assert_int_eq(lab_run(&lab, got), STORE_OK);
	views[0] = &op->out.task;
	views[1] = &got->out.task;
	for (size_t i = 0; i < COUNT(views); i++) {
		const struct task_view *v = views[i];

		ck_assert_int_eq(v->state, TASK_STEPS_IN_PROCESS);
		ck_assert_str_eq(v->plan->name, "diamond");
		ck_assert_uint_eq(v->context.len, 28);
		ck_assert_mem_eq(v->context.text, "{\"big\":18446744073709551616}", 28);
		ck_assert_mem_eq(v->tags.text, "[\"x\"]", 5);
		ck_assert_str_eq(v->initiator, "tester");
		ck_assert_str_eq(v->source_system, "lab");
		ck_assert_str_eq(v->reason, "because");
		ck_assert(v->has_priority && v->priority == -5 && v->has_parent_correlation);
		ck_assert_mem_eq(&v->correlation_id, &op->in.task_create.correlation_id, 16);
		ck_assert_mem_eq(
		        &v->parent_correlation_id, &op->in.task_create.parent_correlation_id, 16);
		ck_assert_int_eq(v->created_at, lab.wall);
		ck_assert_int_eq(v->completed_at, 0);
		ck_assert_int_eq(v->counts.total, 4);
		ck_assert_int_eq(v->counts.ready, 1);
		ck_assert_int_eq(v->counts.pending, 4);
		ck_assert_uint_eq(v->step_count, 4);
		ck_assert_str_eq(v->steps[3].plan->name, "d");
		ck_assert_int_eq(v->steps[3].total_parents, 2);
		ck_assert_int_eq(v->steps[3].completed_parents, 0);
		ck_assert(!v->steps[3].dependencies_satisfied && v->steps[0].ready_for_execution);
		ck_assert_int_eq(v->steps[0].backoff_ms, -1);
	}
	ck_assert_mem_eq(&views[0]->steps[2].id, &views[1]->steps[2].id, 16);
	ck_assert_mem_eq(&views[0]->steps[2].named_step, &views[1]->steps[2].named_step, 16);
}
END_TEST

/* The rows budget: n + 3 for a create, 2 for a claim, 3 and one a child for a finish. */
START_TEST(rows_stay_within_their_budget)
{
	int64_t session, total;
	AUTO(store_op) struct store_op *poll = NULL;
	AUTO(store_op) struct store_op *finish = NULL;

	(void)lab_create(&lab, "diamond");
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM events"), 1);
	ck_assert_int_eq(
	        lab_number(&lab, "SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM "
	                         "task_details) + (SELECT count(*) FROM steps)"),
	        6);
	session = lab_worker(&lab, "w1", "b1");
	poll = lab_poll(&lab, session, 1);
	ck_assert_uint_eq(poll->out.poll.step_count, 1);
	ck_assert_int_eq(lab_number(&lab, "SELECT count(*) FROM events"), 2);
	finish = lab_poll_op(session, 0);
	lab_report(finish, poll->out.poll.steps[0].ref, OUTCOME_OK);
	ck_assert_int_eq(lab_run(&lab, finish), STORE_OK);
	total = lab_number(&lab, "SELECT count(*) FROM events");
	ck_assert_int_eq(total, 3);
}
END_TEST

/* A diamond, polled to its end: b and c go out together, d once, with both results in its frame. */
START_TEST(a_diamond_runs_to_its_end)
{
	struct uuid task = lab_create(&lab, "diamond");
	int64_t session = lab_worker(&lab, "w1", "b1");
	AUTO(store_op) struct store_op *a = lab_poll(&lab, session, 4);
	AUTO(store_op) struct store_op *bc = lab_poll_op(session, 4);
	AUTO(store_op) struct store_op *d = lab_poll_op(session, 4);
	AUTO(store_op) struct store_op *end = lab_poll_op(session, 4);
	const struct poll_step *s;

	ck_assert_uint_eq(a->out.poll.step_count, 1);
	lab_report(bc, a->out.poll.steps[0].ref, OUTCOME_OK);
	ck_assert_int_eq(lab_run(&lab, bc), STORE_OK);
	ck_assert_uint_eq(bc->out.poll.step_count, 2);
	ck_assert_int_eq(bc->out.poll.results[0].verdict, REPORT_ACCEPTED);
	ck_assert_int_eq(
	        lab_finish(&lab, session, bc->out.poll.steps[0].ref, OUTCOME_OK), REPORT_ACCEPTED);
	ck_assert_int_eq(lab_step(&lab, task, "d").state, STEP_PENDING);
	ck_assert_int_eq(lab_step(&lab, task, "d").completed_parents, 1);
	lab_report(d, bc->out.poll.steps[1].ref, OUTCOME_OK);
	ck_assert_int_eq(lab_run(&lab, d), STORE_OK);
	ck_assert_uint_eq(d->out.poll.step_count, 1);
	s = &d->out.poll.steps[0];
	ck_assert_ptr_nonnull(strstr(s->frame.text,
	        "\"dependencies\":{\"b\":{\"result\":{\"ok\":1}},\"c\":{\"result\":{\"ok\":1}}}"));
	ck_assert_uint_eq(strlen(s->frame.text), s->frame.len);
	lab_report(end, s->ref, OUTCOME_OK);
	ck_assert_int_eq(lab_run(&lab, end), STORE_OK);
	ck_assert_uint_eq(end->out.poll.step_count, 0);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_COMPLETE);
	ck_assert_int_eq(
	        lab_number(&lab, "SELECT count(*) FROM events WHERE to_state = 9 AND step IS NULL"),
	        1);
}
END_TEST

START_TEST(failures_retry_with_backoff_and_then_block)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w1", "b1");

	for (int failure = 1; failure <= 3; failure++) {
		AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);
		struct step_view step;

		ck_assert_uint_eq(poll->out.poll.step_count, 1);
		ck_assert_int_eq(poll->out.poll.steps[0].ref.attempt, failure);
		ck_assert_int_eq(
		        lab_finish(&lab, session, poll->out.poll.steps[0].ref, OUTCOME_ERROR),
		        REPORT_ACCEPTED);
		step = lab_step(&lab, task, "a");
		ck_assert_int_eq(step.failures, failure);
		if (failure == 3)
			break;
		ck_assert_int_eq(step.state, STEP_WAITING_FOR_RETRY);
		ck_assert_int_eq(step.backoff_ms, failure * 1000);
		ck_assert_int_eq(step.next_retry_at, lab.wall + failure * LAB_SECOND);
		ck_assert_int_eq(lab_task_state(&lab, task), TASK_WAITING_FOR_RETRY);
		lab_advance(&lab, failure * LAB_SECOND - 1);
		ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_WAITING_FOR_RETRY);
		lab_advance(&lab, 1);
		ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_PENDING);
		ck_assert_int_eq(lab_task_state(&lab, task), TASK_STEPS_IN_PROCESS);
	}
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_ERROR);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_BLOCKED_BY_FAILURES);
}
END_TEST

/* A permanent failure: what runs ends, what is queued is not offered any more. */
START_TEST(after_a_permanent_failure_nothing_new_starts)
{
	struct uuid task = lab_create(&lab, "fragile");
	int64_t session = lab_worker(&lab, "w1", "b1");
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);
	AUTO(store_op) struct store_op *none = NULL;
	AUTO(store_op) struct store_op *one = NULL;
	bool first_is_a;

	ck_assert_uint_eq(poll->out.poll.step_count, 1);
	first_is_a = strstr(poll->out.poll.steps[0].frame.text, "\"step\":\"a\"") != NULL;
	ck_assert_int_eq(lab_finish(&lab, session, poll->out.poll.steps[0].ref, OUTCOME_ERROR),
	        REPORT_ACCEPTED);
	none = lab_poll(&lab, session, 4);
	ck_assert_uint_eq(none->out.poll.step_count, 0);
	ck_assert_int_eq(lab_step(&lab, task, first_is_a ? "b" : "a").state, STEP_PENDING);
	ck_assert(!lab_step(&lab, task, first_is_a ? "b" : "a").ready_for_execution);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_BLOCKED_BY_FAILURES);
	(void)lab_create(&lab, "single"); /* other tasks go on */
	one = lab_poll(&lab, session, 4);
	ck_assert_uint_eq(one->out.poll.step_count, 1);
}
END_TEST

START_TEST(what_runs_beside_a_failure_ends_before_the_task_is_blocked)
{
	struct uuid task = lab_create(&lab, "fragile");
	int64_t session = lab_worker(&lab, "w1", "b1");
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 2);

	ck_assert_uint_eq(poll->out.poll.step_count, 2);
	ck_assert_int_eq(lab_finish(&lab, session, poll->out.poll.steps[0].ref, OUTCOME_ERROR),
	        REPORT_ACCEPTED);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_STEPS_IN_PROCESS);
	ck_assert_int_eq(lab_finish(&lab, session, poll->out.poll.steps[1].ref, OUTCOME_OK),
	        REPORT_ACCEPTED);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_BLOCKED_BY_FAILURES);
	ck_assert(!lab_step(&lab, task, "c").ready_for_execution);
}
END_TEST

START_TEST(a_step_shows_its_result_its_error_and_its_log)
{
	struct uuid task = lab_create(&lab, "single");
	int64_t session = lab_worker(&lab, "w1", "b1");
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);
	AUTO(store_op) struct store_op *again = NULL;
	AUTO(store_op) struct store_op *get = store_op_new(STORE_STEP_GET);
	const struct step_view *v = &get->out.step.step;

	(void)lab_finish(&lab, session, poll->out.poll.steps[0].ref, OUTCOME_ERROR);
	lab_advance(&lab, LAB_SECOND);
	again = lab_poll(&lab, session, 1);
	(void)lab_finish(&lab, session, again->out.poll.steps[0].ref, OUTCOME_OK);
	get->caller = lab_caller(SCOPE_ANY, "", "");
	get->in.id.task = task;
	get->in.id.step = poll->out.poll.steps[0].ref.step;
	ck_assert_int_eq(lab_run(&lab, get), STORE_OK);
	ck_assert_mem_eq(v->result.text, "{\"ok\":1}", v->result.len);
	ck_assert_str_eq(v->error.text,
	        "{\"code\":\"E_TEST\",\"message\":\"it \\\"broke\\\"\",\"retryable\":true}");
	ck_assert_str_eq(v->log.text, "line\n");
	ck_assert_str_eq(v->worker, "w1");
	ck_assert_int_eq(v->attempts, 2);
	ck_assert_int_eq(v->failures, 1);
	ck_assert_int_eq(v->completed_at, lab.wall);
}
END_TEST

START_TEST(a_missing_step_of_an_own_task_is_told_apart)
{
	AUTO(store_op) struct store_op *step = store_op_new(STORE_STEP_GET);
	AUTO(store_op) struct store_op *task = store_op_new(STORE_STEP_GET);
	AUTO(store_op) struct store_op *other = store_op_new(STORE_STEP_GET);
	struct uuid first = lab_create(&lab, "single"), second = lab_create(&lab, "single");

	step->caller = task->caller = other->caller = lab_caller(SCOPE_ANY, "", "");
	step->in.id.task = first;
	step->in.id.step = uuid_v4();
	ck_assert_int_eq(lab_run(&lab, step), STORE_NOT_FOUND);
	ck_assert(step->out.step.task_found);
	other->in.id.task = first;
	other->in.id.step = lab_step(&lab, second, "a").id;
	ck_assert_int_eq(lab_run(&lab, other), STORE_NOT_FOUND);
	ck_assert(other->out.step.task_found);
	task->in.id.task = uuid_v4();
	task->in.id.step = lab_step(&lab, second, "a").id;
	ck_assert_int_eq(lab_run(&lab, task), STORE_NOT_FOUND);
	ck_assert(!task->out.step.task_found);
}
END_TEST

START_TEST(a_template_version_is_its_content)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TEMPLATE_PUT);
	AUTO(store_op) struct store_op *get = store_op_new(STORE_TEMPLATE_GET);
	AUTO(store_op) struct store_op *bad = store_op_new(STORE_TEMPLATE_PUT);
	AUTO(store_op) struct store_op *list = store_op_new(STORE_TEMPLATE_LIST);
	AUTO(template) struct template *t = NULL;
	static const char other[] = "name: single\nnamespace_name: demo\nversion: 1.0.0\nsteps:\n"
	                            "  - {name: zzz, handler: {callable: demo.a}}\n";
	struct buf json = BUF(KIB(64));
	struct err e = {0};
	char *before = lab_dump(&lab), *after;

	lab_template(&lab, lab_yaml("single")); /* the same again is fine */
	ck_assert(template_parse(other, strlen(other), &t, NULL, &e));
	template_to_json(t, &json);
	op->in.template.json = (struct store_json){json.data, json.len};
	ck_assert_int_eq(lab_run(&lab, op), STORE_CONFLICT);
	bad->in.template.json = (struct store_json){"{\"name\":7}", 10};
	ck_assert_int_eq(lab_run(&lab, bad), STORE_INVALID);
	after = lab_dump(&lab);
	ck_assert_str_eq(before, after);
	get->in.template.ns = "demo";
	get->in.template.name = "single";
	get->in.template.version = "1.0.0";
	ck_assert_int_eq(lab_run(&lab, get), STORE_OK);
	ck_assert_str_eq(get->out.template.plan->steps[0].name, "a");
	list->in.template.ns = "demo";
	ck_assert_int_eq(lab_run(&lab, list), STORE_OK);
	ck_assert_uint_eq(list->out.page.count, 6);
	buf_free(&json);
	free(before);
	free(after);
}
END_TEST

START_TEST(identity_is_free_again_after_its_retention)
{
	AUTO(store_op) struct store_op *first = lab_create_op("single", "{\"same\":1}");
	AUTO(store_op) struct store_op *second = lab_create_op("single", "{\"same\":1}");
	AUTO(store_op) struct store_op *third = lab_create_op("single", "{\"same\":1}");
	AUTO(store_op) struct store_op *cancel = store_op_new(STORE_TASK_CANCEL);

	lab.settings.identity_retention_s = 60;
	lab_reopen(&lab);
	ck_assert_int_eq(lab_run(&lab, first), STORE_OK);
	lab_advance(&lab, 120LL * LAB_SECOND);
	ck_assert_int_eq(lab_run(&lab, second), STORE_CONFLICT); /* it is not over */
	cancel->caller = first->caller;
	cancel->in.id.task = first->out.task.id;
	ck_assert_int_eq(lab_run(&lab, cancel), STORE_OK);
	ck_assert_int_eq(cancel->out.task.state, TASK_CANCELLED);
	ck_assert_int_eq(cancel->out.task.completed_at, lab.wall);
	lab_advance(&lab, 61LL * LAB_SECOND);
	ck_assert_int_eq(lab_run(&lab, third), STORE_OK);
}
END_TEST

START_TEST(strategies_work_as_named)
{
	static const struct {
		const char *name, *key;
		enum store_outcome outcome;
	} cases[] = {
	        {"unique", NULL, STORE_OK      },
	        {"unique", NULL, STORE_OK      },
	        {"keyed",  "k1", STORE_OK      },
	        {"keyed",  "k1", STORE_CONFLICT},
	        {"keyed",  "k2", STORE_OK      },
	        {"single", NULL, STORE_OK      },
	        {"single", NULL, STORE_CONFLICT},
	        {"single", "k1", STORE_OK      },
	        {"single", "k1", STORE_CONFLICT},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(store_op) struct store_op *op = lab_create_op(cases[i].name, "{}");

		op->in.task_create.idempotency_key = cases[i].key;
		ck_assert_msg(lab_run(&lab, op) == cases[i].outcome, "case %zu: %s", i, op->text);
	}
}
END_TEST

START_TEST(totals_and_events_follow_every_change)
{
	AUTO(store_op) struct store_op *stats = store_op_new(STORE_STATS);
	AUTO(store_op) struct store_op *events = store_op_new(STORE_EVENT_LIST);
	struct uuid task = lab_create(&lab, "linear");
	int64_t session = lab_worker(&lab, "w1", "b1");
	AUTO(store_op) struct store_op *poll = lab_poll(&lab, session, 1);
	static const char *const kinds[] = {"task.created", "step.started", "step.completed"};

	(void)lab_create(&lab, "single");
	(void)lab_finish(&lab, session, poll->out.poll.steps[0].ref, OUTCOME_OK);
	lab_advance(&lab, 3 * LAB_SECOND);
	ck_assert_int_eq(lab_run(&lab, stats), STORE_OK);
	ck_assert_int_eq(stats->out.stats.tasks[TASK_STEPS_IN_PROCESS], 2);
	ck_assert_int_eq(stats->out.stats.steps[STEP_COMPLETE], 1);
	ck_assert_int_eq(stats->out.stats.steps[STEP_PENDING], 2);
	ck_assert_int_eq(stats->out.stats.ready, 2);
	ck_assert_int_eq(stats->out.stats.oldest_ready_ms, 3000);
	ck_assert_int_eq(stats->out.stats.sessions, 1);
	events->caller = lab_caller(SCOPE_TENANT, "", "");
	events->in.events.limit = 3;
	events->in.events.has_task = true;
	events->in.events.task = task;
	ck_assert_int_eq(lab_run(&lab, events), STORE_OK);
	ck_assert_uint_eq(events->out.page.count, 3);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		ck_assert_str_eq(event_kind_name(events->out.page.events[i].kind), kinds[i]);
		ck_assert_int_eq(events->out.page.events[i].seq, (int)i + 1);
	}
	ck_assert_str_eq(events->out.page.events[0].actor, "tester");
	ck_assert_str_eq(events->out.page.events[1].actor, "w1");
	ck_assert_str_eq(events->out.page.events[1].step_name, "a");
}
END_TEST

START_TEST(a_higher_priority_goes_first)
{
	AUTO(store_op) struct store_op *low = lab_create_op("single", "{\"p\":1}");
	AUTO(store_op) struct store_op *high = lab_create_op("single", "{\"p\":2}");
	AUTO(store_op) struct store_op *poll = NULL;
	struct uuid first;

	high->in.task_create.priority = 9;
	high->in.task_create.has_priority = true;
	ck_assert_int_eq(lab_run(&lab, low), STORE_OK);
	ck_assert_int_eq(lab_run(&lab, high), STORE_OK);
	poll = lab_poll(&lab, lab_worker(&lab, "w1", "b1"), 1);
	ck_assert_uint_eq(poll->out.poll.step_count, 1);
	first = lab_step(&lab, high->out.task.id, "a").id;
	ck_assert_mem_eq(&poll->out.poll.steps[0].ref.step, &first, sizeof(first));
}
END_TEST

/* Inputs too large for a frame end the step instead of blocking the queue. */
START_TEST(an_input_beyond_a_frame_fails_its_step)
{
	struct buf context = BUF(MIB(16));
	struct uuid task;
	AUTO(store_op) struct store_op *poll = NULL;
	AUTO(store_op) struct store_op *create = lab_create_op("single", "{\"huge\":1}");

	buf_text(&context, "{\"x\":\"");
	while (context.len < MIB(2))
		buf_text(&context,
		        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	buf_text(&context, "\"}");
	create->in.task_create.context = (struct store_json){context.data, context.len};
	ck_assert_msg(lab_run(&lab, create) == STORE_OK, "%s", create->text);
	task = create->out.task.id;
	poll = lab_poll(&lab, lab_worker(&lab, "w1", "b1"), 1);
	ck_assert_uint_eq(poll->out.poll.step_count, 0);
	ck_assert_int_eq(lab_task_state(&lab, task), TASK_BLOCKED_BY_FAILURES);
	ck_assert_int_eq(lab_step(&lab, task, "a").state, STEP_ERROR);
	buf_free(&context);
}
END_TEST

Suite *
store_task_suite(void)
{
	Suite *s = suite_create("store task");
	TCase *tc = tcase_create("tasks");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_refused_create_changes_nothing, 0, COUNT(refusals));
	tcase_add_test(tc, a_refused_cancel_changes_nothing);
	tcase_add_test(tc, a_created_task_shows_all_that_was_given);
	tcase_add_test(tc, rows_stay_within_their_budget);
	tcase_add_test(tc, a_diamond_runs_to_its_end);
	tcase_add_test(tc, failures_retry_with_backoff_and_then_block);
	tcase_add_test(tc, after_a_permanent_failure_nothing_new_starts);
	tcase_add_test(tc, what_runs_beside_a_failure_ends_before_the_task_is_blocked);
	tcase_add_test(tc, a_step_shows_its_result_its_error_and_its_log);
	tcase_add_test(tc, a_missing_step_of_an_own_task_is_told_apart);
	tcase_add_test(tc, a_template_version_is_its_content);
	tcase_add_test(tc, identity_is_free_again_after_its_retention);
	tcase_add_test(tc, strategies_work_as_named);
	tcase_add_test(tc, totals_and_events_follow_every_change);
	tcase_add_test(tc, a_higher_priority_goes_first);
	tcase_add_test(tc, an_input_beyond_a_frame_fails_its_step);
	suite_add_tcase(s, tc);
	return s;
}

#include "tests/storage/audit.h"

#include <stdlib.h>
#include <string.h>

static bool
is_text(struct store_json json, const char *text)
{
	return json.text != NULL && json.len == strlen(text) &&
	       memcmp(json.text, text, json.len) == 0;
}

static struct store_op *
get(struct client *c, enum store_verb verb, size_t task)
{
	struct store_op *op = store_op_new(verb);

	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.id.task = c->tasks[task].id;
	if (lab_run(c->lab, op) != STORE_OK)
		client_complain(c, "task %zu, which was acknowledged: %s, %s", task,
		        store_outcome_name(op->outcome), op->text);
	return op;
}

static void
audit_step(struct client *c, size_t task, size_t step, const struct step_view *v)
{
	const struct known_step *known = &c->tasks[task].steps[step];
	char *result = client_result(task, step);
	bool right = false;

	switch (known->state) {
	case CLAIM_NONE:
		right = v->state == STEP_PENDING || v->state == STEP_IN_PROGRESS;
		break;
	case CLAIM_HELD:
		right = v->state == STEP_IN_PROGRESS && v->attempts == known->ref.attempt;
		break;
	case CLAIM_REPORTED:
		right = v->attempts == known->ref.attempt &&
		        (v->state == STEP_IN_PROGRESS ||
		                (v->state == STEP_COMPLETE && is_text(v->result, result)));
		break;
	case CLAIM_DONE:
		right = v->attempts == known->ref.attempt && v->state == STEP_COMPLETE &&
		        is_text(v->result, result);
		break;
	}
	if (!right)
		client_complain(c,
		        "step %zu of task %zu, of which the client knows %d (attempt %d), is in "
		        "state %d, attempt %d, with the result %.*s",
		        step, task, (int)known->state, known->ref.attempt, (int)v->state,
		        v->attempts, v->result.text != NULL ? (int)v->result.len : 0,
		        v->result.text != NULL ? v->result.text : "");
	free(result);
}

static void
audit_steps(struct client *c, size_t task)
{
	AUTO(store_op) struct store_op *op = get(c, STORE_STEP_LIST, task);

	if (op->outcome != STORE_OK)
		return;
	if (op->out.page.count != c->tasks[task].step_count) {
		client_complain(c, "task %zu has %zu steps, not %zu", task, op->out.page.count,
		        c->tasks[task].step_count);
		return;
	}
	for (size_t i = 0; i < op->out.page.count && !c->tasks[task].cancel_asked; i++)
		audit_step(c, task, i, &op->out.page.steps[i]);
}

static void
audit_task(struct client *c, size_t task)
{
	AUTO(store_op) struct store_op *op = get(c, STORE_TASK_GET, task);
	const struct known_task *t = &c->tasks[task];
	char *context = client_context(c, task);
	const enum task_state state = op->out.task.state;
	size_t done = 0, maybe = 0;

	for (size_t i = 0; i < t->step_count; i++) {
		done += t->steps[i].state == CLAIM_DONE;
		maybe += t->steps[i].state >= CLAIM_REPORTED;
	}
	if (op->outcome == STORE_OK && !is_text(op->out.task.context, context))
		client_complain(c, "task %zu has another context", task);
	else if (t->cancelled && state != TASK_CANCELLED)
		client_complain(c, "task %zu was cancelled and is in state %d", task, (int)state);
	else if (!t->cancel_asked && done == t->step_count && state != TASK_COMPLETE)
		client_complain(c, "task %zu is done and in state %d", task, (int)state);
	else if (!t->cancel_asked && maybe < t->step_count && task_state_is_final(state))
		client_complain(c, "task %zu is not done and in state %d", task, (int)state);
	free(context);
}

static void
audit_template(struct client *c, size_t n)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TEMPLATE_GET);
	char name[32];

	op->in.template.ns = "demo";
	op->in.template.name = client_template_name(n, name);
	op->in.template.version = "1.0.0";
	if (lab_run(c->lab, op) != STORE_OK)
		client_complain(c, "template %zu, which was acknowledged: %s", n, op->text);
}

static void
audit_session(struct client *c)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_SESSION_LIST);
	bool found = false;

	if (lab_run(c->lab, op) == STORE_OK)
		for (size_t i = 0; i < op->out.page.count; i++)
			found = found || op->out.page.sessions[i].id == c->session;
	if (!found)
		client_complain(c, "the worker's session is gone");
}

bool
audit_client(struct client *c)
{
	for (size_t i = 0; i < c->task_count; i++)
		if (c->tasks[i].acked) {
			audit_task(c, i);
			audit_steps(c, i);
		}
	for (size_t n = 0; n < c->template_count; n++)
		if (c->templates[n])
			audit_template(c, n);
	if (c->session != 0)
		audit_session(c);
	return c->broken[0] == '\0';
}

static void
audit_count(struct client *c)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_LIST);

	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.task_list.page = op->in.task_list.per_page = 1;
	if (lab_run(c->lab, op) != STORE_OK || op->out.page.total != (int64_t)c->task_count)
		client_complain(c, "%zu tasks were asked for, there are %lld", c->task_count,
		        (long long)op->out.page.total);
}

bool
audit_all(struct client *c)
{
	struct buf report = BUF(KIB(64));
	bool sound = false;
	struct err e = {0};

	(void)audit_client(c);
	audit_count(c);
	if (!store_check(c->lab->url, &report, &sound, &e))
		client_complain(c, "db check: %s", e.text);
	else if (!sound)
		client_complain(c, "db check: %.*s", (int)report.len, report.data);
	buf_free(&report);
	return c->broken[0] == '\0';
}

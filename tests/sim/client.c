#include "tests/sim/client.h"

#include <stdlib.h>
#include <string.h>

enum { TENANTS_MAX = 2, OWNERS_EACH = 2, CONTENTS = 6, OWNER_ELSEWHERE = 9 };

static struct store_op *
op_of(enum store_verb verb)
{
	struct store_op *op = store_op_new(verb);

	if (op == NULL)
		__builtin_trap();
	return op;
}

/* The number between what stands before and after it. */
static char *
text(struct store_op *op, const char *before, size_t n, const char *after)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%s%zu%s", before, n, after);

	return store_op_text(op, line, (size_t)len);
}

/* ---- create ---- */

/* A conflict names a task of the same request. */
static void
check_conflict(struct world *w, const struct store_op *op, const struct seen_task *t)
{
	const struct seen_task *other = model_task(&w->model, &op->conflict_id);
	const struct template *plan = w->setup->shapes->items[t->shape].t;

	if (plan->identity == TEMPLATE_IDENTITY_ALWAYS_UNIQUE)
		world_find(w, "I1: what is always unique conflicts");
	else if (other == NULL)
		world_find(w, "I1: a conflict with a task that nobody knows");
	else if (other->shape != t->shape || other->tenant != t->tenant ||
	         other->owner != t->owner || other->content != t->content)
		world_find(w, "I1: a conflict with another request's task");
}

static void
create_answered(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct seen_task *t = &w->model.tasks[p->index];

	world_log(w, "create %zu: %s", p->index, store_outcome_name(op->outcome));
	if (op->outcome == STORE_OK) {
		if (model_task(&w->model, &op->out.task.id) != NULL)
			world_find(w, "I1: two requests were given one task");
		t->id = op->out.task.id;
		t->acked = true;
		return;
	}
	t->refused = true;
	if (op->outcome == STORE_CONFLICT)
		check_conflict(w, op, t);
	else if (op->outcome == STORE_NOT_FOUND ? p->foreign : op->outcome < STORE_BUSY)
		world_find(w, "I1: request %zu: %s: %s", p->index, store_outcome_name(op->outcome),
		        op->text);
}

static void
ask_for(struct store_op *op, const struct world *w, const struct seen_task *t, size_t number)
{
	struct task_create_in *in = &op->in.task_create;
	const struct template *plan = w->setup->shapes->items[t->shape].t;
	bool keyed = plan->identity == TEMPLATE_IDENTITY_CALLER_PROVIDED;

	in->ns = plan->namespace_name;
	in->name = plan->name;
	in->version = plan->version;
	in->context.text = text(op, "{\"n\":", (size_t)t->content, "}");
	in->context.len = strlen(in->context.text);
	in->context_hash[0] = (unsigned char)t->content;
	in->idempotency_key = keyed ? text(op, "key-", (size_t)t->content, "") : NULL;
	in->initiator = "sim";
	in->source_system = "sim";
	in->reason = text(op, "", number, "");
	in->correlation_id = uuid_v4();
}

void
client_create(struct world *w)
{
	struct model *m = &w->model;
	struct purpose p = {.answered = create_answered, .index = m->task_count};
	struct chance *c = &w->chance;
	struct store_op *op;
	struct seen_task *t;

	if (m->task_count == MODEL_TASKS_MAX)
		return;
	t = &m->tasks[m->task_count++];
	t->shape = (int)w->shapes[chance_below(c, SHAPES_USED)];
	t->tenant = (int)chance_below(c, TENANTS_MAX);
	t->owner = (int)chance_below(c, OWNERS_EACH);
	t->content = (int)chance_below(c, CONTENTS);
	op = op_of(STORE_TASK_CREATE);
	ask_for(op, w, t, p.index);
	op->in.task_create.has_priority = chance_of(c, 300);
	op->in.task_create.priority = (int)chance_between(c, -2, 2);
	op->caller = world_caller(t->tenant, t->owner, SCOPE_TENANT);
	if (chance_of(c, 50))
		op->deadline_us = w->mono + chance_between(c, 0, 50000);
	p.foreign = m->known_shapes[t->shape];
	world_log(w, "asks for task %zu: %s, t%d/o%d, n=%d", p.index, op->in.task_create.name,
	        t->tenant, t->owner, t->content);
	world_submit(w, op, &p);
}

/* ---- cancel ---- */

static void
cancel_answered(struct world *w, struct store_op *op, const struct purpose *p)
{
	struct seen_task *t = &w->model.tasks[p->index];

	world_log(w, "cancel %zu: %s", p->index, store_outcome_name(op->outcome));
	if (p->foreign && op->outcome < STORE_BUSY && op->outcome != STORE_NOT_FOUND)
		world_find(w, "I1: a stranger's cancel is answered %s",
		        store_outcome_name(op->outcome));
	if (!p->foreign && op->outcome == STORE_NOT_FOUND)
		world_find(w, "I1: request %zu was acknowledged and is not found", p->index);
	if (op->outcome == STORE_OK)
		t->cancel_acked = true;
	if (op->outcome == STORE_OK && op->out.task.state != TASK_CANCELLED)
		world_find(w, "I3: a cancelled task is %s", task_state_name(op->out.task.state));
}

void
client_cancel(struct world *w)
{
	struct model *m = &w->model;
	struct purpose p = {.answered = cancel_answered};
	struct store_op *op;
	const struct seen_task *t;

	if (m->task_count == 0)
		return;
	p.index = chance_below(&w->chance, (unsigned)m->task_count);
	p.foreign = chance_of(&w->chance, 200);
	t = &m->tasks[p.index];
	if (!t->created)
		return;
	op = op_of(STORE_TASK_CANCEL);
	op->in.id.task = t->id;
	op->caller = world_caller(t->tenant, p.foreign ? OWNER_ELSEWHERE : t->owner, SCOPE_OWNER);
	world_submit(w, op, &p);
}

/* ---- templates ---- */

static void
put_answered(struct world *w, struct store_op *op, const struct purpose *p)
{
	enum store_outcome right = p->foreign ? STORE_CONFLICT : STORE_OK;

	world_log(w, "template %zu: %s", p->index, store_outcome_name(op->outcome));
	if (op->outcome == STORE_OK)
		w->model.known_shapes[p->index] = true;
	if (op->outcome != right && op->outcome < STORE_BUSY)
		world_find(w, "I1: template %zu: %s: %s", p->index, store_outcome_name(op->outcome),
		        op->text);
}

void
client_put_template(struct world *w, size_t shape)
{
	struct purpose p = {.answered = put_answered, .index = shape};
	const struct shape *s;
	struct store_op *op = op_of(STORE_TEMPLATE_PUT);

	s = &w->setup->shapes->items[p.index];
	p.foreign = w->model.known_shapes[p.index] && chance_of(&w->chance, 300);
	op->in.template.json.text = p.foreign ? s->other : s->json;
	op->in.template.json.len = p.foreign ? s->other_len : s->json_len;
	world_submit(w, op, &p);
}

/* ---- reads ---- */

static void
look_at_task(struct world *w, const struct seen_task *t)
{
	AUTO(store_op) struct store_op *op = op_of(STORE_TASK_GET);
	bool foreign = chance_of(&w->chance, 300);

	op->in.id.task = t->id;
	op->caller = world_caller(foreign ? t->tenant + 1 : t->tenant, t->owner, SCOPE_TENANT);
	if (!world_read(w, op))
		return;
	world_log(w, "reads task %lld: %s %s", (long long)t->row, store_outcome_name(op->outcome),
	        task_state_name(op->out.task.state));
	if (op->outcome != (foreign ? STORE_NOT_FOUND : STORE_OK))
		world_find(w, "I1: task %lld is read as %s", (long long)t->row,
		        store_outcome_name(op->outcome));
	else if (!foreign && op->out.task.state != t->state)
		world_find(w, "I3: task %lld is read as %s", (long long)t->row,
		        task_state_name(op->out.task.state));
}

static void
look_at_list(struct world *w)
{
	AUTO(store_op) struct store_op *op = op_of(STORE_TASK_LIST);
	int tenant = (int)chance_below(&w->chance, TENANTS_MAX);
	int owner = (int)chance_below(&w->chance, OWNERS_EACH);
	bool own = chance_of(&w->chance, 500);
	int64_t right = 0;

	op->in.task_list.page = 1 + (int)chance_below(&w->chance, 3);
	op->in.task_list.per_page = 1 + (int)chance_below(&w->chance, 20);
	if (chance_of(&w->chance, 500))
		op->in.task_list.states = 1U << TASK_COMPLETE | 1U << TASK_STEPS_IN_PROCESS;
	op->caller = world_caller(tenant, owner, own ? SCOPE_OWNER : SCOPE_TENANT);
	if (!world_read(w, op))
		return;
	for (size_t i = 0; i < w->model.task_count; i++) {
		const struct seen_task *t = &w->model.tasks[i];

		right += t->created && t->tenant == tenant && (!own || t->owner == owner) &&
		         (op->in.task_list.states == 0 ||
		                 (op->in.task_list.states >> t->state & 1U) != 0);
	}
	world_log(w, "lists t%d/o%d: %lld, %zu on page %d", tenant, owner,
	        (long long)op->out.page.total, op->out.page.count, op->in.task_list.page);
	if (op->out.page.total != right)
		world_find(w, "I1: a list of %lld tasks, and there are %lld",
		        (long long)op->out.page.total, (long long)right);
}

static void
look_at_stats(struct world *w)
{
	AUTO(store_op) struct store_op *op = op_of(STORE_STATS);

	if (!world_read(w, op))
		return;
	world_log(w, "stats: %lld ready, the oldest for %lld ms, %lld sessions",
	        (long long)op->out.stats.ready, (long long)op->out.stats.oldest_ready_ms,
	        (long long)op->out.stats.sessions);
	if (op->out.stats.last_position < w->model.position)
		world_find(w, "I1: there are %lld events, and there were %lld",
		        (long long)op->out.stats.last_position, (long long)w->model.position);
}

void
client_look(struct world *w)
{
	struct model *m = &w->model;
	size_t i = m->task_count > 0 ? chance_below(&w->chance, (unsigned)m->task_count) : 0;

	switch (chance_below(&w->chance, 3)) {
	case 0:
		look_at_list(w);
		break;
	case 1:
		look_at_stats(w);
		break;
	default:
		if (m->tasks[i].created)
			look_at_task(w, &m->tasks[i]);
		break;
	}
}

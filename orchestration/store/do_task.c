/* Creating and cancelling tasks. */
#include <string.h>

#include "orchestration/engine/identity.h"
#include "orchestration/store/do.h"
#include "orchestration/store/view.h"

enum { RANK_LIMIT = INT32_MAX - 1, US_PER_S = 1000000 };

struct creation {
	struct plan *plan;
	struct task_row row;
	unsigned char identity[DIGEST_BYTES];
	bool keyed;
};

static int
rank_of(int priority)
{
	int64_t rank = -(int64_t)priority;

	return rank > RANK_LIMIT ? RANK_LIMIT : (int)rank;
}

/* The same request made before: a conflict, unless the earlier task is done and long past. */
static bool
find_earlier(struct work *w, struct store_op *op, struct creation *c, struct err *e)
{
	int64_t keep_us = w->settings->identity_retention_s * US_PER_S;
	struct task_row earlier;

	if (!c->keyed)
		return true;
	if (!w->ops->task_by_identity(w->db, c->identity, &earlier, e))
		return false;
	if (earlier.id == 0)
		return true;
	if (keep_us > 0 && earlier.completed_at != 0 && earlier.completed_at + keep_us < w->wall_us)
		return w->ops->task_forget_identity(w->db, earlier.id, e);
	op->conflict_id = earlier.uuid;
	op_refuse(op, STORE_CONFLICT, "A task with this identity already exists");
	return true;
}

/* Everything that can refuse the task, before anything is written for it. */
static bool
examine(struct work *w, struct store_op *op, struct creation *c, struct err *e)
{
	const struct task_create_in *in = &op->in.task_create;
	struct identity_input id = {.tenant = op->caller.tenant,
	        .owner = op->caller.owner,
	        .ns = in->ns,
	        .name = in->name,
	        .version = in->version,
	        .idempotency_key = in->idempotency_key,
	        .context_hash = in->context_hash};

	if (!plans_by_name(w->plans, in->ns, in->name, in->version, &c->plan, e))
		return false;
	if (c->plan == NULL) {
		op_refuse(op, STORE_NOT_FOUND, "Task template not found: %s/%s/%s", in->ns,
		        in->name, in->version);
		return true;
	}
	id.strategy = c->plan->t->identity;
	switch (identity_of(w->digest, &id, c->identity)) {
	case IDENTITY_KEYED:
		c->keyed = true;
		break;
	case IDENTITY_UNIQUE:
		break;
	case IDENTITY_KEY_MISSING:
		op_refuse(op, STORE_INVALID, "idempotency_key is required by this template");
		return true;
	case IDENTITY_UNDECIDED:
		return err_set(e, ERR_CRYPTO, "SHA-256 failed");
	}
	return find_earlier(w, op, c, e);
}

static bool
insert_task(struct work *w, struct store_op *op, struct creation *c, struct err *e)
{
	const struct task_create_in *in = &op->in.task_create;
	struct event_row event = {.kind = EVENT_TASK_CREATED, .step = -1, .at = w->wall_us};

	if (!work_owner(w, &op->caller, &c->row.tenant, &c->row.owner, e))
		return false;
	c->row.uuid = identity_task_id(uuid_v7(&w->ids, w->wall_us));
	c->row.template_id = c->plan->row.id;
	c->row.facts = task_begin((int)c->plan->t->step_count, c->plan->roots);
	c->row.rank = rank_of(in->has_priority ? in->priority : 0);
	c->row.created_at = c->row.updated_at = w->wall_us;
	if (!w->ops->task_insert(w->db, &c->row, c->keyed ? c->identity : NULL, in, e))
		return false;
	w->totals.tasks[c->row.facts.state]++;
	w->counted = true;
	event.task = c->row.id;
	event.to = (int)c->row.facts.state;
	event.actor = c->row.owner;
	return w->ops->event_insert(w->db, &event, e);
}

static bool
insert_steps(struct work *w, struct store_op *op, struct creation *c, struct err *e)
{
	const struct template *t = c->plan->t;
	struct task_view *view = &op->out.task;
	struct step_view *steps = store_op_alloc(op, t->step_count, sizeof(*steps));
	struct change change;

	if (steps == NULL || !op_pin(op, c->plan))
		return err_set(e, ERR_NOMEM, "out of memory for a task");
	if (!change_open(&change, w, &c->row, e))
		return false;
	change.context = op->in.task_create.context;
	view->steps = steps;
	for (size_t i = 0; i < t->step_count; i++) {
		struct step_row row = {.id = c->row.id << STEP_INDEX_BITS | (int64_t)i,
		        .facts = step_begin((int)t->steps[i].parent_count),
		        .rank = c->row.rank,
		        .updated_at = w->wall_us,
		        .backoff_ms = -1};

		if (!change_insert(&change, &row, e) ||
		        !view_step(op, c->plan, &c->row, &row, NULL, &steps[i], e))
			return false;
		view_count(view, &steps[i]);
	}
	return change_close(&change, e);
}

/* The answer is made of what was just written: nothing is read back. */
static void
show(struct store_op *op, const struct creation *c)
{
	const struct task_create_in *in = &op->in.task_create;
	struct task_view *v = &op->out.task;

	v->id = c->row.uuid;
	v->plan = c->plan->t;
	v->state = c->row.facts.state;
	v->created_at = c->row.created_at;
	v->updated_at = c->row.updated_at;
	v->correlation_id = in->correlation_id;
	v->parent_correlation_id = in->parent_correlation_id;
	v->has_parent_correlation = in->has_parent_correlation;
	v->context = in->context;
	v->tags = in->tags;
	v->initiator = in->initiator;
	v->source_system = in->source_system;
	v->reason = in->reason;
	v->priority = in->priority;
	v->has_priority = in->has_priority;
	op->outcome = STORE_OK;
}

bool
do_create(struct work *w, struct store_op *op, struct err *e)
{
	struct creation c = {.plan = NULL};

	if (op->caller.scope == SCOPE_NONE) {
		op_refuse(op, STORE_FORBIDDEN, "the ownership policy lets nobody own a task");
		return true;
	}
	if (!work_begin(w, e) || !examine(w, op, &c, e))
		return false;
	if (op->outcome != STORE_UNDECIDED)
		return true;
	if (!insert_task(w, op, &c, e) || !insert_steps(w, op, &c, e))
		return false;
	show(op, &c);
	return true;
}

bool
do_cancel(struct work *w, struct store_op *op, struct err *e)
{
	struct viewer v = {w->ops, w->db, w->plans, w->wall_us, w->settings->max_lease_losses};
	struct task_row task;
	struct change c;
	int64_t tenant;

	if (!work_begin(w, e) || !w->ops->task_find(w->db, &op->in.id.task, &op->caller, &task, e))
		return false;
	if (task.id == 0) {
		op_refuse(op, STORE_NOT_FOUND, "Task not found");
		return true;
	}
	if (task_state_is_final(task.facts.state)) {
		op_refuse(op, STORE_INVALID, "Cannot cancel a task that is %s already",
		        task_state_name(task.facts.state));
		return true;
	}
	if (!change_open(&c, w, &task, e) || !work_owner(w, &op->caller, &tenant, &c.actor, e) ||
	        !change_cancel(&c, e) || !view_task(&v, op, &task, true, &op->out.task, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

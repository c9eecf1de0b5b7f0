#include "orchestration/store/view.h"

#include <string.h>

#include "orchestration/engine/identity.h"
#include "orchestration/engine/step_rules.h"

static bool
keep(struct store_op *op, struct store_json from, struct store_json *out, struct err *e)
{
	*out = (struct store_json){NULL, from.len};
	if (from.text == NULL)
		return true;
	out->text = store_op_text(op, from.text, from.len);
	return out->text != NULL ? true : err_set(e, ERR_NOMEM, "out of memory for a view");
}

static bool
keep_output(
        struct store_op *op, const struct step_output *from, struct step_view *out, struct err *e)
{
	struct store_json worker = {from->worker, from->worker != NULL ? strlen(from->worker) : 0};

	if (!keep(op, worker, &worker, e))
		return false;
	out->worker = worker.text;
	return keep(op, from->result, &out->result, e) && keep(op, from->error, &out->error, e) &&
	       keep(op, from->log, &out->log, e);
}

bool
view_step(struct store_op *op, const struct plan *plan, const struct task_row *task,
        const struct step_row *row, const struct step_output *output, struct step_view *out,
        struct err *e)
{
	unsigned index = (unsigned)(row->id & STEP_INDEX_MASK);
	const struct step_facts *f = &row->facts;
	struct step_policy policy;

	if (index >= plan->t->step_count)
		return err_set(
		        e, ERR_FORMAT, "step %lld is not in its template", (long long)row->id);
	if ((size_t)f->unmet > plan->t->steps[index].parent_count)
		return err_set(e, ERR_FORMAT, "step %lld waits for more than it depends on",
		        (long long)row->id);
	policy = step_policy_of(&plan->t->steps[index], false, 0);
	*out = (struct step_view){
	        .id = identity_step_id(&task->uuid, index),
	        .task = task->uuid,
	        .named_step = plan->named_steps[index],
	        .plan = &plan->t->steps[index],
	        .state = f->state,
	        .dependencies_satisfied = f->unmet == 0,
	        .retry_eligible = step_may_retry(f, &policy),
	        .ready_for_execution = step_is_ready(f),
	        .total_parents = (int)plan->t->steps[index].parent_count,
	        .completed_parents = (int)plan->t->steps[index].parent_count - f->unmet,
	        .attempts = f->attempt,
	        .failures = f->failures,
	        .lease_losses = f->lease_losses,
	        .created_at = task->created_at,
	        .updated_at = row->updated_at,
	        .completed_at = row->completed_at,
	        .last_failure_at = row->failed_at,
	        .next_retry_at = f->retry_at,
	        .last_attempted_at = row->attempted_at,
	        .backoff_ms = row->backoff_ms,
	};
	return output == NULL || keep_output(op, output, out, e);
}

void
view_count(struct task_view *task, const struct step_view *step)
{
	step_counts_add(&task->counts, step->state, step->ready_for_execution, step->failures);
	task->step_count++;
}

/* A query of steps that fills an array, or only counts. */
struct filling {
	struct store_op *op;
	const struct plan *plan;
	const struct task_row *row;
	struct task_view *task;  /* NULL: no counting */
	struct step_view *steps; /* NULL: only counting */
	size_t count, room;
	bool outputs;
};

static bool
fill(const struct step_row *row, const struct step_output *output, void *arg, struct err *e)
{
	struct filling *f = arg;
	struct step_view one, *at = f->steps != NULL ? &f->steps[f->count] : &one;

	if (f->count == f->room)
		return err_set(e, ERR_FORMAT, "task %lld has more steps than its template",
		        (long long)f->row->id);
	if (!view_step(f->op, f->plan, f->row, row, f->outputs ? output : NULL, at, e))
		return false;
	f->count++;
	if (f->task != NULL)
		view_count(f->task, at);
	return true;
}

static bool
pinned_plan(struct viewer *v, struct store_op *op, int64_t id, struct plan **out, struct err *e)
{
	if (!plans_by_id(v->plans, id, out, e))
		return false;
	if (*out == NULL)
		return err_set(e, ERR_FORMAT, "template %lld is missing", (long long)id);
	return op_pin(op, *out) ? true : err_set(e, ERR_NOMEM, "out of memory for a view");
}

bool
view_task(struct viewer *v, struct store_op *op, const struct task_row *row, bool with_steps,
        struct task_view *out, struct err *e)
{
	int64_t first = row->id << STEP_INDEX_BITS;
	struct filling f = {.op = op, .row = row, .task = out};
	struct plan *plan;

	*out = (struct task_view){0};
	if (!pinned_plan(v, op, row->template_id, &plan, e) ||
	        !v->ops->task_details(v->db, row, op, out, e))
		return false;
	f.plan = plan;
	f.room = plan->t->step_count;
	if (with_steps) {
		f.steps = store_op_alloc(op, f.room, sizeof(*f.steps));
		if (f.steps == NULL)
			return err_set(e, ERR_NOMEM, "out of memory for a view");
	}
	out->plan = plan->t;
	out->state = row->facts.state;
	out->steps = f.steps;
	return v->ops->steps_each(v->db, first, first | STEP_INDEX_MASK, false, fill, &f, e);
}

bool
view_steps(struct viewer *v, struct store_op *op, const struct task_row *row, int index,
        struct page_out *out, struct err *e)
{
	int64_t first = row->id << STEP_INDEX_BITS | (index > 0 ? index : 0);
	int64_t last = index >= 0 ? first : first | STEP_INDEX_MASK;
	struct filling f = {.op = op, .row = row, .outputs = true};
	struct plan *plan;

	if (!pinned_plan(v, op, row->template_id, &plan, e))
		return false;
	f.plan = plan;
	f.room = index >= 0 ? 1 : plan->t->step_count;
	f.steps = store_op_alloc(op, f.room, sizeof(*f.steps));
	if (f.steps == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a view");
	if (!v->ops->steps_each(v->db, first, last, true, fill, &f, e))
		return false;
	*out = (struct page_out){.total = (int64_t)f.count, .count = f.count, .steps = f.steps};
	return true;
}

bool
view_template(
        struct viewer *v, struct store_op *op, int64_t id, struct template_view *out, struct err *e)
{
	struct plan *plan;

	if (!pinned_plan(v, op, id, &plan, e))
		return false;
	*out = (struct template_view){.plan = plan->t, .created_at = plan->row.created_at};
	memcpy(out->hash, plan->row.hash, sizeof(out->hash));
	return true;
}

static const char *const *
copy_list(struct store_op *op, char *const *list)
{
	size_t count = 0;
	const char **copy;

	while (list[count] != NULL)
		count++;
	copy = store_op_alloc(op, count + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < count; i++) {
		copy[i] = store_op_text(op, list[i], strlen(list[i]));
		if (copy[i] == NULL)
			return NULL;
	}
	return copy;
}

bool
view_session(struct store_op *op, const struct session *s, struct session_view *out, struct err *e)
{
	*out = (struct session_view){.id = s->id,
	        .worker = store_op_text(op, s->worker, strlen(s->worker)),
	        .boot = store_op_text(op, s->boot, strlen(s->boot)),
	        .namespaces = copy_list(op, s->namespaces),
	        .handlers = copy_list(op, s->handlers),
	        .expires_at_s = s->expires_at_s,
	        .issued_at_s = s->issued_at_s,
	        .slots = s->slots,
	        .held = (int)s->lease_count,
	        .parked = s->parked != NULL,
	        .registered_at = s->registered_at};
	memcpy(out->digest, s->digest, sizeof(out->digest));
	if (out->worker == NULL || out->boot == NULL || out->namespaces == NULL ||
	        out->handlers == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a session");
	return true;
}

bool
view_revocation(struct store_op *op, const struct revocation_row *row, struct revocation_view *out,
        struct err *e)
{
	*out = (struct revocation_view){
	        .id = row->id,
	        .what = {.kind = row->kind,
	                 .id = store_op_text(op, row->name, strlen(row->name)),
	                 .before_s = row->before_s},
	        .until_s = row->until_s,
	        .created_at = row->created_at,
	        .created_by = store_op_text(op, row->created_by, strlen(row->created_by))
        };
	if (row->reason != NULL)
		out->reason = store_op_text(op, row->reason, strlen(row->reason));
	if (out->what.id == NULL || out->created_by == NULL ||
	        (row->reason != NULL && out->reason == NULL))
		return err_set(e, ERR_NOMEM, "out of memory for a revocation");
	return true;
}

struct revocation_page {
	struct store_op *op;
	struct revocation_view *views;
	size_t count, room;
};

static bool
keep_revocation(const struct revocation_row *row, void *arg, struct err *e)
{
	struct revocation_page *p = arg;

	return p->count == p->room || view_revocation(p->op, row, &p->views[p->count++], e);
}

bool
view_revocations(struct viewer *v, struct store_op *op, const struct revocation_query *query,
        struct page_out *out, struct err *e)
{
	struct revocation_page p = {.op = op};
	int64_t total = 0, left;

	if (!v->ops->revocations_count(v->db, query->now_s, &total, e))
		return false;
	left = total > query->skip ? total - query->skip : 0;
	p.room = (size_t)(left < query->limit ? left : query->limit);
	p.views = store_op_alloc(op, p.room, sizeof(*p.views));
	if (p.views == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a list of revocations");
	if (!v->ops->revocations_each(v->db, query, keep_revocation, &p, e))
		return false;
	*out = (struct page_out){.total = total,
	        .more = left > query->limit,
	        .count = p.count,
	        .revocations = p.views};
	return true;
}

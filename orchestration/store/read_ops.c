#include "orchestration/store/read_ops.h"

#include <stdlib.h>
#include <string.h>

#include "orchestration/engine/identity.h"
#include "orchestration/store/session.h"

enum { US_PER_S = 1000000 };

static bool
find_task(struct viewer *v, struct store_op *op, const struct uuid *id, struct task_row *out,
        struct err *e)
{
	if (!v->ops->task_find(v->db, id, &op->caller, out, e))
		return false;
	if (out->id == 0)
		op_refuse(op, STORE_NOT_FOUND, "Task not found");
	return true;
}

static bool
task_get(struct viewer *v, struct store_op *op, struct err *e)
{
	struct task_row row;

	if (!find_task(v, op, &op->in.id.task, &row, e))
		return false;
	if (row.id == 0)
		return true;
	if (!view_task(v, op, &row, true, &op->out.task, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

struct page {
	struct task_row rows[STORE_PAGE_MAX];
	size_t count, max;
	bool more;
};

/* The query asks for one more than fits, to learn whether something follows. */
static bool
keep_task(const struct task_row *row, void *arg, struct err *e)
{
	struct page *p = arg;

	(void)e;
	if (p->count < p->max)
		p->rows[p->count++] = *row;
	else
		p->more = true;
	return true;
}

static bool
show_page(struct viewer *v, struct store_op *op, const struct page *p, struct err *e)
{
	struct task_view *views = store_op_alloc(op, p->count + 1, sizeof(*views));

	if (views == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a page of tasks");
	for (size_t i = 0; i < p->count; i++)
		if (!view_task(v, op, &p->rows[i], false, &views[i], e))
			return false;
	op->out.page.tasks = views;
	op->out.page.count = p->count;
	op->out.page.more = p->more;
	return true;
}

static bool
task_list(struct viewer *v, struct store_op *op, struct err *e)
{
	const struct task_list_in *in = &op->in.task_list;
	struct task_list_query query = {in, INT64_MAX};
	struct page page = {.max = (size_t)in->per_page};

	if (in->per_page < 1 || in->per_page > STORE_PAGE_MAX || (!in->has_after && in->page < 1)) {
		op_refuse(op, STORE_INVALID, "per_page must be between 1 and %d, page at least 1",
		        STORE_PAGE_MAX);
		return true;
	}
	if (in->has_after) {
		struct task_row after;

		if (!v->ops->task_find(v->db, &in->after, &op->caller, &after, e))
			return false;
		if (after.id == 0) {
			op_refuse(op, STORE_INVALID, "the cursor names no task");
			return true;
		}
		query.below = after.id;
	}
	if (!v->ops->task_list(v->db, &op->caller, &query, keep_task, &page, e) ||
	        !v->ops->task_total(v->db, &op->caller, in, &op->out.page.total, e) ||
	        !show_page(v, op, &page, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

static bool
step_list(struct viewer *v, struct store_op *op, struct err *e)
{
	struct task_row row;

	if (!find_task(v, op, &op->in.id.task, &row, e))
		return false;
	if (row.id == 0)
		return true;
	if (!view_steps(v, op, &row, -1, &op->out.page, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

static bool
step_get(struct viewer *v, struct store_op *op, struct err *e)
{
	struct uuid task;
	struct page_out page;
	struct task_row row;
	unsigned index;

	if (!find_task(v, op, &op->in.id.task, &row, e))
		return false;
	if (row.id == 0)
		return true;
	op->out.step.task_found = true;
	if (!identity_split(&op->in.id.step, &task, &index) ||
	        memcmp(&task, &row.uuid, sizeof(task)) != 0 || index >= (unsigned)row.facts.total) {
		op_refuse(op, STORE_NOT_FOUND, "Step not found");
		return true;
	}
	if (!view_steps(v, op, &row, (int)index, &page, e))
		return false;
	if (page.count != 1)
		return err_set(e, ERR_FORMAT, "task %lld lacks a step", (long long)row.id);
	op->out.step.step = page.steps[0];
	op->outcome = STORE_OK;
	return true;
}

static bool
template_get(struct viewer *v, struct store_op *op, struct err *e)
{
	const struct template_in *in = &op->in.template;
	struct template_row row;

	if (!v->ops->template_find(v->db, in->ns, in->name, in->version, &row, e))
		return false;
	if (row.id == 0) {
		op_refuse(op, STORE_NOT_FOUND, "Template not found: %s/%s/%s", in->ns, in->name,
		        in->version);
		return true;
	}
	if (!view_template(v, op, row.id, &op->out.template, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

struct id_page {
	int64_t ids[STORE_TEMPLATES_MAX];
	size_t count, total;
};

static bool
keep_id(int64_t id, void *arg, struct err *e)
{
	struct id_page *p = arg;

	(void)e;
	p->total++;
	if (p->count < COUNT(p->ids))
		p->ids[p->count++] = id;
	return true;
}

static bool
template_list(struct viewer *v, struct store_op *op, struct err *e)
{
	struct id_page ids = {.count = 0};
	struct template_view *views;

	if (!v->ops->template_list(v->db, op->in.template.ns, keep_id, &ids, e))
		return false;
	views = store_op_alloc(op, ids.count + 1, sizeof(*views));
	if (views == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a list of templates");
	for (size_t i = 0; i < ids.count; i++)
		if (!view_template(v, op, ids.ids[i], &views[i], e))
			return false;
	op->out.page = (struct page_out){.total = (int64_t)ids.total,
	        .more = ids.total > ids.count,
	        .count = ids.count,
	        .templates = views};
	op->outcome = STORE_OK;
	return true;
}

struct session_page {
	struct store_op *op;
	struct session_view *views;
	size_t count, room;
};

static bool
grow_sessions(struct session_page *p, struct err *e)
{
	size_t room = p->room > 0 ? p->room * 2 : 16;
	struct session_view *views;

	if (p->count < p->room)
		return true;
	views = store_op_alloc(p->op, room, sizeof(*views));
	if (views == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a list of sessions");
	if (p->count > 0)
		memcpy(views, p->views, p->count * sizeof(*views));
	p->views = views;
	p->room = room;
	return true;
}

static bool
keep_session(const struct session_row *row, void *arg, struct err *e)
{
	struct session_page *p = arg;
	AUTO(session) struct session *s = NULL;
	struct session_view *v;

	if (!grow_sessions(p, e) || !session_new(row, &s, e))
		return false;
	v = &p->views[p->count++];
	if (!view_session(p->op, s, v, e))
		return false;
	v->live = true;
	v->seen_ago_ms = -1;
	return true;
}

static bool
session_list(struct viewer *v, struct store_op *op, struct err *e)
{
	struct session_page p = {.op = op};

	if (!v->ops->sessions_each(v->db, keep_session, &p, e))
		return false;
	op->out.page =
	        (struct page_out){.total = (int64_t)p.count, .count = p.count, .sessions = p.views};
	op->outcome = STORE_OK;
	return true;
}

struct event_page {
	struct viewer *v;
	struct store_op *op;
	struct event_view *views;
	size_t count, room;
	bool more;
};

static bool
keep_event(const struct event_found *f, void *arg, struct err *e)
{
	struct event_page *p = arg;
	struct event_view *out = &p->views[p->count];
	struct plan *plan;

	if (p->count == p->room) {
		p->more = true;
		return true;
	}
	*out = (struct event_view){.position = f->pos,
	        .seq = f->seq,
	        .at = f->row.at,
	        .task = f->task,
	        .kind = f->row.kind,
	        .from = f->row.from,
	        .to = f->row.to,
	        .attempt = f->row.attempt};
	p->count++;
	if (f->actor != NULL) {
		out->actor = store_op_text(p->op, f->actor, strlen(f->actor));
		if (out->actor == NULL)
			return err_set(e, ERR_NOMEM, "out of memory for a list of events");
	}
	if (!event_kind_is_of_step(f->row.kind))
		return true;
	out->step = identity_step_id(&f->task, (unsigned)f->row.step);
	if (!plans_by_id(p->v->plans, f->template_id, &plan, e))
		return false;
	if (plan == NULL || !op_pin(p->op, plan) || (size_t)f->row.step >= plan->t->step_count)
		return err_set(e, ERR_FORMAT, "event %lld is of no known step", (long long)f->pos);
	out->step_name = plan->t->steps[f->row.step].name;
	return true;
}

static bool
event_list(struct viewer *v, struct store_op *op, struct err *e)
{
	const struct event_list_in *in = &op->in.events;
	struct event_query query = {.after = in->after, .limit = in->limit + 1};
	struct event_page p = {.v = v, .op = op, .room = (size_t)in->limit};
	struct task_row row;

	if (in->limit < 1 || in->limit > STORE_PAGE_MAX) {
		op_refuse(op, STORE_INVALID, "limit must be between 1 and %d", STORE_PAGE_MAX);
		return true;
	}
	if (in->has_task) {
		if (!find_task(v, op, &in->task, &row, e))
			return false;
		if (row.id == 0)
			return true;
		query.task = row.id;
	}
	p.views = store_op_alloc(op, p.room + 1, sizeof(*p.views));
	if (p.views == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a list of events");
	if (!v->ops->event_list(v->db, &op->caller, &query, keep_event, &p, e))
		return false;
	op->out.page = (struct page_out){
	        .total = (int64_t)p.count, .more = p.more, .count = p.count, .events = p.views};
	op->outcome = STORE_OK;
	return true;
}

static bool
revocation_list(struct viewer *v, struct store_op *op, struct err *e)
{
	const struct revocation_list_in *in = &op->in.revocations;
	struct revocation_query query = {.now_s = v->wall_us / US_PER_S, .limit = REVOCATIONS_MAX};

	if (in->per_page < 0 || in->per_page > STORE_PAGE_MAX ||
	        (in->per_page > 0 && in->page < 1)) {
		op_refuse(op, STORE_INVALID, "per_page must be between 1 and %d, page at least 1",
		        STORE_PAGE_MAX);
		return true;
	}
	if (in->per_page > 0) {
		query.skip = (int64_t)(in->page - 1) * in->per_page;
		query.limit = in->per_page;
	}
	if (!view_revocations(v, op, &query, &op->out.page, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

static bool
stats(struct viewer *v, struct store_op *op, struct err *e)
{
	if (!v->ops->stats(v->db, v->wall_us, &op->out.stats, e))
		return false;
	op->outcome = STORE_OK;
	return true;
}

typedef bool (*read_fn)(struct viewer *v, struct store_op *op, struct err *e);

bool
read_op(struct viewer *v, struct store_op *op, struct err *e)
{
	static const read_fn reads[STORE_VERB__COUNT] = {
	        [STORE_TASK_GET] = task_get,
	        [STORE_TASK_LIST] = task_list,
	        [STORE_STEP_LIST] = step_list,
	        [STORE_STEP_GET] = step_get,
	        [STORE_TEMPLATE_LIST] = template_list,
	        [STORE_TEMPLATE_GET] = template_get,
	        [STORE_SESSION_LIST] = session_list,
	        [STORE_REVOCATION_LIST] = revocation_list,
	        [STORE_STATS] = stats,
	        [STORE_EVENT_LIST] = event_list,
	};

	if ((size_t)op->verb < COUNT(reads) && reads[op->verb] != NULL)
		return reads[op->verb](v, op, e);
	op_refuse(op, STORE_UNDECIDED, "%s is no read", store_verb_name(op->verb));
	return true;
}

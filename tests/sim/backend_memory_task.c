#include <string.h>

#include "tests/sim/backend_memory.h"

static const struct memory_task *
task_at(struct memory *m, size_t i)
{
	return memory_row(m, TASKS, i);
}

static int64_t
name_of(struct memory *m, enum memory_table t, int64_t within, const char *name)
{
	for (size_t i = 0; i < memory_count(m, t); i++) {
		const struct memory_name *n = memory_row(m, t, i);

		if (n->within == within && strcmp(n->name, name) == 0)
			return (int64_t)i + 1;
	}
	return 0;
}

bool
memory_covers(struct memory *m, const struct principal *who, int64_t tenant, int64_t owner)
{
	int64_t theirs;

	if (who->scope == SCOPE_ANY)
		return true;
	if (who->scope == SCOPE_NONE)
		return false;
	theirs = name_of(m, TENANTS, 0, who->tenant);
	if (theirs == 0 || theirs != tenant)
		return false;
	return who->scope == SCOPE_TENANT || owner == name_of(m, OWNERS, theirs, who->owner);
}

const char *
memory_owner_name(struct memory *m, int64_t owner)
{
	return owner > 0 ? ((const struct memory_name *)memory_row(m, OWNERS, (size_t)owner - 1))
	                           ->name
	                 : NULL;
}

static bool
task_find(struct backend *b, const struct uuid *id, const struct principal *who,
        struct task_row *out, struct err *e)
{
	(void)e;
	*out = (struct task_row){0};
	for (size_t i = 0; i < memory_count(b->m, TASKS); i++) {
		const struct memory_task *t = task_at(b->m, i);

		if (memcmp(&t->row.uuid, id, sizeof(*id)) == 0 &&
		        memory_covers(b->m, who, t->row.tenant, t->row.owner))
			*out = t->row;
	}
	return true;
}

static bool
task_load(struct backend *b, int64_t id, struct task_row *out, struct err *e)
{
	bool there = id > 0 && (size_t)id <= memory_count(b->m, TASKS);

	(void)e;
	*out = there ? task_at(b->m, (size_t)id - 1)->row : (struct task_row){0};
	return true;
}

static bool
task_by_identity(
        struct backend *b, const unsigned char identity[32], struct task_row *out, struct err *e)
{
	(void)e;
	*out = (struct task_row){0};
	for (size_t i = 0; i < memory_count(b->m, TASKS); i++) {
		const struct memory_task *t = task_at(b->m, i);

		if (t->keyed && memcmp(t->identity, identity, 32) == 0 &&
		        !memory_errs(b->m, MEMORY_FORGETS_IDENTITY, 1))
			*out = t->row;
	}
	return true;
}

static bool
task_forget_identity(struct backend *b, int64_t id, struct err *e)
{
	if (!memory_may_write(b, "TASK_FORGET", e))
		return false;
	((struct memory_task *)memory_touch(b->m, TASKS, (size_t)id - 1))->keyed = false;
	return true;
}

static struct store_json
keep(struct memory *m, struct store_json from)
{
	if (from.text != NULL)
		from.text = memory_text(m, from.text, from.len);
	return from;
}

static const char *
keep_text(struct memory *m, const char *text)
{
	return memory_text(m, text, strlen(text));
}

static bool
task_insert(struct backend *b, struct task_row *row, const unsigned char *identity,
        const struct task_create_in *in, struct err *e)
{
	struct memory_task *t;

	if (!memory_may_write(b, "TASK_INSERT", e))
		return false;
	t = memory_add(b->m, TASKS);
	t->row = *row;
	t->row.id = row->id = (int64_t)memory_count(b->m, TASKS);
	t->keyed = identity != NULL;
	if (identity != NULL)
		memcpy(t->identity, identity, sizeof(t->identity));
	if (!memory_may_write(b, "DETAILS_INSERT", e))
		return false;
	t->initiator = keep_text(b->m, in->initiator);
	t->source_system = keep_text(b->m, in->source_system);
	t->reason = keep_text(b->m, in->reason);
	t->has_priority = in->has_priority;
	t->priority = in->has_priority ? in->priority : 0;
	t->correlation_id = in->correlation_id;
	t->has_parent = in->has_parent_correlation;
	t->parent_correlation_id = in->parent_correlation_id;
	t->tags = keep(b->m, in->tags);
	t->context = keep(b->m, in->context);
	return true;
}

static bool
task_update(struct backend *b, const struct task_row *row, struct err *e)
{
	struct memory_task *t;

	if (!memory_may_write(b, row->completed_at != 0 ? "TASK_CLOSE" : "TASK_UPDATE", e))
		return false;
	t = memory_touch(b->m, TASKS, (size_t)row->id - 1);
	t->row.facts.state = row->facts.state;
	t->row.facts.remaining = row->facts.remaining;
	t->row.facts.live = row->facts.live;
	t->row.facts.waiting = row->facts.waiting;
	t->row.facts.failed = row->facts.failed;
	t->row.updated_at = row->updated_at;
	if (row->completed_at != 0)
		t->row.completed_at = row->completed_at;
	return true;
}

static const char *
lend(struct store_op *op, const char *text)
{
	return text != NULL ? store_op_text(op, text, strlen(text)) : NULL;
}

static struct store_json
lend_json(struct store_op *op, struct store_json from)
{
	if (from.text != NULL)
		from.text = store_op_text(op, from.text, from.len);
	return from;
}

static bool
task_details(struct backend *b, const struct task_row *row, struct store_op *op,
        struct task_view *out, struct err *e)
{
	const struct memory_task *t = task_at(b->m, (size_t)row->id - 1);

	out->id = row->uuid;
	out->created_at = row->created_at;
	out->updated_at = row->updated_at;
	out->completed_at = row->completed_at;
	out->initiator = lend(op, t->initiator);
	out->source_system = lend(op, t->source_system);
	out->reason = lend(op, t->reason);
	out->has_priority = t->has_priority;
	out->priority = t->priority;
	out->correlation_id = t->correlation_id;
	out->has_parent_correlation = t->has_parent;
	if (t->has_parent)
		out->parent_correlation_id = t->parent_correlation_id;
	out->tags = lend_json(op, t->tags);
	out->context = lend_json(op, t->context);
	return out->context.text != NULL ? true : err_set(e, ERR_NOMEM, "out of memory for a task");
}

static bool
task_context(struct backend *b, int64_t id, struct buf *out, struct err *e)
{
	const struct memory_task *t = task_at(b->m, (size_t)id - 1);

	(void)e;
	buf_add(out, t->context.text, t->context.len);
	return true;
}

static bool
is(const char *asked, const char *there)
{
	return asked == NULL || strcmp(asked, there) == 0;
}

static bool
is_asked_for(struct memory *m, const struct principal *who, const struct task_list_in *in,
        const struct memory_task *t)
{
	const struct memory_template *p = memory_row(m, TEMPLATES, (size_t)t->row.template_id - 1);

	return memory_covers(m, who, t->row.tenant, t->row.owner) && is(in->ns, p->ns) &&
	       is(in->name, p->name) && is(in->initiator, t->initiator) &&
	       is(in->source_system, t->source_system) &&
	       (in->states == 0 || (in->states >> t->row.facts.state & 1U) != 0);
}

static bool
task_list(struct backend *b, const struct principal *who, const struct task_list_query *in,
        task_row_fn fn, void *arg, struct err *e)
{
	const struct task_list_in *asked = in->filters;
	int64_t skip = asked->has_after ? 0 : (int64_t)(asked->page - 1) * asked->per_page;
	int64_t left = asked->per_page + 1;

	for (size_t i = memory_count(b->m, TASKS); i-- > 0 && left > 0;) {
		const struct memory_task *t = task_at(b->m, i);

		if (t->row.id >= in->below || !is_asked_for(b->m, who, asked, t))
			continue;
		if (skip-- > 0)
			continue;
		left--;
		if (!fn(&t->row, arg, e))
			return false;
	}
	return true;
}

static bool
task_total(struct backend *b, const struct principal *who, const struct task_list_in *in,
        int64_t *out, struct err *e)
{
	(void)e;
	*out = 0;
	for (size_t i = 0; i < memory_count(b->m, TASKS); i++)
		*out += is_asked_for(b->m, who, in, task_at(b->m, i));
	return true;
}

static bool
name_id(struct backend *b, enum memory_table t, int64_t within, const char *name, int64_t *out,
        struct err *e)
{
	struct memory_name *fresh;

	*out = name_of(b->m, t, within, name);
	if (*out != 0)
		return true;
	if (!memory_may_write(b, t == TENANTS ? "TENANT_INSERT" : "OWNER_INSERT", e))
		return false;
	fresh = memory_add(b->m, t);
	*fresh = (struct memory_name){within, keep_text(b->m, name)};
	*out = (int64_t)memory_count(b->m, t);
	return true;
}

static bool
owner_id(struct backend *b, const struct principal *who, int64_t *tenant, int64_t *owner,
        struct err *e)
{
	return name_id(b, TENANTS, 0, who->tenant, tenant, e) &&
	       name_id(b, OWNERS, *tenant, who->owner, owner, e);
}

void
memory_task_ops(struct backend_ops *ops)
{
	ops->task_find = task_find;
	ops->task_load = task_load;
	ops->task_by_identity = task_by_identity;
	ops->task_forget_identity = task_forget_identity;
	ops->task_insert = task_insert;
	ops->task_update = task_update;
	ops->task_details = task_details;
	ops->task_context = task_context;
	ops->task_list = task_list;
	ops->task_total = task_total;
	ops->owner_id = owner_id;
}

#include <string.h>

#include "orchestration/store/store_sqlite.h"

static const enum statement find_by_scope[] = {
        [SCOPE_NONE] = SQL_TASK_FIND_OWNER, /* with NULL names, which equal nothing */
        [SCOPE_OWNER] = SQL_TASK_FIND_OWNER,
        [SCOPE_TENANT] = SQL_TASK_FIND_TENANT,
        [SCOPE_ANY] = SQL_TASK_FIND_ANY,
};

static const enum statement list_by_scope[] = {
        [SCOPE_NONE] = SQL_TASK_LIST_OWNER,
        [SCOPE_OWNER] = SQL_TASK_LIST_OWNER,
        [SCOPE_TENANT] = SQL_TASK_LIST_TENANT,
        [SCOPE_ANY] = SQL_TASK_LIST_ANY,
};

static const enum statement total_by_scope[] = {
        [SCOPE_NONE] = SQL_TASK_TOTAL_OWNER,
        [SCOPE_OWNER] = SQL_TASK_TOTAL_OWNER,
        [SCOPE_TENANT] = SQL_TASK_TOTAL_TENANT,
        [SCOPE_ANY] = SQL_TASK_TOTAL_ANY,
};

/* Reads TASK_COLUMNS from the query's next column on. */
static bool
task_columns(struct query *q, struct task_row *out, struct err *e)
{
	*out = (struct task_row){0};
	out->id = column_int(q);
	out->tenant = column_int(q);
	out->owner = column_int(q);
	out->template_id = column_int(q);
	column_bytes(q, out->uuid.bytes, sizeof(out->uuid.bytes));
	out->facts.state = (enum task_state)column_within(q, 1, TASK_STATE_END - 1);
	out->facts.total = column_count(q);
	out->facts.remaining = column_count(q);
	out->facts.live = column_count(q);
	out->facts.waiting = column_count(q);
	out->facts.failed = column_count(q);
	out->rank = (int)column_within(q, -COUNT_MOST, COUNT_MOST);
	out->created_at = column_int(q);
	out->updated_at = column_int(q);
	out->completed_at = column_int(q);
	return query_sound(q, e);
}

/* The only row of a query, or id 0. */
static bool
one_task(struct query *q, struct task_row *out, struct err *e)
{
	bool row;

	if (!query_next(q, &row, e))
		return false;
	*out = (struct task_row){0};
	if (row && !task_columns(q, out, e))
		return false;
	query_end(q);
	return true;
}

static void
bind_scope(struct query *q, const struct principal *who)
{
	bool none = who->scope == SCOPE_NONE;

	if (who->scope == SCOPE_ANY)
		return;
	query_text(q, none ? NULL : who->tenant);
	if (who->scope != SCOPE_TENANT)
		query_text(q, none ? NULL : who->owner);
}

static bool
task_find(struct backend *b, const struct uuid *id, const struct principal *who,
        struct task_row *out, struct err *e)
{
	struct query q = query_on(b, find_by_scope[who->scope]);

	query_blob(&q, id->bytes, sizeof(id->bytes));
	bind_scope(&q, who);
	return one_task(&q, out, e);
}

static bool
task_load(struct backend *b, int64_t id, struct task_row *out, struct err *e)
{
	struct query q = query_on(b, SQL_TASK_LOAD);

	query_int(&q, id);
	return one_task(&q, out, e);
}

static bool
task_by_identity(
        struct backend *b, const unsigned char identity[32], struct task_row *out, struct err *e)
{
	struct query q = query_on(b, SQL_TASK_BY_IDENTITY);

	query_blob(&q, identity, 32);
	return one_task(&q, out, e);
}

static bool
task_forget_identity(struct backend *b, int64_t id, struct err *e)
{
	struct query q = query_on(b, SQL_TASK_FORGET);

	query_int(&q, id);
	return query_run(&q, e);
}

static bool
insert_details(struct backend *b, int64_t task, const struct task_create_in *in, struct err *e)
{
	struct query q = query_on(b, SQL_DETAILS_INSERT);

	query_int(&q, task);
	query_text(&q, in->initiator);
	query_text(&q, in->source_system);
	query_text(&q, in->reason);
	if (in->has_priority)
		query_int(&q, in->priority);
	else
		query_int_or_null(&q, 0);
	query_blob(&q, in->correlation_id.bytes, sizeof(in->correlation_id.bytes));
	query_blob(&q, in->has_parent_correlation ? in->parent_correlation_id.bytes : NULL,
	        sizeof(in->parent_correlation_id.bytes));
	query_text(&q, in->idempotency_key);
	query_json(&q, in->tags);
	query_json(&q, in->context);
	return query_run(&q, e);
}

static bool
task_insert(struct backend *b, struct task_row *row, const unsigned char *identity,
        const struct task_create_in *in, struct err *e)
{
	struct query q = query_on(b, SQL_TASK_INSERT);

	query_blob(&q, row->uuid.bytes, sizeof(row->uuid.bytes));
	query_int(&q, row->tenant);
	query_int(&q, row->owner);
	query_int(&q, row->template_id);
	query_int(&q, (int64_t)row->facts.state);
	query_int(&q, row->facts.total);
	query_int(&q, row->facts.remaining);
	query_int(&q, row->facts.live);
	query_int(&q, row->facts.waiting);
	query_int(&q, row->facts.failed);
	query_int(&q, row->rank);
	query_int(&q, row->created_at);
	query_int(&q, row->updated_at);
	query_int_or_null(&q, row->completed_at);
	query_blob(&q, identity, 32);
	if (!query_run(&q, e))
		return false;
	row->id = sqlite3_last_insert_rowid(b->db);
	return insert_details(b, row->id, in, e);
}

/* completed_at is an index's condition, so it is only written when it is set. */
static bool
task_update(struct backend *b, const struct task_row *row, struct err *e)
{
	struct query q = query_on(b, row->completed_at != 0 ? SQL_TASK_CLOSE : SQL_TASK_UPDATE);

	query_int(&q, (int64_t)row->facts.state);
	query_int(&q, row->facts.remaining);
	query_int(&q, row->facts.live);
	query_int(&q, row->facts.waiting);
	query_int(&q, row->facts.failed);
	query_int(&q, row->updated_at);
	if (row->completed_at != 0)
		query_int(&q, row->completed_at);
	query_int(&q, row->id);
	return query_run(&q, e);
}

static bool
keep_text(struct store_op *op, struct store_json from, const char **out, struct err *e)
{
	*out = store_op_text(op, from.text != NULL ? from.text : "", from.len);
	return *out != NULL ? true : err_set(e, ERR_NOMEM, "out of memory for a task");
}

static bool
keep_word(struct store_op *op, const char *from, const char **out, struct err *e)
{
	if (from == NULL)
		return err_set(e, ERR_FORMAT, "a task lacks what each task has");
	*out = store_op_text(op, from, strlen(from));
	return *out != NULL ? true : err_set(e, ERR_NOMEM, "out of memory for a task");
}

static bool
keep_json(struct store_op *op, struct store_json from, struct store_json *out, struct err *e)
{
	*out = (struct store_json){NULL, from.len};
	return from.text == NULL || keep_text(op, from, &out->text, e);
}

static bool
details(struct query *q, struct store_op *op, struct task_view *out, struct err *e)
{
	if (!keep_word(op, column_text(q), &out->initiator, e) ||
	        !keep_word(op, column_text(q), &out->source_system, e) ||
	        !keep_word(op, column_text(q), &out->reason, e))
		return false;
	out->has_priority = sqlite3_column_type(q->s, q->read) != SQLITE_NULL;
	out->priority = (int)column_within(q, -COUNT_MOST, COUNT_MOST);
	column_bytes(q, out->correlation_id.bytes, sizeof(out->correlation_id.bytes));
	out->has_parent_correlation = column_uuid(q, &out->parent_correlation_id);
	return keep_json(op, column_json(q), &out->tags, e) &&
	       keep_json(op, column_json(q), &out->context, e) && query_sound(q, e);
}

static bool
task_details(struct backend *b, const struct task_row *row, struct store_op *op,
        struct task_view *out, struct err *e)
{
	struct query q = query_on(b, SQL_DETAILS_LOAD);
	bool found;

	query_int(&q, row->id);
	if (!query_next(&q, &found, e))
		return false;
	if (found && !details(&q, op, out, e)) {
		query_end(&q);
		return err_while(e, "reading task %lld", (long long)row->id);
	}
	query_end(&q);
	if (!found || out->context.text == NULL)
		return err_set(e, ERR_FORMAT, "task %lld has no details", (long long)row->id);
	out->id = row->uuid;
	out->created_at = row->created_at;
	out->updated_at = row->updated_at;
	out->completed_at = row->completed_at;
	return true;
}

static bool
task_context(struct backend *b, int64_t id, struct buf *out, struct err *e)
{
	struct query q = query_on(b, SQL_CONTEXT_LOAD);
	struct store_json context = {0};
	bool found;

	query_int(&q, id);
	if (!query_next(&q, &found, e))
		return false;
	if (found) {
		context = column_json(&q);
		buf_add(out, context.text, context.len);
	}
	query_end(&q);
	return found ? true : err_set(e, ERR_FORMAT, "task %lld has no context", (long long)id);
}

/* Parameters 1 to 8; a total has no page. */
static void
bind_filters(struct query *q, const struct task_list_in *in, int64_t below, bool page)
{
	int64_t per_page = in->per_page;

	query_text(q, in->ns);
	query_text(q, in->name);
	query_text(q, in->initiator);
	query_text(q, in->source_system);
	query_int(q, (int64_t)in->states);
	query_int(q, below);
	if (page) {
		query_int(q, per_page + 1); /* one more tells whether something follows */
		query_int(q, in->has_after ? 0 : (in->page - 1) * per_page);
	} else {
		q->bound += 2;
	}
}

static bool
task_list(struct backend *b, const struct principal *who, const struct task_list_query *in,
        task_row_fn fn, void *arg, struct err *e)
{
	struct query q = query_on(b, list_by_scope[who->scope]);
	struct task_row row;
	bool found;

	bind_filters(&q, in->filters, in->below, true);
	bind_scope(&q, who);
	for (;;) {
		if (!query_next(&q, &found, e))
			return false;
		if (!found)
			return true;
		if (!task_columns(&q, &row, e))
			return false;
		if (!fn(&row, arg, e)) {
			query_end(&q);
			return false;
		}
	}
}

static bool
task_total(struct backend *b, const struct principal *who, const struct task_list_in *in,
        int64_t *out, struct err *e)
{
	struct query q = query_on(b, total_by_scope[who->scope]);
	bool found;

	bind_filters(&q, in, INT64_MAX, false);
	bind_scope(&q, who);
	if (!query_next(&q, &found, e))
		return false;
	*out = found ? column_int(&q) : 0;
	query_end(&q);
	return true;
}

/* The id of a name, made if it is new. Both statements take the same parameters. */
static bool
name_id(struct backend *b, enum statement find, int64_t tenant, const char *name, int64_t *out,
        struct err *e)
{
	struct query q = query_on(b, find);
	bool found;

	if (tenant != 0)
		query_int(&q, tenant);
	query_text(&q, name);
	if (!query_next(&q, &found, e))
		return false;
	if (found)
		*out = column_int(&q);
	query_end(&q);
	if (found)
		return true;
	q = query_on(b, find == SQL_TENANT_FIND ? SQL_TENANT_INSERT : SQL_OWNER_INSERT);
	if (tenant != 0)
		query_int(&q, tenant);
	query_text(&q, name);
	if (!query_run(&q, e))
		return false;
	*out = sqlite3_last_insert_rowid(b->db);
	return true;
}

static bool
owner_id(struct backend *b, const struct principal *who, int64_t *tenant, int64_t *owner,
        struct err *e)
{
	return name_id(b, SQL_TENANT_FIND, 0, who->tenant, tenant, e) &&
	       name_id(b, SQL_OWNER_FIND, *tenant, who->owner, owner, e);
}

void
sqlite_task_ops(struct backend_ops *ops)
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

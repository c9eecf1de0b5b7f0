#include <string.h>

#include "orchestration/store/store_sqlite.h"

static bool
template_columns(struct query *q, struct template_row *out, struct err *e)
{
	out->id = column_int(q);
	out->created_at = column_int(q);
	column_bytes(q, out->hash, sizeof(out->hash));
	return query_sound(q, e);
}

static bool
template_find(struct backend *b, const char *ns, const char *name, const char *version,
        struct template_row *out, struct err *e)
{
	struct query q = query_on(b, SQL_TEMPLATE_FIND);
	bool found;

	query_text(&q, ns);
	query_text(&q, name);
	query_text(&q, version);
	if (!query_next(&q, &found, e))
		return false;
	*out = (struct template_row){0};
	if (found && !template_columns(&q, out, e))
		return false;
	query_end(&q);
	return true;
}

static bool
template_load(
        struct backend *b, int64_t id, struct template_row *row, struct buf *json, struct err *e)
{
	struct query q = query_on(b, SQL_TEMPLATE_LOAD);
	struct store_json text;
	bool found;

	query_int(&q, id);
	if (!query_next(&q, &found, e))
		return false;
	*row = (struct template_row){0};
	if (found) {
		if (!template_columns(&q, row, e))
			return false;
		text = column_json(&q);
		buf_add(json, text.text, text.len);
	}
	query_end(&q);
	return true;
}

static bool
template_insert(struct backend *b, const struct template *t, struct store_json json,
        struct template_row *row, struct err *e)
{
	struct query q = query_on(b, SQL_TEMPLATE_INSERT);

	query_text(&q, t->namespace_name);
	query_text(&q, t->name);
	query_text(&q, t->version);
	query_blob(&q, row->hash, sizeof(row->hash));
	query_json(&q, json);
	query_int(&q, row->created_at);
	if (!query_run(&q, e))
		return false;
	row->id = sqlite3_last_insert_rowid(b->db);
	return true;
}

static bool
template_list(struct backend *b, const char *ns, id_fn fn, void *arg, struct err *e)
{
	struct query q = query_on(b, SQL_TEMPLATE_LIST);
	bool found;

	query_text(&q, ns);
	for (;;) {
		if (!query_next(&q, &found, e))
			return false;
		if (!found)
			return true;
		if (!fn(column_int(&q), arg, e)) {
			query_end(&q);
			return false;
		}
	}
}

static bool
route_id(struct backend *b, const char *ns, const char *callable, int64_t *out, struct err *e)
{
	struct query q = query_on(b, SQL_ROUTE_FIND);
	bool found;

	query_text(&q, ns);
	query_text(&q, callable);
	if (!query_next(&q, &found, e))
		return false;
	if (found) {
		*out = column_int(&q);
		query_end(&q);
		return true;
	}
	q = query_on(b, SQL_ROUTE_INSERT);
	query_text(&q, ns);
	query_text(&q, callable);
	if (!query_run(&q, e))
		return false;
	*out = sqlite3_last_insert_rowid(b->db);
	return true;
}

static bool
routes_each(struct backend *b, route_fn fn, void *arg, struct err *e)
{
	struct query q = query_on(b, SQL_ROUTES_EACH);
	bool found;

	for (;;) {
		int64_t id;
		const char *ns, *callable;

		if (!query_next(&q, &found, e))
			return false;
		if (!found)
			return true;
		id = column_int(&q);
		ns = column_text(&q);
		callable = column_text(&q);
		q.odd = q.odd || ns == NULL || callable == NULL;
		if (!query_sound(&q, e))
			return false;
		if (!fn(id, ns, callable, arg, e)) {
			query_end(&q);
			return false;
		}
	}
}

void
sqlite_template_ops(struct backend_ops *ops)
{
	ops->template_find = template_find;
	ops->template_load = template_load;
	ops->template_insert = template_insert;
	ops->template_list = template_list;
	ops->route_id = route_id;
	ops->routes_each = routes_each;
}

#include <string.h>

#include "orchestration/store/store_sqlite.h"

static void
bind_session(struct query *q, const struct session_row *row)
{
	query_blob(q, row->digest, sizeof(row->digest));
	query_text(q, row->worker);
	query_text(q, row->boot);
	query_int(q, row->slots);
	query_text(q, row->namespaces);
	query_text(q, row->handlers);
	query_int(q, row->expires_at_s);
	query_int(q, row->registered_at);
	query_int(q, row->issued_at_s);
}

static bool
session_insert(struct backend *b, struct session_row *row, struct err *e)
{
	struct query q = query_on(b, SQL_SESSION_INSERT);

	bind_session(&q, row);
	if (!query_run(&q, e))
		return false;
	row->id = sqlite3_last_insert_rowid(b->db);
	return true;
}

static bool
session_update(struct backend *b, const struct session_row *row, struct err *e)
{
	struct query q = query_on(b, SQL_SESSION_UPDATE);

	bind_session(&q, row);
	query_int(&q, row->id);
	return query_run(&q, e);
}

static bool
session_end(struct backend *b, int64_t id, int64_t now_us, struct err *e)
{
	struct query q = query_on(b, SQL_SESSION_END);

	query_int(&q, now_us);
	query_int(&q, id);
	return query_run(&q, e);
}

static bool
session_columns(struct query *q, struct session_row *out, struct err *e)
{
	*out = (struct session_row){.id = column_int(q)};
	column_bytes(q, out->digest, sizeof(out->digest));
	out->worker = column_text(q);
	out->boot = column_text(q);
	out->slots = column_count(q);
	out->namespaces = column_text(q);
	out->handlers = column_text(q);
	out->expires_at_s = column_int(q);
	out->registered_at = column_int(q);
	out->issued_at_s = column_int(q);
	q->odd = q->odd || out->worker == NULL || out->boot == NULL || out->namespaces == NULL ||
	         out->handlers == NULL;
	return query_sound(q, e);
}

static bool
sessions_each(struct backend *b, session_row_fn fn, void *arg, struct err *e)
{
	struct query q = query_on(b, SQL_SESSIONS_EACH);
	struct session_row row;
	bool found;

	for (;;) {
		if (!query_next(&q, &found, e))
			return false;
		if (!found)
			return true;
		if (!session_columns(&q, &row, e))
			return false;
		if (!fn(&row, arg, e)) {
			query_end(&q);
			return false;
		}
	}
}

void
sqlite_worker_ops(struct backend_ops *ops)
{
	ops->session_insert = session_insert;
	ops->session_update = session_update;
	ops->session_end = session_end;
	ops->sessions_each = sessions_each;
}

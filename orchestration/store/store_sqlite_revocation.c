#include <string.h>

#include "orchestration/store/store_sqlite.h"

static bool
revocation_insert(struct backend *b, const struct revocation_row *row, struct err *e)
{
	struct query q = query_on(b, SQL_REVOCATION_INSERT);

	query_blob(&q, row->id.bytes, sizeof(row->id.bytes));
	query_int(&q, row->kind);
	query_text(&q, row->name);
	query_int(&q, row->before_s);
	query_int(&q, row->until_s);
	query_int(&q, row->created_at);
	query_text(&q, row->created_by);
	query_text(&q, row->reason);
	return query_run(&q, e);
}

static bool
revocation_delete(struct backend *b, const struct uuid *id, bool *found, struct err *e)
{
	struct query q = query_on(b, SQL_REVOCATION_DELETE);

	query_blob(&q, id->bytes, sizeof(id->bytes));
	if (!query_run(&q, e))
		return false;
	*found = sqlite3_changes(b->db) > 0;
	return true;
}

static bool
revocations_prune(struct backend *b, int64_t now_s, struct err *e)
{
	struct query q = query_on(b, SQL_REVOCATIONS_PRUNE);

	query_int(&q, now_s);
	return query_run(&q, e);
}

static bool
revocations_count(struct backend *b, int64_t now_s, int64_t *out, struct err *e)
{
	struct query q = query_on(b, SQL_REVOCATIONS_COUNT);
	bool found;

	query_int(&q, now_s);
	if (!query_next(&q, &found, e))
		return false;
	*out = found ? column_int(&q) : 0;
	query_end(&q);
	return true;
}

static bool
revocation_columns(struct query *q, struct revocation_row *out, struct err *e)
{
	*out = (struct revocation_row){.kind = REVOCATION_NONE};
	q->odd = !column_uuid(q, &out->id) || q->odd;
	out->kind =
	        (enum revocation_kind)column_within(q, REVOCATION_NONE + 1, REVOCATION__COUNT - 1);
	out->name = column_text(q);
	out->before_s = column_int(q);
	out->until_s = column_int(q);
	out->created_at = column_int(q);
	out->created_by = column_text(q);
	out->reason = column_text(q);
	q->odd = q->odd || out->name == NULL || out->created_by == NULL;
	return query_sound(q, e);
}

static bool
revocations_each(struct backend *b, const struct revocation_query *in, revocation_row_fn fn,
        void *arg, struct err *e)
{
	struct query q = query_on(b, SQL_REVOCATIONS_EACH);
	struct revocation_row row;
	bool found;

	query_int(&q, in->now_s);
	query_int(&q, in->limit);
	query_int(&q, in->skip);
	for (;;) {
		if (!query_next(&q, &found, e))
			return false;
		if (!found)
			return true;
		if (!revocation_columns(&q, &row, e))
			return false;
		if (!fn(&row, arg, e)) {
			query_end(&q);
			return false;
		}
	}
}

void
sqlite_revocation_ops(struct backend_ops *ops)
{
	ops->revocation_insert = revocation_insert;
	ops->revocation_delete = revocation_delete;
	ops->revocations_prune = revocations_prune;
	ops->revocations_count = revocations_count;
	ops->revocations_each = revocations_each;
}

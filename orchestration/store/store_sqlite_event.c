/* Transitions, and sums over everything. */
#include <string.h>
#include <sys/stat.h>

#include "orchestration/store/store_sqlite.h"

static bool
event_insert(struct backend *b, const struct event_row *row, struct err *e)
{
	bool first = row->kind == EVENT_TASK_CREATED; /* its number is known */
	struct query q = query_on(b, first ? SQL_EVENT_FIRST : SQL_EVENT_INSERT);

	query_int(&q, row->task);
	query_int(&q, (int64_t)row->kind);
	if (row->step < 0)
		query_int_or_null(&q, 0);
	else
		query_int(&q, row->step);
	query_int(&q, row->from);
	query_int(&q, row->to);
	query_int(&q, row->attempt);
	query_int_or_null(&q, row->session);
	query_int_or_null(&q, row->actor);
	query_int(&q, row->at);
	return query_run(&q, e);
}

static bool
event_columns(struct query *q, struct event_found *out, struct err *e)
{
	*out = (struct event_found){0};
	out->pos = column_int(q);
	out->row.task = column_int(q);
	out->seq = column_int(q);
	out->row.kind = (enum event_kind)column_within(q, 1, EVENT_KIND_END - 1);
	out->row.step = (int)column_within(q, -1, STEP_INDEX_MASK);
	out->row.from = column_count(q);
	out->row.to = column_count(q);
	out->row.attempt = column_count(q);
	out->row.session = column_int(q);
	out->row.actor = column_int(q);
	out->row.at = column_int(q);
	out->template_id = column_int(q);
	column_bytes(q, out->task.bytes, sizeof(out->task.bytes));
	out->actor = column_text(q);
	return query_sound(q, e);
}

/* Parameters 4 and 5; 3 stays NULL. */
static void
bind_scope(struct query *q, const struct principal *who)
{
	bool none = who->scope == SCOPE_NONE;

	if (who->scope == SCOPE_ANY)
		return;
	q->bound = 3;
	query_text(q, none ? NULL : who->tenant);
	if (who->scope != SCOPE_TENANT)
		query_text(q, none ? NULL : who->owner);
}

static bool
event_list(struct backend *b, const struct principal *who, const struct event_query *in,
        event_row_fn fn, void *arg, struct err *e)
{
	static const enum statement by_scope[] = {
	        [SCOPE_NONE] = SQL_EVENTS_OWNER,
	        [SCOPE_OWNER] = SQL_EVENTS_OWNER,
	        [SCOPE_TENANT] = SQL_EVENTS_TENANT,
	        [SCOPE_ANY] = SQL_EVENTS_ANY,
	};
	struct query q = query_on(b, in->task != 0 ? SQL_EVENTS_OF_TASK : by_scope[who->scope]);
	struct event_found found;
	bool row;

	query_int(&q, in->after);
	query_int(&q, in->limit);
	if (in->task != 0)
		query_int(&q, in->task);
	else
		bind_scope(&q, who);
	for (;;) {
		if (!query_next(&q, &row, e))
			return false;
		if (!row)
			return true;
		if (!event_columns(&q, &found, e))
			return false;
		if (!fn(&found, arg, e)) {
			query_end(&q);
			return false;
		}
	}
}

static void
read_counts(struct query *q, int64_t *out, size_t count)
{
	int at = q->read++;
	const void *bytes = sqlite3_column_blob(q->s, at);
	size_t len = (size_t)sqlite3_column_bytes(q->s, at);

	memset(out, 0, count * sizeof(*out));
	if (bytes != NULL)
		memcpy(out, bytes, len < count * sizeof(*out) ? len : count * sizeof(*out));
	for (size_t i = 0; i < count; i++)
		q->odd = q->odd || out[i] < 0 || out[i] > INT64_MAX / 2;
}

static bool
totals_load(struct backend *b, struct totals *out, struct err *e)
{
	struct query q = query_on(b, SQL_TOTALS_LOAD);
	bool found;

	if (!query_next(&q, &found, e))
		return false;
	if (!found)
		return err_set(e, ERR_FORMAT, "the totals are missing");
	read_counts(&q, out->tasks, COUNT(out->tasks));
	read_counts(&q, out->steps, COUNT(out->steps));
	if (!query_sound(&q, e))
		return false;
	query_end(&q);
	return true;
}

static bool
totals_save(struct backend *b, const struct totals *t, struct err *e)
{
	struct query q = query_on(b, SQL_TOTALS_SAVE);

	query_blob(&q, t->tasks, sizeof(t->tasks));
	query_blob(&q, t->steps, sizeof(t->steps));
	return query_run(&q, e);
}

/* Up to three numbers of a query without parameters, or with one id. */
static bool
numbers(struct backend *b, enum statement which, int64_t id, int64_t out[3], struct err *e)
{
	struct query q = query_on(b, which);
	bool found;

	memset(out, 0, 3 * sizeof(*out));
	if (id != 0)
		query_int(&q, id);
	if (!query_next(&q, &found, e))
		return false;
	for (int i = 0; found && i < sqlite3_column_count(q.s) && i < 3; i++)
		out[i] = column_int(&q);
	query_end(&q);
	return true;
}

static int64_t
wal_bytes(const struct backend *b)
{
	struct stat st;
	const char *name = sqlite3_filename_wal(sqlite3_db_filename(b->db, "main"));

	return name != NULL && stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
}

static bool
stats(struct backend *b, int64_t now_us, struct store_stats *out, struct err *e)
{
	int64_t ready[3], oldest[3] = {0}, rest[3], pages = 0;
	struct totals t;

	if (!totals_load(b, &t, e) || !numbers(b, SQL_STATS_READY, 0, ready, e) ||
	        !numbers(b, SQL_STATS_REST, 0, rest, e) ||
	        (ready[0] > 0 && !numbers(b, SQL_STATS_STEP_AGE, ready[1], oldest, e)) ||
	        !sqlite_number(b,
	                "SELECT page_count * page_size FROM pragma_page_count, "
	                "pragma_page_size",
	                &pages, e))
		return false;
	*out = (struct store_stats){.ready = ready[0],
	        .templates = rest[0],
	        .sessions = rest[1],
	        .last_position = rest[2],
	        .file_bytes = pages,
	        .wal_bytes = wal_bytes(b)};
	if (ready[0] > 0 && now_us > oldest[0])
		out->oldest_ready_ms = (now_us - oldest[0]) / 1000;
	memcpy(out->tasks, t.tasks, sizeof(t.tasks));
	memcpy(out->steps, t.steps, sizeof(t.steps));
	return true;
}

void
sqlite_event_ops(struct backend_ops *ops)
{
	ops->event_insert = event_insert;
	ops->event_list = event_list;
	ops->totals_load = totals_load;
	ops->totals_save = totals_save;
	ops->stats = stats;
}

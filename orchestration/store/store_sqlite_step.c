#include "orchestration/store/store_sqlite.h"

/* Reads STEP_COLUMNS from the query's next column on. */
static bool
step_columns(struct query *q, struct step_row *out, struct err *e)
{
	*out = (struct step_row){0};
	out->id = column_int(q);
	out->facts.state = (enum step_state)column_within(q, 1, STEP_STATE_END - 1);
	out->facts.unmet = column_count(q);
	out->facts.attempt = column_count(q);
	out->facts.failures = column_count(q);
	out->facts.lease_losses = column_count(q);
	out->facts.settled = column_count(q);
	out->facts.session = column_int(q);
	out->route = column_int(q);
	out->facts.queued = out->route != 0;
	out->rank = (int)column_within(q, -COUNT_MOST, COUNT_MOST);
	out->facts.retry_at = column_int(q);
	out->backoff_ms = sqlite3_column_type(q->s, q->read) == SQLITE_NULL ? -1 : 0;
	out->backoff_ms += column_within(q, 0, INT64_MAX);
	out->updated_at = column_int(q);
	out->attempted_at = column_int(q);
	out->failed_at = column_int(q);
	out->completed_at = column_int(q);
	return query_sound(q, e);
}

static bool
step_load(struct backend *b, int64_t id, struct step_row *out, struct err *e)
{
	struct query q = query_on(b, SQL_STEP_LOAD);
	bool found;

	query_int(&q, id);
	if (!query_next(&q, &found, e))
		return false;
	*out = (struct step_row){0};
	if (found && !step_columns(&q, out, e))
		return false;
	query_end(&q);
	return true;
}

/* The columns that INSERT, UPDATE and FINISH begin with. */
static void
bind_facts(struct query *q, const struct step_row *row)
{
	const struct step_facts *f = &row->facts;

	query_int(q, (int64_t)f->state);
	query_int(q, f->unmet);
	query_int(q, f->attempt);
	query_int(q, f->failures);
	query_int(q, f->lease_losses);
	query_int(q, f->settled);
	query_int(q, f->session);
	query_int_or_null(q, f->queued ? row->route : 0);
	query_int(q, row->rank);
	query_int_or_null(q, f->retry_at);
	query_int(q, row->updated_at);
	query_int_or_null(q, row->attempted_at);
}

static bool
step_insert(struct backend *b, const struct step_row *row, struct err *e)
{
	struct query q = query_on(b, SQL_STEP_INSERT);

	bind_facts(&q, row);
	query_int(&q, row->id);
	return query_run(&q, e);
}

static void
bind_change(struct query *q, const struct step_row *row)
{
	bind_facts(q, row);
	query_int_or_null(q, row->failed_at);
	query_int_or_null(q, row->completed_at);
	if (row->backoff_ms < 0)
		query_int_or_null(q, 0);
	else
		query_int(q, row->backoff_ms);
}

/* A child that still waits for parents is in no index: only its counter moves. */
static bool
step_unmet(struct backend *b, const struct step_row *row, struct err *e)
{
	struct query q = query_on(b, SQL_STEP_UNMET);

	query_int(&q, row->facts.unmet);
	query_int(&q, row->updated_at);
	query_int(&q, row->id);
	return query_run(&q, e);
}

static bool
step_update(struct backend *b, const struct step_row *row, struct err *e)
{
	struct query q = query_on(b, SQL_STEP_UPDATE);

	bind_change(&q, row);
	query_int(&q, row->id);
	return query_run(&q, e);
}

static bool
step_finish(
        struct backend *b, const struct step_row *row, const struct step_output *out, struct err *e)
{
	struct query q = query_on(b, SQL_STEP_FINISH);

	bind_change(&q, row);
	query_json(&q, out->result);
	query_json(&q, out->error);
	query_json(&q, out->log);
	query_int(&q, row->id);
	return query_run(&q, e);
}

static bool
step_result(struct backend *b, int64_t id, struct buf *out, struct err *e)
{
	struct query q = query_on(b, SQL_STEP_RESULT);
	struct store_json result = {0};
	bool found;

	query_int(&q, id);
	if (!query_next(&q, &found, e))
		return false;
	if (found)
		result = column_json(&q);
	if (result.text != NULL)
		buf_add(out, result.text, result.len);
	query_end(&q);
	return true;
}

/* All rows of a query whose parameters are bound. */
static bool
each(struct query *q, bool outputs, step_row_fn fn, void *arg, struct err *e)
{
	struct step_output out = {0};
	struct step_row row;
	bool found;

	for (;;) {
		if (!query_next(q, &found, e))
			return false;
		if (!found)
			return true;
		if (!step_columns(q, &row, e))
			return false;
		if (outputs) {
			out.result = column_json(q);
			out.error = column_json(q);
			out.log = column_json(q);
			out.worker = column_text(q);
			if (!query_sound(q, e))
				return false;
		}
		if (!fn(&row, &out, arg, e)) {
			query_end(q);
			return false;
		}
	}
}

static bool
steps_each(struct backend *b, int64_t first, int64_t last, bool outputs, step_row_fn fn, void *arg,
        struct err *e)
{
	struct query q = query_on(b, outputs ? SQL_STEPS_OUTPUTS : SQL_STEPS_EACH);

	query_int(&q, first);
	query_int(&q, last);
	return each(&q, outputs, fn, arg, e);
}

static bool
steps_running(struct backend *b, step_row_fn fn, void *arg, struct err *e)
{
	struct query q = query_on(b, SQL_STEPS_RUNNING);

	query_int(&q, STEP_IN_PROGRESS);
	return each(&q, false, fn, arg, e);
}

static bool
ids(struct query *q, id_fn fn, void *arg, struct err *e)
{
	bool found;

	for (;;) {
		if (!query_next(q, &found, e))
			return false;
		if (!found)
			return true;
		if (!fn(column_int(q), arg, e)) {
			query_end(q);
			return false;
		}
	}
}

static bool
steps_ready(struct backend *b, int64_t route, int limit, id_fn fn, void *arg, struct err *e)
{
	struct query q = query_on(b, SQL_STEPS_READY);

	query_int(&q, route);
	query_int(&q, limit);
	return ids(&q, fn, arg, e);
}

static bool
steps_due(struct backend *b, int64_t now_us, int limit, id_fn fn, void *arg, struct err *e)
{
	struct query q = query_on(b, SQL_STEPS_DUE);

	query_int(&q, now_us);
	query_int(&q, limit);
	return ids(&q, fn, arg, e);
}

static bool
steps_next_due(struct backend *b, int64_t *wall_us, struct err *e)
{
	struct query q = query_on(b, SQL_STEPS_NEXT_DUE);
	bool found;

	if (!query_next(&q, &found, e))
		return false;
	*wall_us = found ? column_int(&q) : 0;
	query_end(&q);
	return true;
}

void
sqlite_step_ops(struct backend_ops *ops)
{
	ops->step_load = step_load;
	ops->step_insert = step_insert;
	ops->step_unmet = step_unmet;
	ops->step_update = step_update;
	ops->step_finish = step_finish;
	ops->step_result = step_result;
	ops->steps_each = steps_each;
	ops->steps_ready = steps_ready;
	ops->steps_due = steps_due;
	ops->steps_next_due = steps_next_due;
	ops->steps_running = steps_running;
}

#include <stdlib.h>

#include "tests/sim/backend_memory.h"

/* Where the step stands; false: there is none of this id. */
static bool
find(struct memory *m, int64_t id, size_t *out)
{
	const struct memory_task *t;
	const struct memory_step *s;
	int64_t task = id >> STEP_INDEX_BITS;

	if (task <= 0 || (size_t)task > memory_count(m, TASKS))
		return false;
	t = memory_row(m, TASKS, (size_t)task - 1);
	*out = t->first_step + (size_t)(id & STEP_INDEX_MASK);
	if (*out >= memory_count(m, STEPS))
		return false;
	s = memory_row(m, STEPS, *out);
	return s->row.id == id;
}

/* What a reader sees of a row: the flaws that lie when they read are here. */
static struct step_row
look(struct memory *m, const struct memory_step *s)
{
	struct step_row row = s->row;

	if (row.facts.session != 0 && memory_errs(m, MEMORY_MISTAKES_HOLDERS, 5))
		row.facts.session = (int64_t)memory_count(m, SESSIONS);
	return row;
}

static bool
step_load(struct backend *b, int64_t id, struct step_row *out, struct err *e)
{
	size_t i;

	(void)e;
	*out = (struct step_row){0};
	if (!find(b->m, id, &i))
		return true;
	*out = look(b->m, memory_row(b->m, STEPS, i));
	if (out->facts.state == STEP_IN_PROGRESS && memory_errs(b->m, MEMORY_OFFERS_TWICE, 3)) {
		out->facts.state = STEP_PENDING;
		out->facts.queued = true;
	}
	return true;
}

static struct store_json
keep(struct memory *m, struct store_json from)
{
	if (from.text != NULL)
		from.text = memory_text(m, from.text, from.len);
	return from;
}

static bool
step_insert(struct backend *b, const struct step_row *row, struct err *e)
{
	struct memory_task *task;
	struct memory_step *s;

	if (!memory_may_write(b, "STEP_INSERT", e))
		return false;
	s = memory_add(b->m, STEPS);
	s->row = *row;
	s->row.route = row->facts.queued ? row->route : 0;
	if (row->facts.unmet == 1 && memory_errs(b->m, MEMORY_HURRIES_CHILDREN, 3)) {
		s->row.facts.unmet = 0;
		s->row.facts.queued = true;
		s->row.route = row->route;
	}
	if ((row->id & STEP_INDEX_MASK) != 0)
		return true;
	task = memory_touch(b->m, TASKS, (size_t)(row->id >> STEP_INDEX_BITS) - 1);
	task->first_step = memory_count(b->m, STEPS) - 1;
	return true;
}

/* The row to change, or NULL where the update changes nothing: none has the id, or a flaw. */
static struct memory_step *
to_change(struct backend *b, int64_t id)
{
	size_t i;

	if (!find(b->m, id, &i) || memory_errs(b->m, MEMORY_DROPS_WRITES, 7))
		return NULL;
	return memory_touch(b->m, STEPS, i);
}

static bool
step_unmet(struct backend *b, const struct step_row *row, struct err *e)
{
	struct memory_step *s;

	if (!memory_may_write(b, "STEP_UNMET", e))
		return false;
	s = to_change(b, row->id);
	if (s != NULL) {
		s->row.facts.unmet = row->facts.unmet;
		s->row.updated_at = row->updated_at;
	}
	return true;
}

static void
change(struct memory_step *s, const struct step_row *row)
{
	s->row = *row;
	s->row.route = row->facts.queued ? row->route : 0;
	s->row.facts.queued = s->row.route != 0;
	if (row->backoff_ms < 0)
		s->row.backoff_ms = -1;
}

static bool
step_update(struct backend *b, const struct step_row *row, struct err *e)
{
	struct memory_step *s;

	if (!memory_may_write(b, "STEP_UPDATE", e))
		return false;
	s = to_change(b, row->id);
	if (s != NULL)
		change(s, row);
	return true;
}

static bool
step_finish(
        struct backend *b, const struct step_row *row, const struct step_output *out, struct err *e)
{
	static const struct store_json other = {"{\"proof\":0}", 11};
	struct memory_step *s;

	if (!memory_may_write(b, "STEP_FINISH", e))
		return false;
	s = to_change(b, row->id);
	if (s == NULL)
		return true;
	change(s, row);
	s->result = keep(b->m, out->result);
	if (out->result.text != NULL && memory_errs(b->m, MEMORY_MIXES_RESULTS, 3))
		s->result = other;
	s->log = keep(b->m, out->log);
	if (out->error.text != NULL)
		s->error = keep(b->m, out->error);
	return true;
}

static bool
step_result(struct backend *b, int64_t id, struct buf *out, struct err *e)
{
	const struct memory_step *s;
	size_t i;

	(void)e;
	if (!find(b->m, id, &i))
		return true;
	s = memory_row(b->m, STEPS, i);
	if (s->result.text != NULL)
		buf_add(out, s->result.text, s->result.len);
	return true;
}

/* Steps stand in the order of their ids, since those of one task are inserted together. */
static bool
steps_each(struct backend *b, int64_t first, int64_t last, bool outputs, step_row_fn fn, void *arg,
        struct err *e)
{
	size_t i;

	if (!find(b->m, first, &i))
		return true;
	for (; i < memory_count(b->m, STEPS); i++) {
		const struct memory_step *s = memory_row(b->m, STEPS, i);
		struct step_output out = {0};

		if (s->row.id > last)
			return true;
		if (outputs)
			out = (struct step_output){s->result, s->error, s->log,
			        memory_worker_name(b->m, s->row.facts.session)};
		if (!fn(&s->row, &out, arg, e))
			return false;
	}
	return true;
}

static bool
steps_running(struct backend *b, step_row_fn fn, void *arg, struct err *e)
{
	static const struct step_output none = {.worker = NULL};

	for (size_t i = 0; i < memory_count(b->m, STEPS); i++) {
		const struct memory_step *s = memory_row(b->m, STEPS, i);

		if (s->row.facts.state == STEP_IN_PROGRESS && !fn(&s->row, &none, arg, e))
			return false;
	}
	return true;
}

struct ranked {
	int64_t order, id;
};

static int
by_order(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* The first `limit` of those found, in order. */
static bool
in_order(struct ranked *found, size_t count, int limit, id_fn fn, void *arg, struct err *e)
{
	bool fine = true;

	if (count > 1)
		qsort(found, count, sizeof(*found), by_order);
	for (size_t i = 0; fine && i < count && i < (size_t)limit; i++)
		fine = fn(found[i].id, arg, e);
	free(found);
	return fine;
}

static struct ranked *
room(struct backend *b, struct err *e)
{
	struct ranked *found = calloc(memory_count(b->m, STEPS) + 1, sizeof(*found));

	if (found == NULL)
		(void)err_set(e, ERR_NOMEM, "out of memory for a queue");
	return found;
}

static bool
steps_ready(struct backend *b, int64_t route, int limit, id_fn fn, void *arg, struct err *e)
{
	struct ranked *found = room(b, e);
	size_t count = 0;

	if (found == NULL)
		return false;
	for (size_t i = 0; i < memory_count(b->m, STEPS); i++) {
		const struct memory_step *s = memory_row(b->m, STEPS, i);

		bool again = s->row.facts.state == STEP_IN_PROGRESS &&
		             memory_errs(b->m, MEMORY_OFFERS_TWICE, 2);

		if (s->row.route == route || again)
			found[count++] = (struct ranked){s->row.rank, s->row.id};
	}
	return in_order(found, count, limit, fn, arg, e);
}

static bool
steps_due(struct backend *b, int64_t now_us, int limit, id_fn fn, void *arg, struct err *e)
{
	struct ranked *found = room(b, e);
	size_t count = 0;

	if (found == NULL)
		return false;
	for (size_t i = 0; i < memory_count(b->m, STEPS); i++) {
		const struct memory_step *s = memory_row(b->m, STEPS, i);

		if (s->row.facts.retry_at != 0 && s->row.facts.retry_at <= now_us &&
		        !memory_errs(b->m, MEMORY_FORGETS_TIMERS, 1))
			found[count++] = (struct ranked){s->row.facts.retry_at, s->row.id};
	}
	return in_order(found, count, limit, fn, arg, e);
}

static bool
steps_next_due(struct backend *b, int64_t *wall_us, struct err *e)
{
	(void)e;
	*wall_us = 0;
	for (size_t i = 0; i < memory_count(b->m, STEPS); i++) {
		const struct memory_step *s = memory_row(b->m, STEPS, i);
		int64_t at = s->row.facts.retry_at;

		if (at != 0 && (*wall_us == 0 || at < *wall_us))
			*wall_us = at;
	}
	return true;
}

void
memory_step_ops(struct backend_ops *ops)
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

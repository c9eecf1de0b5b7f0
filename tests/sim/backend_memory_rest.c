/* Events, totals, templates, routes, sessions and revocations of the disk in memory. */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/backend_memory.h"

static bool
event_insert(struct backend *b, const struct event_row *row, struct err *e)
{
	bool first = row->kind == EVENT_TASK_CREATED;
	struct memory_event *event;
	struct memory_task *task;

	if (!memory_may_write(b, first ? "EVENT_FIRST" : "EVENT_INSERT", e))
		return false;
	task = memory_touch(b->m, TASKS, (size_t)row->task - 1);
	event = memory_add(b->m, EVENTS);
	event->row = *row;
	task->events += memory_errs(b->m, MEMORY_SKIPS_NUMBERS, 9) ? 2 : 1;
	event->seq = task->events;
	return true;
}

const char *
memory_worker_name(struct memory *m, int64_t session)
{
	if (session <= 0)
		return NULL;
	return ((const struct memory_session *)memory_row(m, SESSIONS, (size_t)session - 1))
	        ->row.worker;
}

static bool
event_list(struct backend *b, const struct principal *who, const struct event_query *in,
        event_row_fn fn, void *arg, struct err *e)
{
	int left = in->limit;

	for (size_t i = (size_t)in->after; i < memory_count(b->m, EVENTS) && left > 0; i++) {
		const struct memory_event *event = memory_row(b->m, EVENTS, i);
		const struct memory_task *t = memory_row(b->m, TASKS, (size_t)event->row.task - 1);
		struct event_found found = {.row = event->row,
		        .pos = (int64_t)i + 1,
		        .seq = event->seq,
		        .template_id = t->row.template_id,
		        .task = t->row.uuid};

		if (in->task != 0 ? event->row.task != in->task
		                  : !memory_covers(b->m, who, t->row.tenant, t->row.owner))
			continue;
		found.actor = memory_owner_name(b->m, event->row.actor);
		if (found.actor == NULL)
			found.actor = memory_worker_name(b->m, event->row.session);
		left--;
		if (!fn(&found, arg, e))
			return false;
	}
	return true;
}

static bool
totals_load(struct backend *b, struct totals *out, struct err *e)
{
	(void)e;
	*out = *(const struct totals *)memory_row(b->m, TOTALS, 0);
	return true;
}

static bool
totals_save(struct backend *b, const struct totals *t, struct err *e)
{
	if (!memory_may_write(b, "TOTALS_SAVE", e))
		return false;
	if (!memory_errs(b->m, MEMORY_MISCOUNTS, 5))
		*(struct totals *)memory_touch(b->m, TOTALS, 0) = *t;
	return true;
}

static bool
stats(struct backend *b, int64_t now_us, struct store_stats *out, struct err *e)
{
	struct totals t;
	const struct memory_step *oldest = NULL;

	*out = (struct store_stats){.templates = (int64_t)memory_count(b->m, TEMPLATES),
	        .last_position = (int64_t)memory_count(b->m, EVENTS)};
	for (size_t i = 0; i < memory_count(b->m, STEPS); i++) {
		const struct memory_step *s = memory_row(b->m, STEPS, i);

		if (s->row.route == 0)
			continue;
		oldest = oldest != NULL ? oldest : s;
		out->ready++;
	}
	if (oldest != NULL && now_us > oldest->row.updated_at)
		out->oldest_ready_ms = (now_us - oldest->row.updated_at) / 1000;
	for (size_t i = 0; i < memory_count(b->m, SESSIONS); i++)
		out->sessions +=
		        ((const struct memory_session *)memory_row(b->m, SESSIONS, i))->ended_at ==
		        0;
	if (!totals_load(b, &t, e))
		return false;
	memcpy(out->tasks, t.tasks, sizeof(t.tasks));
	memcpy(out->steps, t.steps, sizeof(t.steps));
	return true;
}

static const struct memory_template *
template_at(struct memory *m, size_t i)
{
	return memory_row(m, TEMPLATES, i);
}

static bool
template_find(struct backend *b, const char *ns, const char *name, const char *version,
        struct template_row *out, struct err *e)
{
	(void)e;
	*out = (struct template_row){0};
	for (size_t i = 0; i < memory_count(b->m, TEMPLATES); i++) {
		const struct memory_template *t = template_at(b->m, i);

		if (strcmp(t->ns, ns) == 0 && strcmp(t->name, name) == 0 &&
		        strcmp(t->version, version) == 0)
			*out = t->row;
	}
	return true;
}

static bool
template_load(
        struct backend *b, int64_t id, struct template_row *row, struct buf *json, struct err *e)
{
	const struct memory_template *t;

	(void)e;
	*row = (struct template_row){0};
	if (id <= 0 || (size_t)id > memory_count(b->m, TEMPLATES))
		return true;
	t = template_at(b->m, (size_t)id - 1);
	*row = t->row;
	buf_add(json, t->json.text, t->json.len);
	return true;
}

static const char *
keep(struct memory *m, const char *text)
{
	return memory_text(m, text, strlen(text));
}

static bool
template_insert(struct backend *b, const struct template *t, struct store_json json,
        struct template_row *row, struct err *e)
{
	struct memory_template *fresh;

	if (!memory_may_write(b, "TEMPLATE_INSERT", e))
		return false;
	fresh = memory_add(b->m, TEMPLATES);
	row->id = (int64_t)memory_count(b->m, TEMPLATES);
	*fresh = (struct memory_template){
	        *row, keep(b->m, t->namespace_name), keep(b->m, t->name), keep(b->m, t->version),
	        {memory_text(b->m, json.text, json.len), json.len}
        };
	return true;
}

static int
by_names(const void *left, const void *right)
{
	const struct memory_template *a = *(const struct memory_template *const *)left;
	const struct memory_template *b = *(const struct memory_template *const *)right;
	int order = strcmp(a->ns, b->ns);

	if (order == 0)
		order = strcmp(a->name, b->name);
	return order != 0 ? order : strcmp(a->version, b->version);
}

static bool
template_list(struct backend *b, const char *ns, id_fn fn, void *arg, struct err *e)
{
	size_t count = 0;
	const struct memory_template **found =
	        calloc(memory_count(b->m, TEMPLATES) + 1, sizeof(const struct memory_template *));
	bool fine = true;

	if (found == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a list");
	for (size_t i = 0; i < memory_count(b->m, TEMPLATES); i++)
		if (ns == NULL || strcmp(template_at(b->m, i)->ns, ns) == 0)
			found[count++] = template_at(b->m, i);
	if (count > 1)
		qsort(found, count, sizeof(*found), by_names);
	for (size_t i = 0; fine && i < count; i++)
		fine = fn(found[i]->row.id, arg, e);
	free(found);
	return fine;
}

static bool
route_id(struct backend *b, const char *ns, const char *callable, int64_t *out, struct err *e)
{
	struct memory_route *fresh;

	for (size_t i = 0; i < memory_count(b->m, ROUTES); i++) {
		const struct memory_route *r = memory_row(b->m, ROUTES, i);

		if (strcmp(r->ns, ns) == 0 && strcmp(r->callable, callable) == 0) {
			*out = (int64_t)i + 1;
			return true;
		}
	}
	if (!memory_may_write(b, "ROUTE_INSERT", e))
		return false;
	fresh = memory_add(b->m, ROUTES);
	*fresh = (struct memory_route){keep(b->m, ns), keep(b->m, callable)};
	*out = (int64_t)memory_count(b->m, ROUTES);
	return true;
}

static bool
routes_each(struct backend *b, route_fn fn, void *arg, struct err *e)
{
	for (size_t i = 0; i < memory_count(b->m, ROUTES); i++) {
		const struct memory_route *r = memory_row(b->m, ROUTES, i);

		if (!fn((int64_t)i + 1, r->ns, r->callable, arg, e))
			return false;
	}
	return true;
}

static struct session_row
keep_session(struct memory *m, const struct session_row *row)
{
	struct session_row kept = *row;

	kept.worker = keep(m, row->worker);
	kept.boot = keep(m, row->boot);
	kept.namespaces = keep(m, row->namespaces);
	kept.handlers = keep(m, row->handlers);
	return kept;
}

/* A worker has one live session. */
static bool
session_insert(struct backend *b, struct session_row *row, struct err *e)
{
	struct memory_session *fresh;

	if (!memory_may_write(b, "SESSION_INSERT", e))
		return false;
	for (size_t i = 0; i < memory_count(b->m, SESSIONS); i++) {
		const struct memory_session *s = memory_row(b->m, SESSIONS, i);

		if (s->ended_at == 0 && strcmp(s->row.worker, row->worker) == 0)
			return err_set(e, ERR_INTERNAL, "%s has a session already", row->worker);
	}
	fresh = memory_add(b->m, SESSIONS);
	row->id = (int64_t)memory_count(b->m, SESSIONS);
	fresh->row = keep_session(b->m, row);
	return true;
}

static bool
session_update(struct backend *b, const struct session_row *row, struct err *e)
{
	struct memory_session *s;

	if (!memory_may_write(b, "SESSION_UPDATE", e))
		return false;
	s = memory_touch(b->m, SESSIONS, (size_t)row->id - 1);
	s->row = keep_session(b->m, row);
	return true;
}

static bool
session_end(struct backend *b, int64_t id, int64_t now_us, struct err *e)
{
	struct memory_session *s;

	if (!memory_may_write(b, "SESSION_END", e))
		return false;
	s = memory_touch(b->m, SESSIONS, (size_t)id - 1);
	s->ended_at = now_us;
	return true;
}

static bool
sessions_each(struct backend *b, session_row_fn fn, void *arg, struct err *e)
{
	for (size_t i = 0; i < memory_count(b->m, SESSIONS); i++) {
		const struct memory_session *s = memory_row(b->m, SESSIONS, i);

		if (s->ended_at == 0 && !fn(&s->row, arg, e))
			return false;
	}
	return true;
}

static bool
revocation_insert(struct backend *b, const struct revocation_row *row, struct err *e)
{
	struct memory_revocation *fresh;

	if (!memory_may_write(b, "REVOCATION_INSERT", e))
		return false;
	fresh = memory_add(b->m, REVOCATIONS);
	fresh->row = *row;
	fresh->row.name = keep(b->m, row->name);
	fresh->row.created_by = keep(b->m, row->created_by);
	fresh->row.reason = row->reason != NULL ? keep(b->m, row->reason) : NULL;
	return true;
}

static bool
revocation_delete(struct backend *b, const struct uuid *id, bool *found, struct err *e)
{
	if (!memory_may_write(b, "REVOCATION_DELETE", e))
		return false;
	*found = false;
	for (size_t i = 0; i < memory_count(b->m, REVOCATIONS) && !*found; i++) {
		const struct memory_revocation *r = memory_row(b->m, REVOCATIONS, i);

		*found = !r->gone && memcmp(&r->row.id, id, sizeof(*id)) == 0;
		if (*found)
			((struct memory_revocation *)memory_touch(b->m, REVOCATIONS, i))->gone =
			        true;
	}
	return true;
}

static bool
is_over(const struct memory_revocation *r, int64_t now_s)
{
	return r->gone || (r->row.until_s != 0 && r->row.until_s <= now_s);
}

static bool
revocations_prune(struct backend *b, int64_t now_s, struct err *e)
{
	if (!memory_may_write(b, "REVOCATIONS_PRUNE", e))
		return false;
	for (size_t i = 0; i < memory_count(b->m, REVOCATIONS); i++) {
		const struct memory_revocation *r = memory_row(b->m, REVOCATIONS, i);

		if (!r->gone && is_over(r, now_s))
			((struct memory_revocation *)memory_touch(b->m, REVOCATIONS, i))->gone =
			        true;
	}
	return true;
}

static bool
revocations_count(struct backend *b, int64_t now_s, int64_t *out, struct err *e)
{
	(void)e;
	*out = 0;
	for (size_t i = 0; i < memory_count(b->m, REVOCATIONS); i++)
		*out += !is_over(memory_row(b->m, REVOCATIONS, i), now_s);
	return true;
}

static bool
revocations_each(struct backend *b, const struct revocation_query *in, revocation_row_fn fn,
        void *arg, struct err *e)
{
	int64_t at = 0;

	for (size_t i = memory_count(b->m, REVOCATIONS); i > 0; i--) {
		const struct memory_revocation *r = memory_row(b->m, REVOCATIONS, i - 1);

		if (is_over(r, in->now_s))
			continue;
		if (at >= in->skip && at < in->skip + in->limit && !fn(&r->row, arg, e))
			return false;
		at++;
	}
	return true;
}

void
memory_rest_ops(struct backend_ops *ops)
{
	ops->event_insert = event_insert;
	ops->event_list = event_list;
	ops->totals_load = totals_load;
	ops->totals_save = totals_save;
	ops->stats = stats;
	ops->template_find = template_find;
	ops->template_load = template_load;
	ops->template_insert = template_insert;
	ops->template_list = template_list;
	ops->route_id = route_id;
	ops->routes_each = routes_each;
	ops->session_insert = session_insert;
	ops->session_update = session_update;
	ops->session_end = session_end;
	ops->sessions_each = sessions_each;
	ops->revocation_insert = revocation_insert;
	ops->revocation_delete = revocation_delete;
	ops->revocations_prune = revocations_prune;
	ops->revocations_count = revocations_count;
	ops->revocations_each = revocations_each;
}

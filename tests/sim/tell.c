/* All that the store holds, line by line into the log, so that two stores can be compared. */
#include "tests/sim/judge.h"

static void
tell_json(char *out, size_t room, struct store_json json)
{
	(void)snprintf(out, room, "%.*s", json.text != NULL ? (int)json.len : 4,
	        json.text != NULL ? json.text : "null");
}

static bool
tell_step(const struct step_row *row, const struct step_output *out, void *arg, struct err *e)
{
	struct world *w = arg;
	const struct step_facts *f = &row->facts;
	char result[64], error[160];

	(void)e;
	tell_json(result, sizeof(result), out->result);
	tell_json(error, sizeof(error), out->error);
	world_log(w,
	        "step %lld: %s unmet %d attempt %d failures %d losses %d settled %d session "
	        "%lld queued %d route %lld rank %d",
	        (long long)row->id, step_state_name(f->state), f->unmet, f->attempt, f->failures,
	        f->lease_losses, f->settled, (long long)f->session, f->queued,
	        (long long)row->route, row->rank);
	world_log(w, "  retry %lld backoff %lld at %lld %lld %lld %lld by %s: %s %s",
	        (long long)f->retry_at, (long long)row->backoff_ms, (long long)row->updated_at,
	        (long long)row->attempted_at, (long long)row->failed_at,
	        (long long)row->completed_at, out->worker != NULL ? out->worker : "nobody", result,
	        error);
	return true;
}

static bool
tell_session(const struct session_row *row, void *arg, struct err *e)
{
	(void)e;
	world_log(arg, "session %lld of %s boot %s: %d slots, %s %s since %lld, digest %02x%02x",
	        (long long)row->id, row->worker, row->boot, row->slots, row->namespaces,
	        row->handlers, (long long)row->registered_at, row->digest[0], row->digest[31]);
	return true;
}

static bool
tell_route(int64_t id, const char *ns, const char *callable, void *arg, struct err *e)
{
	(void)e;
	world_log(arg, "route %lld: %s %s", (long long)id, ns, callable);
	return true;
}

static bool
tell_task(struct world *w, int64_t id, struct err *e)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);
	struct task_view view = {.reason = NULL};
	struct task_row row;
	char uuid[UUID_TEXT];

	if (op == NULL || !w->ops.task_load(w->viewer.db, id, &row, e) ||
	        !w->ops.task_details(w->viewer.db, &row, op, &view, e))
		return false;
	uuid_text(&row.uuid, uuid);
	world_log(w,
	        "task %lld %s: %s %d %d %d %d %d rank %d, template %lld of %lld/%lld, %lld "
	        "%lld %lld",
	        (long long)row.id, uuid, task_state_name(row.facts.state), row.facts.total,
	        row.facts.remaining, row.facts.live, row.facts.waiting, row.facts.failed, row.rank,
	        (long long)row.template_id, (long long)row.tenant, (long long)row.owner,
	        (long long)row.created_at, (long long)row.updated_at, (long long)row.completed_at);
	world_log(w, "  %s %s %s %d %d %.*s", view.initiator, view.source_system, view.reason,
	        view.has_priority, view.priority, (int)view.context.len, view.context.text);
	return w->ops.steps_each(w->viewer.db, id << STEP_INDEX_BITS,
	        id << STEP_INDEX_BITS | STEP_INDEX_MASK, true, tell_step, w, e);
}

void
judge_tell(struct world *w)
{
	struct err e = {0};
	bool fine = w->ops.begin(w->viewer.db, &e);

	for (size_t i = 0; i < w->model.task_count && fine; i++)
		if (w->model.tasks[i].created)
			fine = tell_task(w, w->model.tasks[i].row, &e);
	fine = fine && w->ops.sessions_each(w->viewer.db, tell_session, w, &e) &&
	       w->ops.routes_each(w->viewer.db, tell_route, w, &e);
	w->ops.rollback(w->viewer.db);
	if (!fine)
		world_find(w, "the store cannot be told: %s", e.text);
}

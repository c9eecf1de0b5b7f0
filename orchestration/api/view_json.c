#include "orchestration/api/view_json.h"

#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/json.h"

static void
put_uuid(struct json_out *w, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_text(id, text);
	json_put_text(w, key, text);
}

static void
put_json(struct json_out *w, const char *key, const struct store_json *j)
{
	if (j->text != NULL)
		json_put_raw(w, key, j->text, j->len);
	else
		json_put_null(w, key);
}

/* Tasker's readiness rows carry times without a zone; they are UTC. */
static void
put_naive_time(struct json_out *w, const char *key, int64_t at_us)
{
	char text[CLOCK_TEXT];

	if (at_us == 0) {
		json_put_null(w, key);
		return;
	}
	clock_text(at_us, text);
	json_put_bytes(w, key, text, strlen(text) - 1);
}

static void
readiness(struct json_out *w, const struct step_view *s)
{
	json_put_bool(w, "dependencies_satisfied", s->dependencies_satisfied);
	json_put_bool(w, "retry_eligible", s->retry_eligible);
	json_put_bool(w, "ready_for_execution", s->ready_for_execution);
	json_put_int(w, "total_parents", s->total_parents);
	json_put_int(w, "completed_parents", s->completed_parents);
	json_put_int(w, "attempts", s->attempts);
	json_put_int(w, "max_attempts", s->plan->max_attempts);
}

/* StepReadinessStatus: what a task shows of each of its steps. */
static void
view_readiness(struct json_out *w, const struct step_view *s)
{
	json_open(w, NULL, '{');
	put_uuid(w, "workflow_step_uuid", &s->id);
	put_uuid(w, "task_uuid", &s->task);
	put_uuid(w, "named_step_uuid", &s->named_step);
	json_put_text(w, "name", s->plan->name);
	json_put_text(w, "current_state", step_state_name(s->state));
	readiness(w, s);
	put_naive_time(w, "last_failure_at", s->last_failure_at);
	put_naive_time(w, "next_retry_at", s->next_retry_at);
	put_naive_time(w, "last_attempted_at", s->last_attempted_at);
	if (s->backoff_ms < 0)
		json_put_null(w, "backoff_request_seconds");
	else
		json_put_int(w, "backoff_request_seconds", (s->backoff_ms + 999) / 1000);
	json_close(w, '}');
}

static void
task_counts(struct json_out *w, const struct step_counts *c)
{
	enum execution_status status = execution_status_of(c);

	json_put_int(w, "total_steps", c->total);
	json_put_int(w, "pending_steps", c->pending);
	json_put_int(w, "in_progress_steps", c->in_progress);
	json_put_int(w, "completed_steps", c->completed);
	json_put_int(w, "failed_steps", c->failed);
	json_put_int(w, "ready_steps", c->ready);
	json_put_text(w, "execution_status", execution_status_name(status));
	json_put_text(w, "recommended_action", execution_status_action(status));
	json_put_double(w, "completion_percentage", completion_percentage_of(c));
	json_put_text(w, "health_status", health_status_of(c));
}

void
view_json_task(struct json_out *w, const char *key, const struct task_view *t)
{
	json_open(w, key, '{');
	put_uuid(w, "task_uuid", &t->id);
	json_put_text(w, "name", t->plan->name);
	json_put_text(w, "namespace", t->plan->namespace_name);
	json_put_text(w, "version", t->plan->version);
	json_put_text(w, "status", task_state_name(t->state));
	json_put_time(w, "created_at", t->created_at);
	json_put_time(w, "updated_at", t->updated_at);
	json_put_time(w, "completed_at", t->completed_at);
	put_json(w, "context", &t->context);
	json_put_text(w, "initiator", t->initiator);
	json_put_text(w, "source_system", t->source_system);
	json_put_text(w, "reason", t->reason);
	if (t->has_priority)
		json_put_int(w, "priority", t->priority);
	else
		json_put_null(w, "priority");
	put_json(w, "tags", &t->tags);
	put_uuid(w, "correlation_id", &t->correlation_id);
	if (t->has_parent_correlation)
		put_uuid(w, "parent_correlation_id", &t->parent_correlation_id);
	else
		json_put_null(w, "parent_correlation_id");
	task_counts(w, &t->counts);
	json_open(w, "steps", '[');
	for (size_t i = 0; t->steps != NULL && i < t->step_count; i++)
		view_readiness(w, &t->steps[i]);
	json_close(w, ']');
	json_close(w, '}');
}

/* The stored {"code","message","retryable"} under the names of Tasker's StepExecutionResult. */
static void
envelope_error(struct json_out *w, const struct store_json *error)
{
	static const char *const names[][2] = {
	        {"message",   "message"   },
                {"code",      "error_type"},
                {"retryable", "retryable" }
        };
	AUTO(json) struct json *doc = NULL;
	struct err e = {0};

	if (error->text == NULL ||
	        !json_parse(error->text, error->len, &json_limits_default, &doc, &e)) {
		json_put_null(w, "error");
		return;
	}
	json_open(w, "error", '{');
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct json_node *n = json_member(doc, json_root(doc), names[i][0]);
		size_t len = 0;
		const char *raw = n != NULL ? json_raw(doc, n, &len) : NULL;

		json_put_raw(w, names[i][1], raw, len);
	}
	json_close(w, '}');
}

/* StepExecutionResult around the handler's original tokens; null while there is nothing to show. */
static void
envelope(struct json_out *w, const struct step_view *s)
{
	bool success = step_state_satisfies(s->state);
	int64_t took = s->completed_at - s->last_attempted_at;

	if (!success && s->error.text == NULL) {
		json_put_null(w, "results");
		return;
	}
	json_open(w, "results", '{');
	put_uuid(w, "step_uuid", &s->id);
	json_put_bool(w, "success", success);
	put_json(w, "result", &s->result);
	json_put_text(w, "status", success ? "completed" : "failed");
	json_open(w, "metadata", '{');
	if (success && s->last_attempted_at != 0 && took >= 0)
		json_put_int(w, "execution_time_ms", took / 1000);
	else
		json_put_null(w, "execution_time_ms");
	json_put_bool(w, "retryable", s->plan->retryable);
	json_put_time(w, "completed_at", s->completed_at);
	json_put_text(w, "worker_id", s->worker);
	json_close(w, '}');
	if (!success)
		envelope_error(w, &s->error);
	json_close(w, '}');
}

void
view_json_step(struct json_out *w, const char *key, const struct step_view *s)
{
	json_open(w, key, '{');
	put_uuid(w, "step_uuid", &s->id);
	put_uuid(w, "task_uuid", &s->task);
	json_put_text(w, "name", s->plan->name);
	json_put_time(w, "created_at", s->created_at);
	json_put_time(w, "updated_at", s->updated_at);
	json_put_time(w, "completed_at", s->completed_at);
	envelope(w, s);
	json_put_text(w, "current_state", step_state_name(s->state));
	readiness(w, s);
	json_put_time(w, "last_failure_at", s->last_failure_at);
	json_put_time(w, "next_retry_at", s->next_retry_at);
	json_put_time(w, "last_attempted_at", s->last_attempted_at);
	if (s->log.text != NULL)
		json_put_bytes(w, "log", s->log.text, s->log.len);
	json_close(w, '}');
}

void
view_json_template_row(struct json_out *w, const char *key, const struct template_view *t)
{
	json_open(w, key, '{');
	json_put_text(w, "name", t->plan->name);
	json_put_text(w, "namespace", t->plan->namespace_name);
	json_put_text(w, "version", t->plan->version);
	json_put_text(w, "description", t->plan->description);
	json_put_int(w, "step_count", (int64_t)t->plan->step_count);
	json_close(w, '}');
}

static void
template_step(struct json_out *w, const struct template *t, const struct template_step *s)
{
	json_open(w, NULL, '{');
	json_put_text(w, "name", s->name);
	json_put_text(w, "description", s->description);
	json_put_text(w, "handler", s->callable);
	json_put_bool(w, "default_retryable", s->retryable);
	json_put_int(w, "default_max_attempts", s->max_attempts);
	json_open(w, "dependencies", '[');
	for (size_t i = 0; i < s->parent_count; i++)
		json_put_text(w, NULL, t->steps[s->parents[i]].name);
	json_close(w, ']');
	if (s->result_schema != NULL)
		json_put_raw(w, "result_schema", s->result_schema, strlen(s->result_schema));
	json_close(w, '}');
}

void
view_json_template(struct json_out *w, const char *key, const struct template_view *t)
{
	json_open(w, key, '{');
	json_put_text(w, "name", t->plan->name);
	json_put_text(w, "namespace", t->plan->namespace_name);
	json_put_text(w, "version", t->plan->version);
	json_put_text(w, "description", t->plan->description);
	json_put_null(w, "configuration");
	json_open(w, "steps", '[');
	for (size_t i = 0; i < t->plan->step_count; i++)
		template_step(w, t->plan, &t->plan->steps[i]);
	json_close(w, ']');
	json_close(w, '}');
}

static void
words(struct json_out *w, const char *key, const char *const *list)
{
	json_open(w, key, '[');
	for (; list != NULL && *list != NULL; list++)
		json_put_text(w, NULL, *list);
	json_close(w, ']');
}

void
view_json_session(struct json_out *w, const char *key, const struct session_view *s)
{
	json_open(w, key, '{');
	json_put_text(w, "worker_id", s->worker);
	json_put_text(w, "boot", s->boot);
	json_put_bool(w, "live", s->live);
	words(w, "namespaces", s->namespaces);
	words(w, "handlers", s->handlers);
	json_put_int(w, "slots", s->slots);
	json_put_int(w, "steps_held", s->held);
	json_put_time(w, "registered_at", s->registered_at);
	if (s->seen_ago_ms < 0)
		json_put_null(w, "seen_ms_ago");
	else
		json_put_int(w, "seen_ms_ago", s->seen_ago_ms);
	json_close(w, '}');
}

#include "orchestration/engine/frame.h"

#include <stdio.h>
#include <string.h>

#include "orchestration/engine/identity.h"
#include "shared/base/json_out.h"

enum { JOINED_MAX = 1024 }; /* the longest names of a template, twice */

/* A member that joins two names; both are bounded by the template's checks. */
static void
put_joined(struct json_out *w, const char *key, const char *left, char between, const char *right)
{
	char joined[JOINED_MAX];

	(void)snprintf(joined, sizeof(joined), "%s%c%s", left, between, right);
	json_put_text(w, key, joined);
}

static void
put_names(struct json_out *w, const struct frame_input *in)
{
	const struct template_step *step = &in->plan->steps[in->index];
	struct uuid id = identity_step_id(&in->task, in->index);
	char task_text[UUID_TEXT], step_text[UUID_TEXT];
	char attempt[16];

	uuid_text(&in->task, task_text);
	uuid_text(&id, step_text);
	(void)snprintf(attempt, sizeof(attempt), "%d", in->attempt);
	json_put_text(w, "type", "step");
	put_joined(w, "id", step_text, '.', attempt);
	json_put_text(w, "step_uuid", step_text);
	json_put_text(w, "task", task_text);
	json_put_text(w, "namespace", in->plan->namespace_name);
	put_joined(w, "template", in->plan->name, '@', in->plan->version);
	json_put_text(w, "step", step->name);
	json_put_text(w, "handler", step->callable);
	json_put_int(w, "attempt", in->attempt);
	json_put_int(w, "max_attempts", step->max_attempts);
	put_joined(w, "idempotency_key", task_text, '/', step->name);
}

static void
put_dependencies(struct json_out *w, const struct frame_input *in)
{
	const struct template_step *step = &in->plan->steps[in->index];

	json_open(w, "dependencies", '{');
	for (size_t i = 0; i < step->parent_count; i++) {
		json_open(w, in->plan->steps[step->parents[i]].name, '{');
		json_put_raw(w, "result", in->parents[i].json, in->parents[i].len);
		json_close(w, '}');
	}
	json_close(w, '}');
}

void
frame_write(const struct frame_input *in, struct buf *out)
{
	const struct template_step *step = &in->plan->steps[in->index];
	struct json_out w = json_out_on(out);

	json_open(&w, NULL, '{');
	put_names(&w, in);
	if (step->timeout_s > 0)
		json_put_int(&w, "timeout_seconds", step->timeout_s);
	else
		json_put_null(&w, "timeout_seconds");
	json_put_raw(&w, "input", in->context, in->context_len);
	put_dependencies(&w, in);
	json_put_raw(&w, "config", step->initialization, strlen(step->initialization));
	json_put_null(&w, "checkpoint");
	json_close(&w, '}');
}

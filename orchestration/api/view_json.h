/* Tasks, steps and templates as the wire shows them: Tasker's fields and names, real values. */
#ifndef ORCHESTRATION_API_VIEW_JSON_H
#define ORCHESTRATION_API_VIEW_JSON_H

#include "orchestration/store/store_view.h"
#include "shared/base/json_out.h"

/* TaskResponse; its steps (StepReadinessStatus) are [] where the view has none. */
void view_json_task(struct json_out *w, const char *key, const struct task_view *t);
/* StepResponse, with the result in its envelope. */
void view_json_step(struct json_out *w, const char *key, const struct step_view *s);
/* One row of the template list. */
void view_json_template_row(struct json_out *w, const char *key, const struct template_view *t);
/* TemplateDetail with its steps. */
void view_json_template(struct json_out *w, const char *key, const struct template_view *t);
/* A worker's session. */
void view_json_session(struct json_out *w, const char *key, const struct session_view *s);

#endif

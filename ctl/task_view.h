/* Tasks and steps as tables, from the JSON of the API. */
#ifndef CTL_TASK_VIEW_H
#define CTL_TASK_VIEW_H

#include "ctl/api.h"

/* How far a task is, as its status says. */
enum task_ending { TASK_GOES_ON, TASK_WENT_WELL, TASK_WENT_WRONG };

/* The ending of a TaskResponse. blocked_by_failures is one: only an operator can move it. */
enum task_ending task_view_ending(const struct json *doc);

/* A task on out: its fields, then its steps; or as JSON. */
enum exit_status task_view_print(struct ctl *ctl, const struct api_answer *task);

/* The task as a tree of its steps, for watching. */
OWNED struct table *task_view_tree(struct table_look look, const struct json *doc);

/* An array of StepResponse on out, or as JSON. */
enum exit_status task_view_steps(struct ctl *ctl, const struct api_answer *steps);
/* One StepResponse, wherever in the document it stands. */
enum exit_status task_view_step(
        struct ctl *ctl, const struct json *doc, const struct json_node *step);

#endif

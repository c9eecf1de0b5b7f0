/* The workflow steps of a task: list and read. */
#include "orchestration/api/call.h"
#include "orchestration/api/view_json.h"
#include "orchestration/routes.h"

enum { STEP_BODY = 64 * 1024 * 1024, STEPS_BODY = 192 * 1024 * 1024 };

static void
listed(struct app *app, struct request *req, struct store_op *op)
{
	struct buf body = BUF(STEPS_BODY);
	struct json_out w = json_out_on(&body);

	(void)app;
	json_open(&w, NULL, '[');
	for (size_t i = 0; i < op->out.page.count; i++)
		view_json_step(&w, NULL, &op->out.page.steps[i]);
	json_close(&w, ']');
	request_reply_json(req, 200, &body);
}

void
step_list(struct request *req, const struct grant *grant, void *app)
{
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_STEP_LIST, false);

	(void)grant;
	if (op != NULL && call_task_id(req, &op->in.id.task))
		call_submit(app, req, TAKE(op), listed);
}

static void
shown(struct app *app, struct request *req, struct store_op *op)
{
	struct buf body = BUF(STEP_BODY);
	struct json_out w = json_out_on(&body);

	(void)app;
	view_json_step(&w, NULL, &op->out.step.step);
	request_reply_json(req, 200, &body);
}

/* A malformed step id can be no step's: the store is asked for one that cannot exist, so that a
 * foreign task stays TASK_NOT_FOUND. */
void
step_read(struct request *req, const struct grant *grant, void *app)
{
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_STEP_GET, false);
	struct span step = request_hole(req, 1);

	(void)grant;
	if (op == NULL || !call_task_id(req, &op->in.id.task))
		return;
	if (!uuid_parse(step.text, step.len, &op->in.id.step))
		op->in.id.step = (struct uuid){{0}};
	call_submit(app, req, TAKE(op), shown);
}

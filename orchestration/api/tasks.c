/* The tasks resource: create, list, read, cancel. */
#include <string.h>

#include "orchestration/api/call.h"
#include "orchestration/api/task_request.h"
#include "orchestration/api/view_json.h"
#include "orchestration/routes.h"

/* One task has at most a context of body_bytes and 1000 readiness rows; a page has 100 tasks. */
enum { TASK_BODY = 80 * 1024 * 1024, PAGE_BODY = 192 * 1024 * 1024, PER_PAGE = 25 };
/* What a task, and each step it shows, usually takes: the body then grows once. */
enum { TASK_USUAL = 1536, STEP_USUAL = 640 };

static void
reply_task(struct request *req, int status, const struct task_view *task)
{
	struct buf body = BUF(TASK_BODY);
	struct json_out w = json_out_on(&body);

	(void)buf_room(&body, TASK_USUAL + task->context.len + task->step_count * STEP_USUAL);
	view_json_task(&w, NULL, task);
	request_reply_json(req, status, &body);
}

static void
created(struct app *app, struct request *req, struct store_op *op)
{
	char id[UUID_TEXT];

	(void)app;
	uuid_text(&op->out.task.id, id);
	request_reply_field(req, "Location", "/v1/tasks/%s", id);
	reply_task(req, 201, &op->out.task);
}

void
task_create(struct request *req, const struct grant *grant, void *app)
{
	const struct json *doc = request_json(req, grant);
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_TASK_CREATE, true);

	if (op != NULL && task_request_read(req, doc, op))
		call_submit(app, req, TAKE(op), created);
}

static void
shown(struct app *app, struct request *req, struct store_op *op)
{
	(void)app;
	reply_task(req, 200, &op->out.task);
}

static void
by_id(struct request *req, struct app *app, enum store_verb verb, bool write)
{
	AUTO(store_op) struct store_op *op = call_begin(app, req, verb, write);

	if (op != NULL && call_task_id(req, &op->in.id.task))
		call_submit(app, req, TAKE(op), shown);
}

void
task_read(struct request *req, const struct grant *grant, void *app)
{
	(void)grant;
	by_id(req, app, STORE_TASK_GET, false);
}

void
task_cancel_route(struct request *req, const struct grant *grant, void *app)
{
	(void)grant;
	by_id(req, app, STORE_TASK_CANCEL, true);
}

static void
listed(struct app *app, struct request *req, struct store_op *op)
{
	const struct page_out *page = &op->out.page;
	const struct task_list_in *in = &op->in.task_list;
	struct buf body = BUF(PAGE_BODY);
	struct json_out w = json_out_on(&body);

	(void)app;
	json_open(&w, NULL, '{');
	json_open(&w, "tasks", '[');
	for (size_t i = 0; i < page->count; i++)
		view_json_task(&w, NULL, &page->tasks[i]);
	json_close(&w, ']');
	call_put_pagination(&w, in->page, in->per_page, page);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

enum { Q_PAGE, Q_PER_PAGE, Q_NAMESPACE, Q_NAME, Q_STATUS, Q_INITIATOR, Q_SOURCE, Q_COUNT };
static const char *const list_query[Q_COUNT] = {
        "page", "per_page", "namespace", "name", "status", "initiator", "source_system"};

/* "complete,error": any state names; Tasker's word completed is taken for complete. */
static void
states(struct request *req, const char *text, uint32_t *out)
{
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, ",");
		bool tasker = len == 9 && memcmp(text, "completed", 9) == 0;
		enum task_state state = tasker ? TASK_COMPLETE : task_state_parse(text, len);

		if (state == TASK_STATE_NONE) {
			request_invalid(req, "?status",
			        "must be task states, separated by commas, such as "
			        "pending,complete");
			return;
		}
		*out |= UINT32_C(1) << state;
		text += len + (text[len] == ',' ? 1 : 0);
	}
}

static const char *
kept(struct store_op *op, const char *text)
{
	return text != NULL ? store_op_text(op, text, strlen(text)) : NULL;
}

void
task_list(struct request *req, const struct grant *grant, void *app)
{
	AUTO(store_op) struct store_op *op = NULL;
	struct task_list_in *in;
	const char *q[Q_COUNT];

	(void)grant;
	if (!request_query(req, list_query, Q_COUNT, q))
		return;
	op = call_begin(app, req, STORE_TASK_LIST, false);
	if (op == NULL)
		return;
	in = &op->in.task_list;
	*in = (struct task_list_in){.page = 1, .per_page = PER_PAGE};
	call_page(req, q[Q_PAGE], q[Q_PER_PAGE], &in->page, &in->per_page);
	states(req, q[Q_STATUS], &in->states);
	if (request_has_invalid(req)) {
		request_problem_invalid(req, "The query is not valid");
		return;
	}
	in->ns = kept(op, q[Q_NAMESPACE]);
	in->name = kept(op, q[Q_NAME]);
	in->initiator = kept(op, q[Q_INITIATOR]);
	in->source_system = kept(op, q[Q_SOURCE]);
	call_submit(app, req, TAKE(op), listed);
}

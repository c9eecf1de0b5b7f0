/* task create, get, list, cancel, steps, step, watch. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api.h"
#include "ctl/files.h"
#include "ctl/task_view.h"
#include "ctl/task_watch.h"
#include "shared/base/clock.h"
#include "shared/base/json_out.h"
#include "shared/base/uuid.h"

enum { INPUT_MAX = 1024 * 1024, PATH_BYTES = 2048, PAGE_MAX = 1000000, LIMIT_MAX = 100 };

/* ---- create ---- */

/* The text of --input: an argument, a file after @, or stdin for -. */
static bool
read_input(struct ctl *ctl, struct buf *out, struct err *e)
{
	const char *given = args_text(&ctl->args, "input");

	if (strcmp(given, "-") == 0)
		return files_read_stream(ctl->world->in, out, e) || err_while(e, "stdin");
	if (given[0] == '@')
		return files_read(given + 1, out, e);
	buf_text(out, given);
	return buf_ok(out) || err_set(e, ERR_LIMIT, "longer than %d bytes", INPUT_MAX);
}

/* Appends the context to the body as its own tokens: numbers keep every digit. */
static bool
put_context(struct ctl *ctl, struct json_out *w, struct err *e)
{
	AUTO(buf) struct buf text = BUF(INPUT_MAX);
	AUTO(buf) struct buf compact = BUF(INPUT_MAX);
	AUTO(json) struct json *doc = NULL;

	if (!read_input(ctl, &text, e) || !json_parse(text.data != NULL ? text.data : "", text.len,
	                                          &json_limits_default, &doc, e))
		return err_while(e, "--input");
	if (json_kind(json_root(doc)) != JSON_OBJECT)
		return err_set(e, ERR_FORMAT, "--input: the context must be an object, {...}");
	json_compact(doc, json_root(doc), &compact);
	if (!buf_ok(&compact))
		return err_set(e, ERR_NOMEM, "out of memory for the context");
	json_put_raw(w, "context", compact.data, compact.len);
	return true;
}

static bool
put_correlation(struct ctl *ctl, struct json_out *w, struct err *e)
{
	const char *given = args_text(&ctl->args, "correlation-id");
	struct uuid_source source = {0};
	struct uuid id = uuid_v7(&source, clock_wall_us());
	char text[UUID_TEXT];

	if (given != NULL && !uuid_parse(given, strlen(given), &id))
		return err_set(e, ERR_FORMAT, "--correlation-id takes a UUID");
	uuid_text(&id, text);
	json_put_text(w, "correlation_id", text);
	return true;
}

static bool
create_body(struct ctl *ctl, struct buf *body, struct err *e)
{
	const struct args *a = &ctl->args;
	struct json_out w = json_out_on(body);
	int64_t priority = 0;

	json_open(&w, NULL, '{');
	json_put_text(&w, "name", args_text(a, "name"));
	json_put_text(&w, "namespace", args_text(a, "namespace"));
	json_put_text(&w, "version", args_text(a, "version"));
	if (!put_context(ctl, &w, e) || !put_correlation(ctl, &w, e))
		return false;
	json_put_text(&w, "initiator", "tasker-ctl");
	json_put_text(&w, "source_system", "cli");
	json_put_text(&w, "reason", args_text(a, "reason"));
	json_open(&w, "tags", '[');
	json_close(&w, ']');
	if (args_given(a, "priority")) {
		if (!args_int(a, "priority", -100, 100, &priority, e))
			return false;
		json_put_int(&w, "priority", priority);
	}
	if (args_given(a, "idempotency-key"))
		json_put_text(&w, "idempotency_key", args_text(a, "idempotency-key"));
	json_close(&w, '}');
	return buf_ok(body) || err_set(e, ERR_LIMIT, "the request is too long");
}

static enum exit_status
created(struct ctl *ctl, const struct api_answer *answer)
{
	const struct json_node *id = json_member(answer->doc, json_root(answer->doc), "task_uuid");
	char *task;
	enum exit_status status;

	if (!args_given(&ctl->args, "wait"))
		return task_view_print(ctl, answer);
	task = json_string_copy(answer->doc, id, UUID_TEXT);
	if (task == NULL)
		return ctl_fail(ctl, EXIT_STATUS_UNREACHABLE, "the answer names no task");
	ctl_note(ctl, "Created %s", task);
	status = task_watch(ctl, task, true);
	free(task);
	return status;
}

enum exit_status
run_task_create(struct ctl *ctl)
{
	AUTO(buf) struct buf body = BUF(2 * (size_t)INPUT_MAX);
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	const struct api_request request = {
	        .endpoint = ENDPOINT_ORCHESTRATION, .method = "POST", .path = &path, .body = &body};
	struct err e = {0};
	enum exit_status status;

	if (!create_body(ctl, &body, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	api_path(&path, "/v1/tasks");
	status = api_ask(ctl, &request, &answer);
	return status == EXIT_STATUS_OK ? created(ctl, &answer) : status;
}

/* ---- one task ---- */

static bool
is_id(const char *text)
{
	struct uuid id;

	return uuid_parse(text, strlen(text), &id);
}

/* "/v1/tasks/{the operand}"; false, told, if the operand is no id. */
static bool
task_path(struct ctl *ctl, struct buf *path)
{
	const char *task = args_operand(&ctl->args, 0);

	if (!is_id(task)) {
		(void)ctl_fail(ctl, EXIT_STATUS_USAGE, "%s is no task's id, which is a UUID", task);
		ctl_hint(ctl, "`tasker-ctl task list` shows ids");
		return false;
	}
	api_path(path, "/v1/tasks");
	api_segment(path, task);
	return true;
}

static enum exit_status
one_task(struct ctl *ctl, const char *method)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	enum exit_status status;

	if (!task_path(ctl, &path))
		return EXIT_STATUS_USAGE;
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, method, &path, &answer);
	return status == EXIT_STATUS_OK ? task_view_print(ctl, &answer) : status;
}

enum exit_status
run_task_get(struct ctl *ctl)
{
	return one_task(ctl, "GET");
}

enum exit_status
run_task_cancel(struct ctl *ctl)
{
	return one_task(ctl, "DELETE");
}

enum exit_status
run_task_watch(struct ctl *ctl)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);

	if (!task_path(ctl, &path))
		return EXIT_STATUS_USAGE;
	return task_watch(ctl, args_operand(&ctl->args, 0), false);
}

/* ---- list ---- */

static enum exit_status
print_list(struct ctl *ctl, const struct json *doc)
{
	static const struct table_column columns[] = {
	        {"TASK",      0          },
                {"NAMESPACE", TABLE_CUT  },
                {"NAME",      TABLE_CUT  },
                {"VERSION",   0          },
	        {"STATUS",    TABLE_STATE},
                {"DONE",      TABLE_RIGHT},
                {"CREATED",   0          }
        };
	static const char *const names[] = {"task_uuid", "namespace", "name", "version", "status"};
	const struct json_node *root = json_root(doc);
	const struct json_node *pages = json_member(doc, root, "pagination");
	struct table *t = table_new(columns, COUNT(columns), ctl_look(ctl));
	int64_t page = 0, total_pages = 0, total = 0;

	for (const struct json_node *n = json_first(doc, json_member(doc, root, "tasks"));
	        n != NULL; n = json_next(doc, n)) {
		struct table_line *line = table_add(t, NULL);
		int64_t done = 0, all = 0;

		for (size_t i = 0; i < COUNT(names); i++)
			table_json(t, line, doc, json_member(doc, n, names[i]));
		(void)json_int64(doc, json_member(doc, n, "completed_steps"), &done);
		(void)json_int64(doc, json_member(doc, n, "total_steps"), &all);
		table_format(t, line, "%lld/%lld", (long long)done, (long long)all);
		table_json(t, line, doc, json_member(doc, n, "created_at"));
	}
	(void)json_int64(doc, json_member(doc, pages, "page"), &page);
	(void)json_int64(doc, json_member(doc, pages, "total_pages"), &total_pages);
	(void)json_int64(doc, json_member(doc, pages, "total_count"), &total);
	ctl_note(ctl, "%lld task%s, page %lld of %lld", (long long)total, total == 1 ? "" : "s",
	        (long long)page, (long long)total_pages);
	return ctl_print(ctl, t);
}

enum exit_status
run_task_list(struct ctl *ctl)
{
	static const char *const filters[] = {"namespace", "status"};
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	struct err e = {0};
	int64_t limit, page;
	char number[24];
	enum exit_status status;

	if (!args_int(&ctl->args, "limit", 1, LIMIT_MAX, &limit, &e) ||
	        !args_int(&ctl->args, "page", 1, PAGE_MAX, &page, &e))
		return ctl_fail(ctl, EXIT_STATUS_USAGE, "%s", e.text);
	api_path(&path, "/v1/tasks");
	(void)snprintf(number, sizeof(number), "%lld", (long long)page);
	api_query(&path, "page", number);
	(void)snprintf(number, sizeof(number), "%lld", (long long)limit);
	api_query(&path, "per_page", number);
	for (size_t i = 0; i < COUNT(filters); i++)
		if (args_given(&ctl->args, filters[i]))
			api_query(&path, filters[i], args_text(&ctl->args, filters[i]));
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", &path, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	return ctl->json ? api_print(ctl, &answer) : print_list(ctl, answer.doc);
}

/* ---- steps ---- */

enum exit_status
run_task_steps(struct ctl *ctl)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	enum exit_status status;

	if (!task_path(ctl, &path))
		return EXIT_STATUS_USAGE;
	api_path(&path, "/workflow_steps");
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", &path, &answer);
	return status == EXIT_STATUS_OK ? task_view_steps(ctl, &answer) : status;
}

/* The step of that name in an array of them, or NULL. */
static const struct json_node *
step_named(const struct json *doc, const char *name)
{
	const struct json_node *n = json_first(doc, json_root(doc));

	while (n != NULL && !json_string_is(doc, json_member(doc, n, "name"), name))
		n = json_next(doc, n);
	return n;
}

/* Makes path the step's own: by its id, or by its name among the task's steps. */
static enum exit_status
step_path(struct ctl *ctl, const char *step, struct buf *path)
{
	AUTO(api_answer) struct api_answer answer = {0};
	const struct json_node *found;
	char *id;
	enum exit_status status;

	api_path(path, "/workflow_steps");
	if (is_id(step)) {
		api_segment(path, step);
		return EXIT_STATUS_OK;
	}
	status = api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", path, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	found = step_named(answer.doc, step);
	if (found == NULL)
		return ctl_fail(ctl, EXIT_STATUS_MISSING, "the task has no step %s", step);
	id = json_string_copy(answer.doc, json_member(answer.doc, found, "step_uuid"), UUID_TEXT);
	if (id == NULL)
		return ctl_fail(ctl, EXIT_STATUS_UNREACHABLE, "the answer names no step");
	api_segment(path, id);
	free(id);
	return EXIT_STATUS_OK;
}

enum exit_status
run_task_step(struct ctl *ctl)
{
	AUTO(buf) struct buf path = BUF(PATH_BYTES);
	AUTO(api_answer) struct api_answer answer = {0};
	enum exit_status status;

	if (!task_path(ctl, &path))
		return EXIT_STATUS_USAGE;
	status = step_path(ctl, args_operand(&ctl->args, 1), &path);
	if (status == EXIT_STATUS_OK)
		status = api_call(ctl, ENDPOINT_ORCHESTRATION, "GET", &path, &answer);
	if (status != EXIT_STATUS_OK)
		return status;
	return ctl->json ? api_print(ctl, &answer)
	                 : task_view_step(ctl, answer.doc, json_root(answer.doc));
}

/* The templates resource: list and read what workers and the orchestration's own paths registered.
 */
#include <string.h>

#include "orchestration/api/call.h"
#include "orchestration/api/view_json.h"
#include "orchestration/routes.h"

enum { TEMPLATES_BODY = 32 * 1024 * 1024, TEMPLATE_BODY = 32 * 1024 * 1024 };

/* The list comes ordered by namespace, so each namespace is one run of rows. */
static void
namespaces(struct json_out *w, const struct page_out *page)
{
	json_open(w, "namespaces", '[');
	for (size_t i = 0; i < page->count;) {
		const char *name = page->templates[i].plan->namespace_name;
		size_t end = i;

		while (end < page->count &&
		        strcmp(page->templates[end].plan->namespace_name, name) == 0)
			end++;
		json_open(w, NULL, '{');
		json_put_text(w, "name", name);
		json_put_null(w, "description");
		json_put_int(w, "template_count", (int64_t)(end - i));
		json_close(w, '}');
		i = end;
	}
	json_close(w, ']');
}

static void
listed(struct app *app, struct request *req, struct store_op *op)
{
	const struct page_out *page = &op->out.page;
	struct buf body = BUF(TEMPLATES_BODY);
	struct json_out w = json_out_on(&body);

	(void)app;
	json_open(&w, NULL, '{');
	namespaces(&w, page);
	json_open(&w, "templates", '[');
	for (size_t i = 0; i < page->count; i++)
		view_json_template_row(&w, NULL, &page->templates[i]);
	json_close(&w, ']');
	json_put_int(&w, "total_count", page->total);
	json_close(&w, '}');
	request_reply_json(req, 200, &body);
}

void
template_list(struct request *req, const struct grant *grant, void *app)
{
	static const char *const names[] = {"namespace"};
	AUTO(store_op) struct store_op *op = NULL;
	const char *ns;

	(void)grant;
	if (!request_query(req, names, COUNT(names), &ns))
		return;
	op = call_begin(app, req, STORE_TEMPLATE_LIST, false);
	if (op == NULL)
		return;
	op->in.template.ns = ns != NULL ? store_op_text(op, ns, strlen(ns)) : NULL;
	call_submit(app, req, TAKE(op), listed);
}

static void
shown(struct app *app, struct request *req, struct store_op *op)
{
	struct buf body = BUF(TEMPLATE_BODY);
	struct json_out w = json_out_on(&body);

	(void)app;
	view_json_template(&w, NULL, &op->out.template);
	request_reply_json(req, 200, &body);
}

void
template_show(struct request *req, const struct grant *grant, void *app)
{
	AUTO(store_op) struct store_op *op = call_begin(app, req, STORE_TEMPLATE_GET, false);
	const char *holes[3];

	(void)grant;
	if (op == NULL)
		return;
	for (size_t i = 0; i < COUNT(holes); i++) {
		struct span hole = request_hole(req, i);

		holes[i] = store_op_text(op, hole.text, hole.len);
		if (holes[i] == NULL) {
			call_no_memory(req);
			return;
		}
	}
	op->in.template =
	        (struct template_in){.ns = holes[0], .name = holes[1], .version = holes[2]};
	call_submit(app, req, TAKE(op), shown);
}

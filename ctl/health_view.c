#include "ctl/health_view.h"

#include <string.h>

static const char healthy[] = "healthy";

enum exit_status
health_view_ask(struct ctl *ctl, enum endpoint endpoint, struct api_answer *out)
{
	AUTO(buf) struct buf path = BUF(64);
	enum exit_status status;

	api_path(&path, "/health/detailed");
	status = api_call(ctl, endpoint, "GET", &path, out);
	if (status != EXIT_STATUS_OK)
		return status;
	return json_string_is(
	               out->doc, json_member(out->doc, json_root(out->doc), "status"), healthy)
	               ? EXIT_STATUS_OK
	               : EXIT_STATUS_NO;
}

OWNED struct table *
health_view_tree(struct table_look look)
{
	static const struct table_column columns[] = {
	        {"DAEMON",  TABLE_TREE },
                {"STATUS",  TABLE_STATE},
                {"MESSAGE", TABLE_CUT  }
        };

	return table_new(columns, COUNT(columns), look);
}

static void
add_checks(struct table *tree, struct table_line *parent, const struct json *doc)
{
	const struct json_node *n = json_first(doc, json_member(doc, json_root(doc), "checks"));

	for (; n != NULL; n = json_next(doc, n)) {
		struct table_line *line = table_add(tree, parent);

		table_json(tree, line, doc, json_name(doc, n));
		table_json(tree, line, doc, json_member(doc, n, "status"));
		table_json(tree, line, doc, json_member(doc, n, "message"));
	}
}

void
health_view_add(struct table *tree, enum endpoint endpoint, const struct api_answer *answer)
{
	struct table_line *line = table_add(tree, NULL);
	const struct json *doc = answer->status >= 200 && answer->status < 300 ? answer->doc : NULL;

	table_text(tree, line, endpoint_name(endpoint));
	if (doc == NULL) {
		table_text(tree, line, "unreachable");
		table_text(tree, line, answer->fault.text);
		return;
	}
	table_json(tree, line, doc, json_member(doc, json_root(doc), "status"));
	table_text(tree, line, "");
	add_checks(tree, line, doc);
}

enum exit_status
health_view(struct ctl *ctl, enum endpoint endpoint)
{
	AUTO(api_answer) struct api_answer answer = {0};
	enum exit_status status = health_view_ask(ctl, endpoint, &answer), printed;
	struct table *tree;

	if (answer.doc == NULL || answer.status >= 300)
		return status;
	if (ctl->json) {
		printed = api_print(ctl, &answer);
	} else {
		tree = health_view_tree(ctl_look(ctl));
		health_view_add(tree, endpoint, &answer);
		printed = ctl_print(ctl, tree);
	}
	return printed == EXIT_STATUS_OK ? status : printed;
}

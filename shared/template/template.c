#include "shared/template/template.h"

#include <stdlib.h>
#include <string.h>

#include "shared/template/arena.h"
#include "shared/template/template_read.h"
#include "shared/template/tree_json.h"
#include "shared/template/tree_yaml.h"

/* Canonical JSON spells out defaults, so it has more nodes than the file it came from. */
enum { JSON_NODES_MAX = 100000 };

bool
template_parse(const char *text, size_t len, OWNED struct template **out,
        struct template_report *report, struct err *e)
{
	static const struct tree_limits limits = {.nodes = TEMPLATE_NODES_MAX,
	        .text = TEMPLATE_TEXT_MAX,
	        .depth = TEMPLATE_DEPTH_MAX};
	AUTO(tree) struct tree *tree = NULL;

	if (report != NULL)
		*report = (struct template_report){0};
	if (len > TEMPLATE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "a template of %zu bytes; at most %zu are allowed",
		        len, (size_t)TEMPLATE_BYTES_MAX);
	return tree_from_yaml(text, len, &limits, &tree, e) && template_read(tree, report, out, e);
}

bool
template_from_json(const char *text, size_t len, OWNED struct template **out, struct err *e)
{
	static const struct json_limits json = {.bytes = TEMPLATE_JSON_MAX,
	        .nodes = JSON_NODES_MAX,
	        .depth = TEMPLATE_DEPTH_MAX + 1};
	static const struct tree_limits limits = {
	        .nodes = JSON_NODES_MAX, .text = TEMPLATE_JSON_MAX, .depth = TEMPLATE_DEPTH_MAX};
	AUTO(tree) struct tree *tree = NULL;

	if (!tree_from_json(text, len, &json, &limits, &tree, e) ||
	        !template_read(tree, NULL, out, e))
		return err_while(e, "reading a stored template");
	return true;
}

void
template_free(struct template *t)
{
	if (t == NULL)
		return;
	arena_free(t->memory);
	free(t);
}

BORROWED const struct template_step *
template_find_step(const struct template *t, const char *name)
{
	for (size_t i = 0; i < t->step_count; i++)
		if (strcmp(t->steps[i].name, name) == 0)
			return &t->steps[i];
	return NULL;
}

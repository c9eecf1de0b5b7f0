/*
 * Reading goes by maps. match() pairs the members of one map with the rows of the table that
 * stand in it; read_map() then puts the values of plain rows into the struct and applies what
 * absent members count as. Maps within (lifecycle, steps, handler, retry) are read by their owner,
 * so depth is a matter of code and not of input. A null value is an absent member, as upstream's
 * own files expect. Unknown members are ignored with a warning.
 */
#include "shared/template/template_read.h"

#include <stdlib.h>

#include "shared/template/arena.h"
#include "shared/template/report.h"
#include "shared/template/show.h"
#include "shared/template/template_fields.h"
#include "shared/template/template_graph.h"
#include "shared/template/template_value.h"

/* The members of one map by row; NULL where it has none. */
struct found {
	const struct tree_node *node[FIELDS_MAX];
};

static size_t
row_of(const struct field *f)
{
	size_t count;

	return (size_t)(f - template_fields(&count));
}

static const struct tree_node *
found_member(const struct found *found, enum field_scope scope, const char *member)
{
	return found->node[row_of(template_field_find(scope, member))];
}

static void
warn_unknown(struct value_reader *r, enum field_scope scope, const struct tree_node *n)
{
	const char *member = tree_key(r->tree, n);
	const char *near =
	        report_has_room(r->report) ? template_field_suggest(scope, member) : NULL;

	if (near != NULL)
		report_warn(r->report, n->key_at, "%s has no member '%s' (did you mean '%s'?)",
		        template_scope_name(scope), show_text(member).text, near);
	else
		report_warn(r->report, n->key_at, "%s has no member '%s'; it is ignored",
		        template_scope_name(scope), show_text(member).text);
}

static bool
is_empty(const struct tree_node *n)
{
	return n->children == 0 && n->text_len == 0 && n->kind >= TREE_STRING;
}

static bool
match(struct value_reader *r, enum field_scope scope, const struct tree_node *map,
        struct found *found)
{
	*found = (struct found){{NULL}};
	if (map == NULL)
		return true;
	if (map->kind != TREE_MAP)
		return tree_fail(
		        map->at, r->e, ERR_FORMAT, "%s must be a map", template_scope_name(scope));
	for (const struct tree_node *n = tree_first(r->tree, map); n != NULL;
	        n = tree_next(r->tree, n)) {
		const struct field *f = template_field_find(scope, tree_key(r->tree, n));
		const struct tree_node **slot;

		if (f == NULL) {
			warn_unknown(r, scope, n);
			continue;
		}
		slot = &found->node[row_of(f)];
		if (*slot != NULL)
			return tree_fail(n->key_at, r->e, ERR_FORMAT,
			        "'%s' says the same as '%s' on line %u", tree_key(r->tree, n),
			        tree_key(r->tree, *slot), (*slot)->key_at.line);
		*slot = n;
		if (f->note != NULL && n->kind != TREE_NULL && !is_empty(n))
			report_warn(r->report, n->key_at, "%s %s", f->member, f->note);
	}
	return true;
}

/* Matches the map and fills base from it; found says where the rest is. map may be NULL. */
static bool
read_map(struct value_reader *r, enum field_scope scope, const struct tree_node *map, void *base,
        struct found *found)
{
	size_t count;
	const struct field *fields = template_fields(&count);

	if (!match(r, scope, map, found))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct tree_node *n = found->node[i];

		if (fields[i].scope != scope)
			continue;
		if (n != NULL && n->kind == TREE_NULL)
			found->node[i] = n = NULL;
		if (n != NULL) {
			if (!value_read(r, &fields[i], n, base))
				return false;
		} else if (fields[i].absent == NULL) {
			return value_refuse(r, map->at, &fields[i], "is required");
		} else {
			value_set_absent(&fields[i], base);
		}
	}
	return true;
}

static bool
read_step(struct value_reader *r, const struct tree_node *map, struct template_step *step,
        struct found *found)
{
	struct found inner;

	return read_map(r, SCOPE_STEP, map, step, found) &&
	       read_map(r, SCOPE_HANDLER, found_member(found, SCOPE_STEP, "handler"), step,
	               &inner) &&
	       read_map(r, SCOPE_RETRY, found_member(found, SCOPE_STEP, "retry"), step, &inner);
}

static bool
read_steps(struct value_reader *r, const struct tree_node *list, struct template *t)
{
	AUTO(arena) struct arena *scratch = arena_new();
	struct graph_source source = {.tree = r->tree, .count = list->children};
	size_t i = 0;

	if (list->kind != TREE_LIST || list->children == 0)
		return tree_fail(list->at, r->e, ERR_FORMAT,
		        "template steps must be a list of at least one step");
	if (list->children > TEMPLATE_STEPS_MAX)
		return tree_fail(list->at, r->e, ERR_LIMIT,
		        "template has %u steps; at most %d are allowed", list->children,
		        TEMPLATE_STEPS_MAX);
	if (scratch == NULL)
		return value_no_memory(r);
	source.steps = arena_alloc(scratch, source.count, sizeof(*source.steps));
	if (source.steps == NULL)
		return value_no_memory(r);
	for (const struct tree_node *n = tree_first(r->tree, list); n != NULL;
	        n = tree_next(r->tree, n)) {
		struct graph_step *step = &source.steps[i++];
		struct found found;

		if (!read_step(r, n, &step->step, &found))
			return false;
		step->name = found_member(&found, SCOPE_STEP, "name");
		step->dependencies = found_member(&found, SCOPE_STEP, "dependencies");
	}
	return template_graph(&source, t, r->report, r->e);
}

bool
template_read(const struct tree *tree, struct template_report *report, OWNED struct template **out,
        struct err *e)
{
	AUTO(template) struct template *t = calloc(1, sizeof(*t));
	struct value_reader r = {.tree = tree, .report = report, .e = e};
	struct found found, lifecycle;

	if (t == NULL || (t->memory = arena_new()) == NULL)
		return value_no_memory(&r);
	r.memory = t->memory;
	if (!read_map(&r, SCOPE_TASK, tree_root(tree), t, &found) ||
	        !read_map(&r, SCOPE_LIFECYCLE, found_member(&found, SCOPE_TASK, "lifecycle"), t,
	                &lifecycle) ||
	        !read_steps(&r, found_member(&found, SCOPE_TASK, "steps"), t))
		return false;
	*out = TAKE(t);
	return true;
}

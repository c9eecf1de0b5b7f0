#include "shared/template/template_graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/suggest.h"
#include "shared/template/arena.h"
#include "shared/template/report.h"
#include "shared/template/show.h"

enum { NOWHERE = -1 };

struct graph {
	const struct graph_source *source;
	struct template_report *report;
	struct arena *memory;  /* the template's: what stays */
	struct arena *scratch; /* what does not */
	unsigned *by_name;     /* steps sorted by name */
	unsigned **parents;    /* of each step, as the file lists them */
	unsigned **children;
	unsigned *place; /* of each step in the new order */
	size_t edges;
	struct err *e;
};

static const char *
name_of(const struct graph *g, unsigned step)
{
	return g->source->steps[step].step.name;
}

static bool
no_memory(struct graph *g)
{
	return err_set(g->e, ERR_NOMEM, "out of memory for a template");
}

static int
by_name(const void *a, const void *b, void *arg)
{
	const unsigned *x = a, *y = b;
	const struct graph *g = arg;
	int order = strcmp(name_of(g, *x), name_of(g, *y));

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

static bool
index_names(struct graph *g)
{
	size_t n = g->source->count;

	for (unsigned i = 0; i < n; i++)
		g->by_name[i] = i;
	qsort_r(g->by_name, n, sizeof(*g->by_name), by_name, g);
	for (size_t i = 1; i < n; i++) {
		unsigned first = g->by_name[i - 1], again = g->by_name[i];

		if (strcmp(name_of(g, first), name_of(g, again)) == 0)
			return tree_fail(g->source->steps[again].name->at, g->e, ERR_FORMAT,
			        "step name '%s' is taken by the step on line %u",
			        show_text(name_of(g, again)).text,
			        g->source->steps[first].name->at.line);
	}
	return true;
}

static int
find(const struct graph *g, const char *name)
{
	size_t low = 0, high = g->source->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, name_of(g, g->by_name[middle]));

		if (order == 0)
			return (int)g->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NOWHERE;
}

static bool
unknown_parent(struct graph *g, unsigned step, const struct tree_node *item)
{
	const char *asked = tree_text(g->source->tree, item);
	struct suggest s = suggest_for(asked);

	for (unsigned i = 0; i < g->source->count; i++)
		if (i != step)
			suggest_offer(&s, name_of(g, i));
	if (s.best != NULL)
		return tree_fail(item->at, g->e, ERR_FORMAT,
		        "step '%s' depends on '%s', which is not a step of this template (did you "
		        "mean '%s'?)",
		        show_text(name_of(g, step)).text, show_text(asked).text,
		        show_text(s.best).text);
	return tree_fail(item->at, g->e, ERR_FORMAT,
	        "step '%s' depends on '%s', which is not a step of this template",
	        show_text(name_of(g, step)).text, show_text(asked).text);
}

static bool
add_parent(struct graph *g, unsigned step, const struct tree_node *item)
{
	struct template_step *s = &g->source->steps[step].step;
	int parent;

	if (item->kind != TREE_STRING)
		return tree_fail(
		        item->at, g->e, ERR_FORMAT, "step dependencies must be names of steps");
	parent = find(g, tree_text(g->source->tree, item));
	if (parent == NOWHERE)
		return unknown_parent(g, step, item);
	if ((unsigned)parent == step)
		return tree_fail(item->at, g->e, ERR_FORMAT, "step '%s' depends on itself",
		        show_text(s->name).text);
	for (size_t i = 0; i < s->parent_count; i++)
		if (g->parents[step][i] == (unsigned)parent) {
			report_warn(g->report, item->at, "step '%s' depends on '%s' twice",
			        show_text(s->name).text,
			        show_text(name_of(g, (unsigned)parent)).text);
			return true;
		}
	if (++g->edges > TEMPLATE_EDGES_MAX)
		return tree_fail(item->at, g->e, ERR_LIMIT, "more than %d dependencies in all",
		        TEMPLATE_EDGES_MAX);
	g->parents[step][s->parent_count++] = (unsigned)parent;
	g->source->steps[parent].step.child_count++;
	return true;
}

static bool
read_parents(struct graph *g, unsigned step)
{
	const struct tree_node *list = g->source->steps[step].dependencies;
	const struct tree *tree = g->source->tree;

	if (list == NULL)
		return true;
	if (list->kind != TREE_LIST)
		return tree_fail(list->at, g->e, ERR_FORMAT,
		        "step dependencies must be a list of step names");
	g->parents[step] = arena_alloc(g->memory, list->children, sizeof(unsigned));
	if (g->parents[step] == NULL)
		return no_memory(g);
	for (const struct tree_node *item = tree_first(tree, list); item != NULL;
	        item = tree_next(tree, item))
		if (!add_parent(g, step, item))
			return false;
	return true;
}

/* The same edges from the other end, each list in the order of the file. */
static bool
link_children(struct graph *g)
{
	struct graph_step *steps = g->source->steps;

	for (unsigned i = 0; i < g->source->count; i++) {
		g->children[i] =
		        arena_alloc(g->memory, steps[i].step.child_count, sizeof(unsigned));
		if (g->children[i] == NULL)
			return no_memory(g);
		steps[i].step.child_count = 0;
	}
	for (unsigned i = 0; i < g->source->count; i++)
		for (size_t p = 0; p < steps[i].step.parent_count; p++) {
			unsigned parent = g->parents[i][p];

			g->children[parent][steps[parent].step.child_count++] = i;
		}
	return true;
}

/* Where the file says that step depends on parent. */
static struct tree_place
where(const struct graph *g, unsigned step, unsigned parent)
{
	const struct tree *tree = g->source->tree;
	const struct tree_node *item = tree_first(tree, g->source->steps[step].dependencies);

	while (strcmp(tree_text(tree, item), name_of(g, parent)) != 0)
		item = tree_next(tree, item);
	return item->at;
}

/* Follows waiting parents from a step that waits until a step comes again, and tells that circle.
 */
static bool
refuse_cycle(struct graph *g, const unsigned *unmet)
{
	enum { TOLD = 4 };
	AUTO(buf) struct buf text = BUF(KIB(1));
	unsigned step = 0, first, n = 0;
	unsigned *after = arena_alloc(g->scratch, g->source->count, sizeof(*after));
	bool *seen = arena_alloc(g->scratch, g->source->count, sizeof(*seen));

	if (after == NULL || seen == NULL)
		return no_memory(g);
	while (unmet[step] == 0)
		step++;
	while (!seen[step]) {
		size_t p = 0;

		seen[step] = true;
		while (unmet[g->parents[step][p]] == 0)
			p++;
		after[step] = g->parents[step][p];
		step = after[step];
	}
	first = step;
	for (unsigned s = after[step]; s != step; s = after[s])
		first = s < first ? s : first;
	for (step = first; n == 0 || step != first; step = after[step])
		if (n++ < TOLD)
			buf_format(&text, "%s → ", show_text(name_of(g, step)).text);
	if (n > TOLD)
		buf_format(&text, "(%u more) → ", n - TOLD);
	buf_format(&text, "%s%c", show_text(name_of(g, first)).text, '\0');
	if (!buf_ok(&text))
		return no_memory(g);
	return tree_fail(where(g, first, after[first]), g->e, ERR_FORMAT,
	        "steps wait for each other in a circle: %s", text.data);
}

/* Places, again and again, the first step of the file whose parents all have a place. */
static bool
put_in_order(struct graph *g)
{
	size_t count = g->source->count;
	unsigned *unmet = arena_alloc(g->scratch, count, sizeof(*unmet));
	bool *placed = arena_alloc(g->scratch, count, sizeof(*placed));

	if (unmet == NULL || placed == NULL)
		return no_memory(g);
	for (size_t i = 0; i < count; i++)
		unmet[i] = (unsigned)g->source->steps[i].step.parent_count;
	for (unsigned next = 0; next < count; next++) {
		size_t i = 0;

		while (i < count && (placed[i] || unmet[i] > 0))
			i++;
		if (i == count)
			return refuse_cycle(g, unmet);
		placed[i] = true;
		g->place[i] = next;
		for (size_t c = 0; c < g->source->steps[i].step.child_count; c++)
			unmet[g->children[i][c]]--;
	}
	return true;
}

static bool
hand_over(struct graph *g, struct template *t)
{
	struct template_step *steps = arena_alloc(g->memory, g->source->count, sizeof(*steps));

	if (steps == NULL)
		return no_memory(g);
	for (size_t i = 0; i < g->source->count; i++) {
		struct template_step *step = &steps[g->place[i]];

		*step = g->source->steps[i].step;
		for (size_t p = 0; p < step->parent_count; p++)
			g->parents[i][p] = g->place[g->parents[i][p]];
		for (size_t c = 0; c < step->child_count; c++)
			g->children[i][c] = g->place[g->children[i][c]];
		step->parents = g->parents[i];
		step->children = g->children[i];
	}
	t->steps = steps;
	t->step_count = g->source->count;
	t->edge_count = g->edges;
	return true;
}

bool
template_graph(const struct graph_source *source, struct template *t,
        struct template_report *report, struct err *e)
{
	AUTO(arena) struct arena *scratch = arena_new();
	struct graph g = {.source = source, .report = report, .memory = t->memory, .e = e};

	if (scratch == NULL)
		return no_memory(&g);
	g.scratch = scratch;
	g.by_name = arena_alloc(scratch, source->count, sizeof(*g.by_name));
	g.parents = arena_alloc(scratch, source->count, sizeof(*g.parents));
	g.children = arena_alloc(scratch, source->count, sizeof(*g.children));
	g.place = arena_alloc(scratch, source->count, sizeof(*g.place));
	if (g.by_name == NULL || g.parents == NULL || g.children == NULL || g.place == NULL)
		return no_memory(&g);
	if (!index_names(&g))
		return false;
	for (unsigned i = 0; i < source->count; i++)
		if (!read_parents(&g, i))
			return false;
	return link_children(&g) && put_in_order(&g) && hand_over(&g, t);
}

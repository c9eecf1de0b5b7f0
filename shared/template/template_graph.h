/* Which step waits for which: names resolved, cycles refused, steps put in order. */
#ifndef SHARED_TEMPLATE_TEMPLATE_GRAPH_H
#define SHARED_TEMPLATE_TEMPLATE_GRAPH_H

#include "shared/template/template.h"
#include "shared/template/tree.h"

/* A step as the file has it, and where it says what. */
struct graph_step {
	struct template_step step;
	const struct tree_node *name;
	const struct tree_node *dependencies; /* the list of names, NULL for none */
};

struct graph_source {
	const struct tree *tree;
	struct graph_step *steps;
	size_t count;
};

/*
 * Sets parents and children of every step, reorders them so that parents come first (otherwise as
 * they stood) and hands them to t. Refuses a name used twice, a dependency that is no step, a
 * cycle and more than TEMPLATE_EDGES_MAX dependencies. The source's steps belong to t's memory.
 */
MUST_CHECK bool template_graph(const struct graph_source *source, struct template *t,
        struct template_report *report, struct err *e);

#endif

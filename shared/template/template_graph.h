/* Which step waits for which: names resolved, cycles refused, steps put in order. */
#ifndef SHARED_TEMPLATE_TEMPLATE_GRAPH_H
#define SHARED_TEMPLATE_TEMPLATE_GRAPH_H

#include "shared/template/template.h"
#include "shared/template/tree.h"

/* The steps as the file lists them, and where it says what. */
struct graph_source {
	const struct tree *tree;
	struct template_step *steps;
	const struct tree_node **names;        /* each step's name */
	const struct tree_node **dependencies; /* each step's list of names, NULL for none */
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

/* A tree → a template: members by the table, then the graph of steps. */
#ifndef SHARED_TEMPLATE_TEMPLATE_READ_H
#define SHARED_TEMPLATE_TEMPLATE_READ_H

#include "shared/template/template.h"
#include "shared/template/tree.h"

/* The template copies what it keeps. report may be NULL. */
MUST_CHECK bool template_read(const struct tree *tree, struct template_report *report,
        OWNED struct template **out, struct err *e);

#endif

/* One value of a template file → its place in the struct, as its row of the table says. */
#ifndef SHARED_TEMPLATE_TEMPLATE_VALUE_H
#define SHARED_TEMPLATE_TEMPLATE_VALUE_H

#include "shared/template/arena.h"
#include "shared/template/template_fields.h"
#include "shared/template/tree.h"

/* What reading a template needs at hand. */
struct value_reader {
	const struct tree *tree;
	struct template_report *report; /* may be NULL */
	struct arena *memory;           /* the template's own */
	struct err *e;
};

/* Checks n, which is not null, and copies it to the field's place in base. GROUP, STEPS, PARENTS
 * and SKIP rows are left alone: whoever owns the map reads those. */
MUST_CHECK bool value_read(
        struct value_reader *r, const struct field *f, const struct tree_node *n, void *base);

/* Fills in what an absent member counts as. The table's texts outlive every template. */
void value_set_absent(const struct field *f, void *base);

/* ERR_FORMAT "line L, column C: step timeout_seconds ..."; returns false. */
bool value_refuse(struct value_reader *r, struct tree_place at, const struct field *f,
        const char *fmt, ...) PRINTF(4, 5);
bool value_no_memory(struct value_reader *r); /* ERR_NOMEM; returns false */

#endif

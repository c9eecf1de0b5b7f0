/* JSON text → tree, so that a stored template is read by the rules of its file; and back. */
#ifndef SHARED_TEMPLATE_TREE_JSON_H
#define SHARED_TEMPLATE_TREE_JSON_H

#include "shared/base/json.h"
#include "shared/template/tree.h"

/* json_limits bounds the text, tree_limits the tree. Errors name line and column where they can. */
MUST_CHECK bool tree_from_json(const char *text, size_t len, const struct json_limits *json_limits,
        const struct tree_limits *limits, OWNED struct tree **out, struct err *e);

/* Appends the value as compact JSON: one line, members as they stood. Check buf_ok(out). */
void tree_to_json(const struct tree *t, const struct tree_node *n, struct buf *out);

#endif

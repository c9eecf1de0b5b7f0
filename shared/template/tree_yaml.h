/* YAML text → tree. The only door to libyaml; its event interface, so that nothing recurses. */
#ifndef SHARED_TEMPLATE_TREE_YAML_H
#define SHARED_TEMPLATE_TREE_YAML_H

#include "shared/template/tree.h"

/*
 * One document in UTF-8. Refused besides what libyaml refuses: tags, merge keys, keys that are no
 * scalars, a key twice in a map, U+0000, a second document, an alias inside its own anchor, and
 * whatever passes a limit, counted with every alias expanded.
 */
MUST_CHECK bool tree_from_yaml(const char *text, size_t len, const struct tree_limits *limits,
        OWNED struct tree **out, struct err *e);

#endif

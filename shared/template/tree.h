/*
 * A document as a tree of values that remember their line and column. YAML (tree_yaml.h) and
 * JSON (tree_json.h) both become one, so that templates are read and checked in one place.
 *
 * Nodes stand in document order in one array, so a subtree is a run of it: copying what an alias
 * names is a loop, and so is everything else here. Texts lie in one buffer, each terminated; none
 * contains U+0000. While a tree grows, only indexes may be kept; once finished it never changes.
 */
#ifndef SHARED_TEMPLATE_TREE_H
#define SHARED_TEMPLATE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

enum tree_kind {
	TREE_NULL = 1,
	TREE_FALSE,
	TREE_TRUE,
	TREE_NUMBER, /* the text is its JSON spelling */
	TREE_STRING,
	TREE_LIST,
	TREE_MAP,
};

struct tree_place {
	unsigned line, column; /* both from 1 */
};

struct tree_node {
	enum tree_kind kind;
	uint32_t parent, first, last, next; /* indexes; 0 is none, for the root is nobody's child */
	uint32_t text, key;                 /* where in the text buffer */
	uint32_t text_len, key_len;
	uint32_t children, depth;
	bool keyed; /* it is a member of a map */
	struct tree_place at, key_at;
};

struct tree_limits {
	size_t nodes; /* keys count too */
	size_t text;  /* bytes of all scalars and keys, copies included */
	unsigned depth;
};

struct tree {
	struct tree_node *nodes;
	size_t count, room;
	struct buf text;
	struct tree_limits limits;
	size_t counted, text_counted; /* what the limits are compared with */
	uint32_t open;                /* the container that grows */
	bool opened, finished;
	struct tree_node pending; /* holds the key until its value comes */
};

OWNED struct tree *tree_new(const struct tree_limits *limits); /* NULL: no memory */
void tree_free(struct tree *t);                                /* NULL is fine */

/* Growing: in document order; each fails with ERR_FORMAT, ERR_LIMIT or ERR_NOMEM at the place. */
MUST_CHECK bool tree_add_key(
        struct tree *t, const char *text, size_t len, struct tree_place at, struct err *e);
MUST_CHECK bool tree_add(struct tree *t, enum tree_kind kind, const char *text, size_t len,
        struct tree_place at, struct err *e);
MUST_CHECK bool tree_open(struct tree *t, enum tree_kind kind, struct tree_place at, struct err *e);
void tree_close(struct tree *t);
/* Repeats nodes [from, to), which are one finished value, as the next value. */
MUST_CHECK bool tree_repeat(
        struct tree *t, size_t from, size_t to, struct tree_place at, struct err *e);
/* Is a member name expected next? */
bool tree_wants_key(const struct tree *t);
/* Refuses a member name that occurs twice in a map. */
MUST_CHECK bool tree_check_names(const struct tree *t, struct err *e);

/* Reading. first and next are NULL at the end; text and key of other kinds are "". */
BORROWED const struct tree_node *tree_root(const struct tree *t);
BORROWED const struct tree_node *tree_first(const struct tree *t, const struct tree_node *n);
BORROWED const struct tree_node *tree_next(const struct tree *t, const struct tree_node *n);
BORROWED const char *tree_text(const struct tree *t, const struct tree_node *n);
BORROWED const char *tree_key(const struct tree *t, const struct tree_node *n);

/* Sets e to "line L, column C: ..." and returns false. */
bool tree_fail(struct tree_place at, struct err *e, enum err_code code, const char *fmt, ...)
        PRINTF(4, 5);

AUTO_DEFINE(tree, struct tree, tree_free)

#endif

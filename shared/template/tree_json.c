#include "shared/template/tree_json.h"

enum { JSON_DEPTH_MAX = 64 }; /* json_parse allows no more */

/* Walks the text beside the nodes, which come in document order. */
struct cursor {
	const char *text;
	size_t offset;
	struct tree_place at;
};

static struct tree_place
place(struct cursor *c, size_t offset)
{
	for (; c->offset < offset; c->offset++) {
		char byte = c->text[c->offset];

		c->at.column = byte == '\n' ? 1 : c->at.column + ((byte & 0xC0) != 0x80);
		c->at.line += byte == '\n';
	}
	return c->at;
}

static enum tree_kind
kind_of(const struct json_node *n)
{
	switch (json_kind(n)) {
	case JSON_FALSE:
		return TREE_FALSE;
	case JSON_TRUE:
		return TREE_TRUE;
	case JSON_NUMBER:
		return TREE_NUMBER;
	case JSON_STRING:
		return TREE_STRING;
	case JSON_ARRAY:
		return TREE_LIST;
	case JSON_OBJECT:
		return TREE_MAP;
	case JSON_NULL:
		break;
	}
	return TREE_NULL;
}

struct walk {
	const struct json *doc;
	struct cursor cursor;
	struct tree *tree;
	struct buf scratch;                           /* an unescaped string */
	const struct json_node *path[JSON_DEPTH_MAX]; /* the containers around the node */
	size_t depth;
};

static bool
read_string(struct walk *w, const struct json_node *n, struct err *e)
{
	buf_clear(&w->scratch);
	(void)json_string(w->doc, n, &w->scratch);
	return buf_ok(&w->scratch) || err_set(e, ERR_NOMEM, "out of memory for a template");
}

/* Adds n with its name; a container is left open. */
static bool
add(struct walk *w, const struct json_node *n, struct err *e)
{
	const struct json_node *name = json_name(w->doc, n);
	enum tree_kind kind = kind_of(n);
	const char *text = "";
	size_t len = 0;
	struct tree_place at;

	if (name != NULL) {
		at = place(&w->cursor, json_offset(name));
		if (!read_string(w, name, e) ||
		        !tree_add_key(w->tree, w->scratch.data, w->scratch.len, at, e))
			return false;
	}
	at = place(&w->cursor, json_offset(n));
	if (kind == TREE_LIST || kind == TREE_MAP)
		return tree_open(w->tree, kind, at, e);
	if (kind == TREE_STRING) {
		if (!read_string(w, n, e))
			return false;
		text = w->scratch.data;
		len = w->scratch.len;
	} else if (kind == TREE_NUMBER) {
		text = json_raw(w->doc, n, &len);
	}
	return tree_add(w->tree, kind, text, len, at, e);
}

/* The next node in document order, NULL at the end; closes the containers that end before it. */
static const struct json_node *
advance(struct walk *w, const struct json_node *n)
{
	const struct json_node *next = json_first(w->doc, n);

	if (next != NULL) {
		w->path[w->depth++] = n;
		return next;
	}
	if (kind_of(n) >= TREE_LIST)
		tree_close(w->tree);
	while (w->depth > 0 && (next = json_next(w->doc, n)) == NULL) {
		n = w->path[--w->depth];
		tree_close(w->tree);
	}
	return next;
}

static bool
add_all(struct walk *w, struct err *e)
{
	for (const struct json_node *n = json_root(w->doc); n != NULL; n = advance(w, n))
		if (!add(w, n, e))
			return false;
	return true;
}

bool
tree_from_json(const char *text, size_t len, const struct json_limits *json_limits,
        const struct tree_limits *limits, OWNED struct tree **out, struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	AUTO(tree) struct tree *tree = tree_new(limits);
	struct walk w = {
	        .cursor = {.text = text, .at = {1, 1}},
                  .scratch = BUF(json_limits->bytes)
        };
	bool good;

	if (tree == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	if (!json_parse(text, len, json_limits, &doc, e))
		return false;
	w.doc = doc;
	w.tree = tree;
	good = add_all(&w, e);
	buf_free(&w.scratch);
	if (!good)
		return false;
	*out = TAKE(tree);
	return true;
}

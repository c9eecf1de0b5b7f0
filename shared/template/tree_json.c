#include "shared/template/tree_json.h"

#include "shared/base/json_out.h"

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
	struct buf scratch;                       /* an unescaped string */
	const struct json_node *path[JSON_DEPTH]; /* the containers around the node */
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

/* Writes a value with its name; a container is left open. */
static void
put(struct json_out *w, const struct tree *t, const struct tree_node *n, const char *key)
{

	switch (n->kind) {
	case TREE_NULL:
		json_put_null(w, key);
		break;
	case TREE_FALSE:
	case TREE_TRUE:
		json_put_bool(w, key, n->kind == TREE_TRUE);
		break;
	case TREE_NUMBER:
		json_put_raw(w, key, tree_text(t, n), n->text_len);
		break;
	case TREE_STRING:
		json_put_bytes(w, key, tree_text(t, n), n->text_len);
		break;
	case TREE_LIST:
		json_open(w, key, '[');
		break;
	case TREE_MAP:
		json_open(w, key, '{');
		break;
	}
}

static void
close_container(struct json_out *w, const struct tree_node *n)
{
	json_close(w, n->kind == TREE_MAP ? '}' : ']');
}

/* The next node below top in document order, NULL at the end; closes what ends before it. */
static const struct tree_node *
step_on(struct json_out *w, const struct tree *t, const struct tree_node *top,
        const struct tree_node *n)
{
	if (n->first != 0)
		return tree_first(t, n);
	if (n->kind >= TREE_LIST)
		close_container(w, n);
	while (n != top && n->next == 0) {
		n = &t->nodes[n->parent];
		close_container(w, n);
	}
	return n == top ? NULL : tree_next(t, n);
}

void
tree_to_json(const struct tree *t, const struct tree_node *top, struct buf *out)
{
	struct json_out w = json_out_on(out);

	for (const struct tree_node *n = top; n != NULL; n = step_on(&w, t, top, n))
		put(&w, t, n, n != top && n->keyed ? tree_key(t, n) : NULL);
}

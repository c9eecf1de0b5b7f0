#include "shared/template/tree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/template/show.h"

enum { FIRST_ROOM = 64 };

OWNED struct tree *
tree_new(const struct tree_limits *limits)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->limits = *limits;
	/* Each text is stored once with its NUL, so the ceiling is never what stops the buffer. */
	t->text = BUF(limits->text + limits->nodes + 2);
	buf_add(&t->text, "", 1); /* offset 0 is the empty text */
	if (!buf_ok(&t->text)) {
		tree_free(t);
		return NULL;
	}
	return t;
}

void
tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	buf_free(&t->text);
	free(t->nodes);
	free(t);
}

bool
tree_fail(struct tree_place at, struct err *e, enum err_code code, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, code, "line %u, column %u: %s", at.line, at.column, text);
}

static bool
no_memory(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory for a template");
}

/* Counts what is about to be added, so that copies cost what originals cost. */
static bool
count(struct tree *t, size_t len, unsigned depth, struct tree_place at, struct err *e)
{
	if (++t->counted > t->limits.nodes)
		return tree_fail(
		        at, e, ERR_LIMIT, "more than %zu keys and values", t->limits.nodes);
	t->text_counted += len;
	if (t->text_counted > t->limits.text)
		return tree_fail(at, e, ERR_LIMIT, "more than %zu bytes of text", t->limits.text);
	if (depth > t->limits.depth)
		return tree_fail(at, e, ERR_LIMIT, "nested deeper than %u", t->limits.depth);
	return true;
}

static bool
store_text(struct tree *t, const char *text, size_t len, struct tree_place at, uint32_t *offset,
        struct err *e)
{
	if (len > 0 && memchr(text, '\0', len) != NULL)
		return tree_fail(at, e, ERR_FORMAT, "a NUL character is not allowed in a text");
	*offset = 0;
	if (len == 0)
		return true;
	*offset = (uint32_t)t->text.len;
	buf_add(&t->text, text, len);
	buf_add(&t->text, "", 1);
	return buf_ok(&t->text) || no_memory(e);
}

bool
tree_wants_key(const struct tree *t)
{
	return t->opened && t->nodes[t->open].kind == TREE_MAP && !t->pending.keyed;
}

bool
tree_add_key(struct tree *t, const char *text, size_t len, struct tree_place at, struct err *e)
{
	assert(tree_wants_key(t));
	if (!count(t, len, 0, at, e) || !store_text(t, text, len, at, &t->pending.key, e))
		return false;
	t->pending.key_len = (uint32_t)len;
	t->pending.key_at = at;
	t->pending.keyed = true;
	return true;
}

static bool
make_room(struct tree *t, struct err *e)
{
	size_t room = t->room == 0 ? FIRST_ROOM : t->room * 2;
	struct tree_node *nodes;

	if (t->count < t->room)
		return true;
	nodes = reallocarray(t->nodes, room, sizeof(*nodes));
	if (nodes == NULL)
		return no_memory(e);
	t->nodes = nodes;
	t->room = room;
	return true;
}

/* Appends n under the open container, with the pending key. */
static bool
append(struct tree *t, struct tree_node n, struct err *e)
{
	uint32_t index = (uint32_t)t->count;

	assert(!t->finished && !tree_wants_key(t));
	if (!make_room(t, e))
		return false;
	n.key = t->pending.key;
	n.key_len = t->pending.key_len;
	n.key_at = t->pending.key_at;
	n.keyed = t->pending.keyed;
	t->pending = (struct tree_node){0};
	if (t->opened) {
		struct tree_node *parent = &t->nodes[t->open];

		n.parent = t->open;
		if (parent->children++ == 0)
			parent->first = index;
		else
			t->nodes[parent->last].next = index;
		parent->last = index;
	}
	t->nodes[t->count++] = n;
	return true;
}

static unsigned
next_depth(const struct tree *t)
{
	return t->opened ? t->nodes[t->open].depth + 1 : 1;
}

bool
tree_add(struct tree *t, enum tree_kind kind, const char *text, size_t len, struct tree_place at,
        struct err *e)
{
	/* A scalar is as deep as its container: only containers nest. */
	struct tree_node n = {.kind = kind, .at = at, .depth = next_depth(t) - 1};

	if (!count(t, len, n.depth, at, e) || !store_text(t, text, len, at, &n.text, e))
		return false;
	n.text_len = (uint32_t)len;
	if (!append(t, n, e))
		return false;
	t->finished = !t->opened;
	return true;
}

bool
tree_open(struct tree *t, enum tree_kind kind, struct tree_place at, struct err *e)
{
	struct tree_node n = {.kind = kind, .at = at, .depth = next_depth(t)};

	if (!count(t, 0, n.depth, at, e) || !append(t, n, e))
		return false;
	t->open = (uint32_t)t->count - 1;
	t->opened = true;
	return true;
}

void
tree_close(struct tree *t)
{
	assert(t->opened && !t->pending.keyed);
	if (t->open == 0) {
		t->opened = false;
		t->finished = true;
	}
	t->open = t->nodes[t->open].parent;
}

/* Counts n and its key; the key of what an alias stands for was counted where the alias stands. */
static bool
count_copy(struct tree *t, const struct tree_node *n, bool top, struct tree_place at, struct err *e)
{
	return (top || !n->keyed || count(t, n->key_len, 0, at, e)) &&
	       count(t, n->text_len, n->depth, at, e);
}

static uint32_t
shifted(uint32_t index, uint32_t shift)
{
	return index == 0 ? 0 : index + shift;
}

bool
tree_repeat(struct tree *t, size_t from, size_t to, struct tree_place at, struct err *e)
{
	uint32_t shift = (uint32_t)(t->count - from);
	struct tree_node top = t->nodes[from];
	uint32_t deeper = t->nodes[t->open].depth + (top.kind >= TREE_LIST) - top.depth;

	assert(from < to && to <= t->count && t->opened);
	for (size_t i = from; i < to; i++) {
		struct tree_node n = t->nodes[i];
		bool good;

		n.depth += deeper; /* wraps around where the alias is nearer to the root */
		if (!count_copy(t, &n, i == from, at, e))
			return false;
		n.first = shifted(n.first, shift);
		n.last = shifted(n.last, shift);
		n.next = i == from ? 0 : shifted(n.next, shift);
		n.parent += shift;
		good = i == from ? append(t, n, e) : make_room(t, e);
		if (!good)
			return false;
		if (i > from)
			t->nodes[t->count++] = n;
	}
	return true;
}

BORROWED const struct tree_node *
tree_root(const struct tree *t)
{
	assert(t->finished);
	return &t->nodes[0];
}

BORROWED const struct tree_node *
tree_first(const struct tree *t, const struct tree_node *n)
{
	return n->first != 0 ? &t->nodes[n->first] : NULL;
}

BORROWED const struct tree_node *
tree_next(const struct tree *t, const struct tree_node *n)
{
	return n->next != 0 ? &t->nodes[n->next] : NULL;
}

BORROWED const char *
tree_text(const struct tree *t, const struct tree_node *n)
{
	return t->text.data + n->text;
}

BORROWED const char *
tree_key(const struct tree *t, const struct tree_node *n)
{
	return t->text.data + n->key;
}

struct by_name {
	const struct tree *tree;
};

/* Members of one map side by side, equal names in document order. */
static int
by_map_and_name(const void *a, const void *b, void *arg)
{
	const struct tree *t = ((const struct by_name *)arg)->tree;
	const struct tree_node *x = &t->nodes[*(const uint32_t *)a];
	const struct tree_node *y = &t->nodes[*(const uint32_t *)b];
	int order = (x->parent > y->parent) - (x->parent < y->parent);

	if (order == 0)
		order = strcmp(tree_key(t, x), tree_key(t, y));
	return order != 0 ? order : (x > y) - (x < y);
}

bool
tree_check_names(const struct tree *t, struct err *e)
{
	uint32_t *sorted = calloc(t->count, sizeof(*sorted));
	const struct tree_node *twice = NULL;
	const struct tree_node *first = NULL;
	struct by_name sorting = {t};
	size_t n = 0;

	if (sorted == NULL)
		return no_memory(e);
	for (size_t i = 0; i < t->count; i++)
		if (t->nodes[i].keyed)
			sorted[n++] = (uint32_t)i;
	qsort_r(sorted, n, sizeof(*sorted), by_map_and_name, &sorting);
	for (size_t i = 1; i < n; i++) {
		const struct tree_node *a = &t->nodes[sorted[i - 1]];
		const struct tree_node *b = &t->nodes[sorted[i]];

		if (a->parent != b->parent || strcmp(tree_key(t, a), tree_key(t, b)) != 0)
			continue;
		if (twice == NULL || b < twice) {
			twice = b;
			first = a;
		}
	}
	free(sorted);
	return twice == NULL ||
	       tree_fail(twice->key_at, e, ERR_FORMAT, "'%s' is in this map already, on line %u",
	               show_text(tree_key(t, twice)).text, first->key_at.line);
}

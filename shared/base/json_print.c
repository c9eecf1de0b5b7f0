/* A parsed document as text again: its own tokens, or a canonical form for hashing. */
#include <stdlib.h>

#include "shared/base/json.h"
#include "shared/base/json_out.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void
json_compact(const struct json *doc, const struct json_node *n, struct buf *out)
{
	size_t len, start = 0;
	const char *text = json_raw(doc, n, &len);
	bool inside = false; /* a string */

	for (size_t at = 0; at < len; at++) {
		if (inside && text[at] == '\\')
			at++;
		else if (text[at] == '"')
			inside = !inside;
		else if (!inside && is_space(text[at])) {
			buf_add(out, text + start, at - start);
			start = at + 1;
		}
	}
	buf_add(out, text + start, len - start);
}

/* An object or array that is being written. */
struct level {
	const struct json_node **children; /* in the order they are written */
	size_t count, at;
	bool object;
};

struct writer {
	const struct json *doc;
	struct buf *out;
	struct buf scratch; /* one unescaped string */
	struct level stack[JSON_DEPTH];
	unsigned depth;
};

static int
by_name(const void *a, const void *b, void *writer)
{
	const struct json_node *const *left = a;
	const struct json_node *const *right = b;
	const struct json *doc = ((struct writer *)writer)->doc;

	return json_text_compare(json_text_of(doc, json_name(doc, *left)),
	        json_text_of(doc, json_name(doc, *right)));
}

static void
put_text(struct writer *w, const struct json_node *n)
{
	buf_clear(&w->scratch);
	(void)json_string(w->doc, n, &w->scratch);
	w->out->failed |= !buf_ok(&w->scratch);
	buf_char(w->out, '"');
	json_escape(w->out, w->scratch.data, w->scratch.len);
	buf_char(w->out, '"');
}

static void
open_level(struct writer *w, const struct json_node *n)
{
	struct level *level = &w->stack[w->depth];
	size_t count = json_count(n), at = 0;

	*level = (struct level){.count = count, .object = json_kind(n) == JSON_OBJECT};
	level->children = calloc(count + 1, sizeof(const struct json_node *));
	if (level->children == NULL) {
		w->out->failed = true;
		return;
	}
	for (const struct json_node *v = json_first(w->doc, n); v != NULL; v = json_next(w->doc, v))
		level->children[at++] = v;
	if (level->object)
		qsort_r(level->children, count, sizeof(const struct json_node *), by_name, w);
	buf_char(w->out, level->object ? '{' : '[');
	w->depth++;
}

static void
put(struct writer *w, const struct json_node *n)
{
	size_t len;
	const char *raw = json_raw(w->doc, n, &len);

	if (json_kind(n) == JSON_OBJECT || json_kind(n) == JSON_ARRAY)
		open_level(w, n);
	else if (json_kind(n) == JSON_STRING)
		put_text(w, n);
	else
		buf_add(w->out, raw, len);
}

/* The next child of the innermost level, or its end. */
static void
step(struct writer *w)
{
	struct level *level = &w->stack[w->depth - 1];
	const struct json_node *child;

	if (level->at == level->count || !buf_ok(w->out)) {
		buf_char(w->out, level->object ? '}' : ']');
		free(level->children);
		w->depth--;
		return;
	}
	if (level->at > 0)
		buf_char(w->out, ',');
	child = level->children[level->at++];
	if (level->object) {
		put_text(w, json_name(w->doc, child));
		buf_char(w->out, ':');
	}
	put(w, child);
}

void
json_canonical(const struct json *doc, const struct json_node *n, struct buf *out)
{
	struct writer w = {.doc = doc, .out = out, .scratch = BUF(SIZE_MAX / 2)};

	put(&w, n);
	while (w.depth > 0)
		step(&w);
	buf_free(&w.scratch);
}

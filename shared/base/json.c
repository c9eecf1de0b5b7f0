/*
 * A document is an array of nodes in the order of the text: an object's or array's children
 * follow it, a member's name stands directly before its value. `next` leads from a child to its
 * next sibling, so walking never looks at the text again.
 *
 * The parser keeps the open objects and arrays on a stack of its own, JSON_DEPTH deep. A step
 * deals with one child of the innermost one, or closes it; each byte is looked at once. Every
 * limit is checked before the thing it limits is made.
 *
 * Two members of one name: most objects are small, so up to FEW earlier names are compared one by
 * one. From then on the object's names go to a keyed hash table (json_names.h), because the
 * comparison would be quadratic in what a stranger sends (LM10).
 */
#include "shared/base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json_names.h"

enum { FEW = 8, FIRST_NODES = 32 };

const struct json_limits json_limits_default = {.bytes = MIB(1), .nodes = 10000, .depth = 32};

struct json_node {
	uint32_t offset, len; /* of the raw text; a string's with its quotes */
	uint32_t next;        /* index of the next sibling; 0: this is the last child */
	uint32_t count;       /* children */
	uint8_t kind;
	bool escaped; /* a string with a backslash in it */
	bool member;  /* the node before is its name */
};

static_assert(sizeof(struct json_node) <= 24, "a node is what each value of a stranger costs us");

struct json {
	const char *text;
	struct json_node *nodes;
	size_t count, cap;
};

struct level {
	uint32_t node; /* the open object or array */
	uint32_t last; /* its latest child, 0 before the first */
};

struct parser {
	const char *text;
	size_t len, at;
	const struct json_limits *limits;
	struct json *doc;
	struct json_names names;
	struct level stack[JSON_DEPTH];
	unsigned depth, depth_max;
	size_t values;
	struct err *e;
};

static bool
refuse(struct parser *p, enum err_code code, const char *why)
{
	(void)err_set(p->e, code, "byte %zu: %s", p->at, why);
	return false;
}

static bool
refuse_nomem(struct parser *p)
{
	(void)err_set(p->e, ERR_NOMEM, "out of memory for a JSON document");
	return false;
}

static void
skip_space(struct parser *p)
{
	while (p->at < p->len && (p->text[p->at] == ' ' || p->text[p->at] == '\t' ||
	                                 p->text[p->at] == '\n' || p->text[p->at] == '\r'))
		p->at++;
}

/* The next byte, or NUL at the end: a NUL is nowhere legal, so both are refused alike. */
static char
peek(const struct parser *p)
{
	if (p->at == p->len)
		return '\0';
	return p->text[p->at];
}

/* Appends a node that begins here; its index is doc->count - 1 then. */
static bool
append(struct parser *p, enum json_kind kind, size_t len)
{
	struct json *doc = p->doc;
	size_t cap = doc->cap == 0 ? FIRST_NODES : doc->cap * 2;
	struct json_node *nodes;

	if (doc->count == doc->cap) {
		nodes = realloc(doc->nodes, cap * sizeof(*nodes));
		if (nodes == NULL)
			return refuse_nomem(p);
		doc->nodes = nodes;
		doc->cap = cap;
	}
	doc->nodes[doc->count++] = (struct json_node){
	        .offset = (uint32_t)p->at, .len = (uint32_t)len, .kind = (uint8_t)kind};
	return true;
}

/* Appends a value and makes it the latest child of the innermost object or array. */
static bool
append_value(struct parser *p, enum json_kind kind, size_t len)
{
	struct json_node *nodes;
	struct level *level;
	uint32_t self;

	if (p->values++ == p->limits->nodes)
		return refuse(p, ERR_LIMIT, "more values than the limit");
	if (!append(p, kind, len))
		return false;
	if (p->depth == 0)
		return true;
	nodes = p->doc->nodes;
	level = &p->stack[p->depth - 1];
	self = (uint32_t)p->doc->count - 1;
	if (level->last != 0)
		nodes[level->last].next = self;
	level->last = self;
	nodes[level->node].count++;
	nodes[self].member = nodes[level->node].kind == JSON_OBJECT;
	return true;
}

static bool
open_container(struct parser *p, enum json_kind kind)
{
	if (p->depth == p->depth_max)
		return refuse(p, ERR_LIMIT, "nested deeper than the limit");
	if (!append_value(p, kind, 0))
		return false;
	p->stack[p->depth++] = (struct level){.node = (uint32_t)p->doc->count - 1};
	p->at++;
	return true;
}

static bool
literal(struct parser *p, enum json_kind kind, const char *word)
{
	size_t len = strlen(word);

	if (p->len - p->at < len || memcmp(p->text + p->at, word, len) != 0)
		return refuse(p, ERR_FORMAT, "a value is expected");
	if (!append_value(p, kind, len))
		return false;
	p->at += len;
	return true;
}

static bool
number(struct parser *p)
{
	size_t used;
	const char *why = json_number_scan(p->text + p->at, p->len - p->at, &used);

	if (why == NULL && !append_value(p, JSON_NUMBER, used))
		return false;
	p->at += used;
	return why == NULL || refuse(p, ERR_FORMAT, why);
}

static bool
string(struct parser *p)
{
	struct json_text found;
	size_t used;
	const char *why = json_text_scan(p->text + p->at, p->len - p->at, &used, &found);

	if (why == NULL && !append_value(p, JSON_STRING, used))
		return false;
	if (why == NULL)
		p->doc->nodes[p->doc->count - 1].escaped = found.escaped;
	p->at += used;
	return why == NULL || refuse(p, ERR_FORMAT, why);
}

static bool
value(struct parser *p)
{
	char c = peek(p);

	if (c == '-' || (c >= '0' && c <= '9'))
		return number(p);
	switch (c) {
	case '{':
		return open_container(p, JSON_OBJECT);
	case '[':
		return open_container(p, JSON_ARRAY);
	case '"':
		return string(p);
	case 't':
		return literal(p, JSON_TRUE, "true");
	case 'f':
		return literal(p, JSON_FALSE, "false");
	case 'n':
		return literal(p, JSON_NULL, "null");
	default:
		return refuse(p, ERR_FORMAT, "a value is expected");
	}
}

/* Refuses a name that an earlier member of the same object has. */
static bool
name_is_new(struct parser *p, struct json_text name)
{
	uint32_t owner = p->stack[p->depth - 1].node;
	const struct json_node *object = &p->doc->nodes[owner];
	const struct json_node *v = json_first(p->doc, object);
	enum json_names_answer answer = NAMES_NEW;

	if (object->count < FEW) {
		for (; v != NULL; v = json_next(p->doc, v))
			if (json_text_same(json_text_of(p->doc, v - 1), name))
				return refuse(p, ERR_FORMAT, "a duplicate member name");
		return true;
	}
	for (; object->count == FEW && v != NULL && answer == NAMES_NEW; v = json_next(p->doc, v))
		answer = json_names_add(&p->names, owner, json_text_of(p->doc, v - 1));
	if (answer == NAMES_NEW)
		answer = json_names_add(&p->names, owner, name);
	if (answer == NAMES_TWICE)
		return refuse(p, ERR_FORMAT, "a duplicate member name");
	return answer == NAMES_NEW || refuse_nomem(p);
}

/* "name": up to the value. */
static bool
member(struct parser *p)
{
	struct json_text name;
	const char *why;
	size_t used;

	if (peek(p) != '"')
		return refuse(p, ERR_FORMAT, "a member name is expected");
	why = json_text_scan(p->text + p->at, p->len - p->at, &used, &name);
	if (why != NULL) {
		p->at += used;
		return refuse(p, ERR_FORMAT, why);
	}
	if (!name_is_new(p, name) || !append(p, JSON_STRING, used))
		return false;
	p->doc->nodes[p->doc->count - 1].escaped = name.escaped;
	p->at += used;
	skip_space(p);
	if (peek(p) != ':')
		return refuse(p, ERR_FORMAT, "a colon is expected");
	p->at++;
	skip_space(p);
	return true;
}

/* One child of the innermost object or array, or its end. */
static bool
step(struct parser *p)
{
	struct json_node *parent = &p->doc->nodes[p->stack[p->depth - 1].node];
	bool object = parent->kind == JSON_OBJECT;

	skip_space(p);
	if (peek(p) == (object ? '}' : ']')) {
		p->at++;
		parent->len = (uint32_t)(p->at - parent->offset);
		p->depth--;
		return true;
	}
	if (parent->count > 0) {
		if (peek(p) != ',')
			return refuse(p, ERR_FORMAT,
			        object ? "a comma or } is expected" : "a comma or ] is expected");
		p->at++;
		skip_space(p);
	}
	if (p->limits->members != 0 && parent->count == p->limits->members)
		return refuse(p, ERR_LIMIT, "more members or items than the limit");
	return (!object || member(p)) && value(p);
}

static bool
parse(struct parser *p)
{
	skip_space(p);
	if (!value(p))
		return false;
	while (p->depth > 0)
		if (!step(p))
			return false;
	skip_space(p);
	return p->at == p->len || refuse(p, ERR_FORMAT, "something follows the document");
}

bool
json_parse(const char *text, size_t len, const struct json_limits *limits, OWNED struct json **out,
        struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	struct parser p = {.text = text, .len = len, .limits = limits, .e = e};
	bool good;

	if (len > limits->bytes || len >= UINT32_MAX)
		return err_set(e, ERR_LIMIT, "%zu bytes; the limit is %zu", len, limits->bytes);
	doc = calloc(1, sizeof(*doc));
	if (doc == NULL)
		return refuse_nomem(&p);
	doc->text = text;
	p.doc = doc;
	p.depth_max = limits->depth < JSON_DEPTH ? limits->depth : JSON_DEPTH;
	good = parse(&p);
	json_names_free(&p.names);
	if (!good)
		return false;
	*out = TAKE(doc);
	return true;
}

void
json_free(struct json *doc)
{
	if (doc == NULL)
		return;
	free(doc->nodes);
	free(doc);
}

const struct json_node *
json_root(const struct json *doc)
{
	return doc->nodes;
}

enum json_kind
json_kind(const struct json_node *n)
{
	return (enum json_kind)n->kind;
}

size_t
json_count(const struct json_node *n)
{
	return n->count;
}

size_t
json_offset(const struct json_node *n)
{
	return n->offset;
}

const struct json_node *
json_first(const struct json *doc, const struct json_node *parent)
{
	(void)doc;
	if (parent == NULL || parent->count == 0)
		return NULL;
	return parent + (parent->kind == JSON_OBJECT ? 2 : 1);
}

const struct json_node *
json_next(const struct json *doc, const struct json_node *child)
{
	return child->next == 0 ? NULL : &doc->nodes[child->next];
}

const struct json_node *
json_name(const struct json *doc, const struct json_node *value)
{
	(void)doc;
	return value->member ? value - 1 : NULL;
}

const char *
json_raw(const struct json *doc, const struct json_node *n, size_t *len)
{
	*len = n->len;
	return doc->text + n->offset;
}

struct json_text
json_text_of(const struct json *doc, const struct json_node *n)
{
	return (struct json_text){
	        .raw = doc->text + n->offset + 1, .len = n->len - 2, .escaped = n->escaped};
}

/*
 * libyaml tells a document as a flat run of events; each either adds to the tree or is refused.
 *
 *   STREAM-START, DOCUMENT-START, then one value, DOCUMENT-END, STREAM-END.
 *   value = SCALAR | ALIAS | MAPPING-START (key value)* MAPPING-END | SEQUENCE-START value* ...-END
 *
 * An anchor names a run of nodes of the tree; an alias appends that run again (tree_repeat). The
 * copies count against the same limits as if they had been typed, which is what stops a document
 * of ten lines from becoming a billion nodes; their texts are shared, so memory stays small. An
 * anchor may be set anew: an alias means the last one before it (YAML 1.2, section 7.1).
 *
 * libyaml reads tokens only as events ask for them, so a refusal ends the work at once.
 */
#include "shared/template/tree_yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "shared/template/scalar.h"
#include "shared/template/show.h"
#include "shared/template/template.h"

struct anchor {
	char *name;
	size_t from, to; /* to is 0 while the value is still open */
};

struct builder {
	struct tree *tree;
	struct anchor anchors[TEMPLATE_ANCHORS_MAX];
	size_t anchor_count;
	unsigned documents;
	bool ended;
};

static void
builder_free(struct builder *b)
{
	for (size_t i = 0; i < b->anchor_count; i++)
		free(b->anchors[i].name);
	tree_free(b->tree);
	free(b);
}

AUTO_DEFINE(builder, struct builder, builder_free)

static struct tree_place
place(yaml_mark_t mark)
{
	return (struct tree_place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static struct anchor *
find_anchor(struct builder *b, const char *name)
{
	for (size_t i = 0; i < b->anchor_count; i++)
		if (strcmp(b->anchors[i].name, name) == 0)
			return &b->anchors[i];
	return NULL;
}

/* Notes that the node about to be added, the count-th, carries this name. */
static bool
set_anchor(struct builder *b, const yaml_char_t *name, struct tree_place at, struct err *e)
{
	struct anchor *a;

	if (name == NULL)
		return true;
	a = find_anchor(b, (const char *)name);
	if (a == NULL) {
		if (b->anchor_count == COUNT(b->anchors))
			return tree_fail(
			        at, e, ERR_LIMIT, "more than %zu anchors", COUNT(b->anchors));
		a = &b->anchors[b->anchor_count];
		a->name = strdup((const char *)name);
		if (a->name == NULL)
			return err_set(e, ERR_NOMEM, "out of memory for a template");
		b->anchor_count++;
	}
	a->from = b->tree->count;
	a->to = 0;
	return true;
}

/* The value that began at node from is complete. */
static void
finish_anchors(struct builder *b, size_t from)
{
	for (size_t i = 0; i < b->anchor_count; i++)
		if (b->anchors[i].from == from && b->anchors[i].to == 0)
			b->anchors[i].to = b->tree->count;
}

static bool
add_key(struct builder *b, const yaml_event_t *event, struct tree_place at, struct err *e)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (event->data.scalar.anchor != NULL)
		return tree_fail(at, e, ERR_FORMAT, "an anchor on a key is not supported");
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(text, "<<") == 0)
		return tree_fail(at, e, ERR_FORMAT,
		        "merge keys (<<) are not part of YAML 1.2; an alias can stand for a whole "
		        "value");
	return tree_add_key(b->tree, text, len, at, e);
}

static bool
add_scalar(struct builder *b, const yaml_event_t *event, struct tree_place at, struct err *e)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	enum tree_kind kind = TREE_STRING;
	AUTO(buf) struct buf number = BUF(TEMPLATE_BYTES_MAX + 64);
	size_t from = b->tree->count;

	if (event->data.scalar.tag != NULL)
		return tree_fail(at, e, ERR_FORMAT, "tags (%s) are not supported",
		        show_text((const char *)event->data.scalar.tag).text);
	if (tree_wants_key(b->tree))
		return add_key(b, event, at, e);
	if (!set_anchor(b, event->data.scalar.anchor, at, e))
		return false;
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	        !scalar_resolve(text, len, &kind, &number))
		return tree_fail(at, e, ERR_FORMAT,
		        "the number %s has no JSON form; quote it if it is a text",
		        show_text(text).text);
	if (!buf_ok(&number))
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	if (kind == TREE_NUMBER) {
		text = number.data;
		len = number.len;
	} else if (kind != TREE_STRING) {
		len = 0;
	}
	if (!tree_add(b->tree, kind, text, len, at, e))
		return false;
	finish_anchors(b, from);
	return true;
}

static bool
add_alias(struct builder *b, const yaml_event_t *event, struct tree_place at, struct err *e)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *a = find_anchor(b, name);

	if (tree_wants_key(b->tree))
		return tree_fail(at, e, ERR_FORMAT, "a key must be a plain word, not an alias");
	if (a == NULL)
		return tree_fail(at, e, ERR_FORMAT, "no anchor '&%s' stands before this alias",
		        show_text(name).text);
	if (a->to == 0)
		return tree_fail(at, e, ERR_FORMAT, "alias '*%s' stands inside its own anchor",
		        show_text(name).text);
	return tree_repeat(b->tree, a->from, a->to, at, e);
}

struct opening {
	enum tree_kind kind;
	const yaml_char_t *anchor, *tag;
};

static bool
open_value(struct builder *b, struct opening o, struct tree_place at, struct err *e)
{
	if (o.tag != NULL)
		return tree_fail(at, e, ERR_FORMAT, "tags (%s) are not supported",
		        show_text((const char *)o.tag).text);
	if (tree_wants_key(b->tree))
		return tree_fail(at, e, ERR_FORMAT, "a key must be a plain word, not a %s",
		        o.kind == TREE_MAP ? "map" : "list");
	return set_anchor(b, o.anchor, at, e) && tree_open(b->tree, o.kind, at, e);
}

static bool
close_value(struct builder *b)
{
	uint32_t from = b->tree->open;

	tree_close(b->tree);
	finish_anchors(b, from);
	return true;
}

static bool
handle(struct builder *b, const yaml_event_t *event, struct err *e)
{
	struct tree_place at = place(event->start_mark);

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return ++b->documents == 1 ||
		       tree_fail(at, e, ERR_FORMAT,
		               "a second document begins; one file is one template");
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event, at, e);
	case YAML_ALIAS_EVENT:
		return add_alias(b, event, at, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_value(b,
		        (struct opening){TREE_LIST, event->data.sequence_start.anchor,
		                event->data.sequence_start.tag},
		        at, e);
	case YAML_MAPPING_START_EVENT:
		return open_value(b,
		        (struct opening){TREE_MAP, event->data.mapping_start.anchor,
		                event->data.mapping_start.tag},
		        at, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_value(b);
	case YAML_STREAM_END_EVENT:
		b->ended = true;
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return true;
	}
	return err_set(e, ERR_INTERNAL, "libyaml told an unknown event");
}

/* libyaml's own refusal. Bad bytes come with an offset in place of a line. */
static bool
syntax_error(const yaml_parser_t *parser, const char *text, struct err *e)
{
	const char *problem = parser->problem != NULL ? parser->problem : "this is not YAML";
	struct tree_place at = place(parser->problem_mark);

	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	if (parser->error == YAML_READER_ERROR) {
		at = (struct tree_place){1, 1};
		for (size_t i = 0; i < parser->problem_offset; i++) {
			at.column = text[i] == '\n' ? 1 : at.column + ((text[i] & 0xC0) != 0x80);
			at.line += text[i] == '\n';
		}
	}
	if (parser->context != NULL)
		return tree_fail(at, e, ERR_FORMAT, "%s %s", parser->context, problem);
	return tree_fail(at, e, ERR_FORMAT, "%s", problem);
}

static bool
read_events(struct builder *b, yaml_parser_t *parser, const char *text, struct err *e)
{
	bool good = true;

	while (good && !b->ended) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return syntax_error(parser, text, e);
		good = handle(b, &event, e);
		yaml_event_delete(&event);
	}
	return good;
}

bool
tree_from_yaml(const char *text, size_t len, const struct tree_limits *limits,
        OWNED struct tree **out, struct err *e)
{
	static const char mark[] = "\xEF\xBB\xBF"; /* which editors put in front of UTF-8 */
	AUTO(builder) struct builder *b = calloc(1, sizeof(*b));
	yaml_parser_t parser;
	bool good;

	if (len >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
		text += strlen(mark);
		len -= strlen(mark);
	}
	if (b == NULL || (b->tree = tree_new(limits)) == NULL || !yaml_parser_initialize(&parser))
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	good = read_events(b, &parser, text, e);
	yaml_parser_delete(&parser);
	if (!good)
		return false;
	if (!b->tree->finished)
		return tree_fail(
		        (struct tree_place){1, 1}, e, ERR_FORMAT, "the text holds no template");
	if (!tree_check_names(b->tree, e))
		return false;
	*out = TAKE(b->tree);
	return true;
}

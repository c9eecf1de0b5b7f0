#include "shared/template/template_value.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/suggest.h"
#include "shared/template/show.h"
#include "shared/template/tree_json.h"

/* Above anything the limits of a tree allow, so that a full buffer always means no memory. */
#define SCRATCH_MAX MIB(32)

bool
value_no_memory(struct value_reader *r)
{
	return err_set(r->e, ERR_NOMEM, "out of memory for a template");
}

bool
value_refuse(
        struct value_reader *r, struct tree_place at, const struct field *f, const char *fmt, ...)
{
	char text[sizeof(r->e->text)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return tree_fail(
	        at, r->e, ERR_FORMAT, "%s %s %s", template_scope_name(f->scope), f->member, text);
}

static size_t
characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xC0) != 0x80;
	return n;
}

static bool
is_identifier(const char *text)
{
	if (isdigit((unsigned char)*text))
		return false;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && *text != '_')
			return false;
	return true;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return true;
	return false;
}

static bool
read_text(
        struct value_reader *r, const struct field *f, const struct tree_node *n, const char **into)
{
	const char *text = tree_text(r->tree, n);
	size_t len = characters(text);

	if (n->kind == TREE_NUMBER)
		return value_refuse(
		        r, n->at, f, "must be a string, not a number; write it in quotes");
	if (n->kind != TREE_STRING)
		return value_refuse(r, n->at, f, "must be a string");
	if (len < (size_t)f->least)
		return value_refuse(r, n->at, f, "must not be empty");
	if (len > (size_t)f->most)
		return value_refuse(
		        r, n->at, f, "has %zu characters; at most %d are allowed", len, f->most);
	if (f->kind == FIELD_IDENT && !is_identifier(text))
		return value_refuse(r, n->at, f,
		        "'%s' may only have letters, digits and _, and no digit in front",
		        show_text(text).text);
	if (f->kind == FIELD_NAME && has_control(text))
		return value_refuse(r, n->at, f, "must not have control characters");
	*into = arena_text(r->memory, text, n->text_len);
	return *into != NULL || value_no_memory(r);
}

static bool
read_whole(struct value_reader *r, const struct field *f, const struct tree_node *n, int *into)
{
	const char *text = tree_text(r->tree, n);
	char *end;
	long value;

	if (n->kind != TREE_NUMBER || text[strspn(text, "-0123456789")] != '\0')
		return value_refuse(r, n->at, f, "must be a whole number");
	value = strtol(text, &end, 10); /* beyond long it stays at the end of long */
	if (value < f->least || value > f->most)
		return value_refuse(r, n->at, f, "is %s; it must be %d to %d", show_text(text).text,
		        f->least, f->most);
	*into = (int)value;
	return true;
}

static bool
read_choice(
        struct value_reader *r, const struct field *f, const struct tree_node *n, unsigned *into)
{
	const char *text = tree_text(r->tree, n);
	struct suggest s = suggest_for(text);

	if (n->kind != TREE_STRING)
		return value_refuse(r, n->at, f, "must be a word such as %s", f->choices->words[0]);
	for (size_t i = 0; i < f->choices->count; i++) {
		suggest_offer(&s, f->choices->words[i]);
		if (strcmp(text, f->choices->words[i]) != 0)
			continue;
		if (i >= f->choices->supported)
			return value_refuse(
			        r, n->at, f, "'%s' is not supported by this version", text);
		*into = (unsigned)i;
		return true;
	}
	if (s.best != NULL)
		return value_refuse(r, n->at, f, "'%s' is unknown (did you mean '%s'?)",
		        show_text(text).text, s.best);
	return value_refuse(r, n->at, f, "'%s' is unknown", show_text(text).text);
}

static bool
read_json(
        struct value_reader *r, const struct field *f, const struct tree_node *n, const char **into)
{
	AUTO(buf) struct buf json = BUF(SCRATCH_MAX);

	if (f->kind == FIELD_MAP && n->kind != TREE_MAP)
		return value_refuse(r, n->at, f, "must be a map");
	tree_to_json(r->tree, n, &json);
	if (!buf_ok(&json))
		return value_no_memory(r);
	if (json.len > TEMPLATE_PART_MAX)
		return tree_fail(n->at, r->e, ERR_LIMIT,
		        "%s %s has %zu bytes as JSON; at most %zu are allowed",
		        template_scope_name(f->scope), f->member, json.len,
		        (size_t)TEMPLATE_PART_MAX);
	*into = arena_text(r->memory, json.data, json.len);
	return *into != NULL || value_no_memory(r);
}

bool
value_read(struct value_reader *r, const struct field *f, const struct tree_node *n, void *base)
{
	unsigned char *into = (unsigned char *)base + f->offset;

	switch (f->kind) {
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_IDENT:
		return read_text(r, f, n, (const char **)(void *)into);
	case FIELD_WHOLE:
		return read_whole(r, f, n, (int *)(void *)into);
	case FIELD_BOOL:
		if (n->kind != TREE_TRUE && n->kind != TREE_FALSE)
			return value_refuse(r, n->at, f, "must be true or false");
		*(bool *)into = n->kind == TREE_TRUE;
		return true;
	case FIELD_CHOICE:
		return read_choice(r, f, n, (unsigned *)(void *)into);
	case FIELD_ANY:
	case FIELD_MAP:
		return read_json(r, f, n, (const char **)(void *)into);
	case FIELD_SKIP:
	case FIELD_GROUP:
	case FIELD_STEPS:
	case FIELD_PARENTS:
		break; /* their owner reads them */
	}
	return true;
}

void
value_set_absent(const struct field *f, void *base)
{
	unsigned char *into = (unsigned char *)base + f->offset;
	unsigned choice = 0;

	if (f->absent[0] == '\0')
		return;
	switch (f->kind) {
	case FIELD_WHOLE:
		*(int *)(void *)into = (int)strtol(f->absent, NULL, 10);
		break;
	case FIELD_BOOL:
		*(bool *)into = strcmp(f->absent, "true") == 0;
		break;
	case FIELD_CHOICE:
		while (strcmp(f->choices->words[choice], f->absent) != 0)
			choice++;
		*(unsigned *)(void *)into = choice;
		break;
	case FIELD_TEXT:
	case FIELD_NAME:
	case FIELD_IDENT:
	case FIELD_ANY:
	case FIELD_MAP:
		*(const char **)(void *)into = f->absent;
		break;
	case FIELD_SKIP:
	case FIELD_GROUP:
	case FIELD_STEPS:
	case FIELD_PARENTS:
		break;
	}
}

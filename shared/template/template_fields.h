/* The table of template members (template_fields.def) as the reader and the writer see it. */
#ifndef SHARED_TEMPLATE_TEMPLATE_FIELDS_H
#define SHARED_TEMPLATE_TEMPLATE_FIELDS_H

#include <stddef.h>

#include "shared/template/template.h"

enum field_scope { SCOPE_TASK, SCOPE_LIFECYCLE, SCOPE_STEP, SCOPE_HANDLER, SCOPE_RETRY };

enum field_kind {
	FIELD_TEXT, /* the first seven fill one place of the struct */
	FIELD_NAME,
	FIELD_IDENT,
	FIELD_WHOLE,
	FIELD_BOOL,
	FIELD_CHOICE,
	FIELD_ANY,
	FIELD_MAP,
	FIELD_SKIP,
	FIELD_GROUP,
	FIELD_STEPS,
	FIELD_PARENTS,
};

struct field_choices {
	const char *const *words;
	size_t count;
	size_t supported; /* the first so many may be used; the rest are known and refused */
};

struct field {
	enum field_scope scope;
	enum field_kind kind;
	const char *member;
	size_t offset; /* in struct template, or struct template_step below a step */
	int least, most;
	const char *absent;
	const char *note;
	const struct field_choices *choices;
	enum field_scope inner; /* of a GROUP */
};

struct field_alias {
	enum field_scope scope;
	const char *member, *means;
};

enum { FIELDS_MAX = 48 };

/* The rows in canonical order. */
const struct field *template_fields(size_t *count);

/* The row a member of the map means, aliases included; NULL when there is none. */
const struct field *template_field_find(enum field_scope scope, const char *member);

/* The nearest member or alias of that map, or NULL. */
const char *template_field_suggest(enum field_scope scope, const char *member);

/* What messages call the map: "template", "step", ... */
const char *template_scope_name(enum field_scope scope);

#endif

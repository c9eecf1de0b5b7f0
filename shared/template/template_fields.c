#include "shared/template/template_fields.h"

#include <assert.h>
#include <string.h>

#include "shared/base/suggest.h"

static const char *const identity_words[] = {
        [TEMPLATE_IDENTITY_STRICT] = "strict",
        [TEMPLATE_IDENTITY_CALLER_PROVIDED] = "caller_provided",
        [TEMPLATE_IDENTITY_ALWAYS_UNIQUE] = "always_unique",
};
static const char *const backoff_words[] = {
        [TEMPLATE_BACKOFF_NONE] = "none",
        [TEMPLATE_BACKOFF_LINEAR] = "linear",
        [TEMPLATE_BACKOFF_EXPONENTIAL] = "exponential",
        [TEMPLATE_BACKOFF_FIBONACCI] = "fibonacci",
};
static const char *const staleness_words[] = {
        [TEMPLATE_STALENESS_DLQ] = "dlq",
        [TEMPLATE_STALENESS_ERROR] = "error",
        [TEMPLATE_STALENESS_NONE] = "none",
};
static const char *const step_type_words[] = {
        [TEMPLATE_STEP_STANDARD] = "standard",
        "decision",
        "deferred_convergence",
        "batchable",
        "batch_worker",
};

#define CHOICES(words, supported)                                                                  \
	{                                                                                          \
		(words), COUNT(words), (supported)                                                 \
	}
static const struct field_choices identities = CHOICES(identity_words, COUNT(identity_words));
static const struct field_choices backoffs = CHOICES(backoff_words, COUNT(backoff_words));
static const struct field_choices staleness = CHOICES(staleness_words, COUNT(staleness_words));
static const struct field_choices step_types = CHOICES(step_type_words, TEMPLATE_STEP_STANDARD + 1);

#define STRUCT_TASK struct template
#define STRUCT_LIFECYCLE struct template
#define STRUCT_STEP struct template_step
#define STRUCT_HANDLER struct template_step
#define STRUCT_RETRY struct template_step
#define ROW(in, name, what) .scope = SCOPE_##in, .kind = FIELD_##what, .member = (name)
#define INTO(in, field) .offset = offsetof(STRUCT_##in, field)

#define FIELD(in, name, what, field, low, high, none)                                              \
	{ROW(in, name, what), INTO(in, field), .least = (low), .most = (high), .absent = (none)},
#define CHOICE(in, name, field, list, none)                                                        \
	{ROW(in, name, CHOICE), INTO(in, field), .absent = (none), .choices = &(list)},
#define NOTED(in, name, what, field, text)                                                         \
	{ROW(in, name, what), INTO(in, field), .absent = "", .note = (text)},
#define GROUP(in, name, of, none) {ROW(in, name, GROUP), .inner = SCOPE_##of, .absent = (none)},
#define NOTED_GROUP(in, name, of, text)                                                            \
	{ROW(in, name, GROUP), .inner = SCOPE_##of, .absent = "", .note = (text)},
#define LIST(in, name, what, none) {ROW(in, name, what), .absent = (none)},
#define ALIAS(in, name, other)
static const struct field fields[] = {
#include "shared/template/template_fields.def"
};
_Static_assert(COUNT(fields) <= FIELDS_MAX, "a reader remembers one node a row");
#undef FIELD
#undef CHOICE
#undef NOTED
#undef GROUP
#undef NOTED_GROUP
#undef LIST
#undef ALIAS

#define FIELD(...)
#define CHOICE(...)
#define NOTED(...)
#define GROUP(...)
#define NOTED_GROUP(...)
#define LIST(...)
#define ALIAS(in, name, other) {SCOPE_##in, (name), (other)},
static const struct field_alias aliases[] = {
#include "shared/template/template_fields.def"
};

const struct field *
template_fields(size_t *count)
{
	*count = COUNT(fields);
	return fields;
}

static const char *
canonical(enum field_scope scope, const char *member)
{
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (aliases[i].scope == scope && strcmp(aliases[i].member, member) == 0)
			return aliases[i].means;
	return member;
}

const struct field *
template_field_find(enum field_scope scope, const char *member)
{
	const char *name = canonical(scope, member);

	for (size_t i = 0; i < COUNT(fields); i++)
		if (fields[i].scope == scope && strcmp(fields[i].member, name) == 0)
			return &fields[i];
	return NULL;
}

const char *
template_field_suggest(enum field_scope scope, const char *member)
{
	struct suggest s = suggest_for(member);

	for (size_t i = 0; i < COUNT(fields); i++)
		if (fields[i].scope == scope)
			suggest_offer(&s, fields[i].member);
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (aliases[i].scope == scope)
			suggest_offer(&s, aliases[i].member);
	return s.best;
}

const char *
template_scope_name(enum field_scope scope)
{
	static const char *const names[] = {
	        [SCOPE_TASK] = "template",
	        [SCOPE_LIFECYCLE] = "lifecycle",
	        [SCOPE_STEP] = "step",
	        [SCOPE_HANDLER] = "handler",
	        [SCOPE_RETRY] = "retry",
	};

	assert((size_t)scope < COUNT(names));
	return names[scope];
}

const char *
template_identity_name(enum template_identity identity)
{
	assert((size_t)identity < COUNT(identity_words));
	return identity_words[identity];
}

const char *
template_backoff_name(enum template_backoff backoff)
{
	assert((size_t)backoff < COUNT(backoff_words));
	return backoff_words[backoff];
}

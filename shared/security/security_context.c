/* One block holds the count, the fields, the list of namespaces and every text, in that order. */
#include "shared/security/security_context.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const method_names[] = {
        [AUTH_METHOD_NONE] = "none",
        [AUTH_METHOD_DISABLED] = "disabled",
        [AUTH_METHOD_JWT] = "jwt",
        [AUTH_METHOD_API_KEY] = "api_key",
        [AUTH_METHOD_SYSTEM] = "system",
        [AUTH_METHOD_SESSION] = "session",
};

struct counted {
	struct security_context shown; /* first, so that the shown pointer is this one */
	struct counted *self;          /* callers hold it as const; the count is ours to change */
	size_t count;
	const char *block[]; /* the namespaces' list with its NULL, then the texts */
};

static struct counted *
counted(const struct security_context *c)
{
	return ((const struct counted *)c)->self;
}

static size_t
text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

/* Copies text to *at, moves *at behind it, and returns the copy; NULL stays NULL. */
static const char *
put(char **at, const char *text)
{
	size_t size = text_size(text);
	char *copy = *at;

	if (text == NULL)
		return NULL;
	memcpy(copy, text, size);
	*at += size;
	return copy;
}

static const char *
or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static size_t
namespace_count(const struct security_context *c)
{
	size_t n = 0;

	while (c->namespaces != NULL && c->namespaces[n] != NULL)
		n++;
	return n;
}

static size_t
texts_size(const struct security_context *c, size_t namespaces)
{
	size_t size = text_size(or_empty(c->subject)) + text_size(or_empty(c->owner)) +
	              text_size(or_empty(c->tenant)) + text_size(c->issuer) +
	              text_size(c->token_id);

	for (size_t i = 0; i < namespaces; i++)
		size += text_size(c->namespaces[i]);
	return size;
}

bool
security_context_new(const struct security_context *fields,
        OWNED const struct security_context **out, struct err *e)
{
	size_t n = namespace_count(fields);
	size_t list = (n + 1) * sizeof(const char *);
	struct counted *made = malloc(sizeof(*made) + list + texts_size(fields, n));
	char *at;

	if (made == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a security context");
	at = (char *)made->block + list;
	made->shown = *fields;
	made->self = made;
	made->count = 1;
	made->shown.subject = put(&at, or_empty(fields->subject));
	made->shown.owner = put(&at, or_empty(fields->owner));
	made->shown.tenant = put(&at, or_empty(fields->tenant));
	made->shown.issuer = put(&at, fields->issuer);
	made->shown.token_id = put(&at, fields->token_id);
	for (size_t i = 0; i < n; i++)
		made->block[i] = put(&at, fields->namespaces[i]);
	made->block[n] = NULL;
	made->shown.namespaces = fields->namespaces != NULL ? made->block : NULL;
	*out = &made->shown;
	return true;
}

const struct security_context *
security_context_ref(const struct security_context *c)
{
	if (c != NULL)
		counted(c)->count++;
	return c;
}

void
security_context_unref(const struct security_context *c)
{
	if (c == NULL)
		return;
	assert(counted(c)->count > 0);
	if (--counted(c)->count == 0)
		free(counted(c));
}

const char *
auth_method_name(enum auth_method m)
{
	return (size_t)m < COUNT(method_names) ? method_names[m] : "none";
}

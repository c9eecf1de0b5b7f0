/* Sorted by kind and id, so that a look-up is a binary search and equal ids stand together. */
#include "shared/security/revocations.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct revocations {
	atomic_uint refs;
	size_t count;
	struct revocation *sorted; /* ids in text */
	char *text;
};

static const char *const names[REVOCATION__COUNT] = {
#define REVOCATION(id, spelled, what) [REVOCATION_##id] = (spelled),
#include "shared/security/revocation.def"
#undef REVOCATION
};

enum revocation_kind
revocation_kind_named(const char *name)
{
	for (int k = REVOCATION_NONE + 1; k < REVOCATION__COUNT; k++)
		if (strcmp(names[k], name) == 0)
			return (enum revocation_kind)k;
	return REVOCATION_NONE;
}

const char *
revocation_kind_name(enum revocation_kind k)
{
	return names[k];
}

static int
compare(const void *a, const void *b)
{
	const struct revocation *x = a, *y = b;

	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->id, y->id);
}

static bool
check(const struct revocation *all, size_t count, size_t *bytes, struct err *e)
{
	if (count > REVOCATIONS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d revocations", REVOCATIONS_MAX);
	*bytes = 0;
	for (size_t i = 0; i < count; i++) {
		const size_t len = all[i].id != NULL ? strlen(all[i].id) : 0;

		if (all[i].kind <= REVOCATION_NONE || all[i].kind >= REVOCATION__COUNT ||
		        len == 0 || len > REVOCATION_ID_MAX)
			return err_set(e, ERR_FORMAT, "a revocation names nothing");
		*bytes += len + 1;
	}
	return true;
}

bool
revocations_new(
        const struct revocation *all, size_t count, OWNED struct revocations **out, struct err *e)
{
	AUTO(revocations) struct revocations *r = NULL;
	size_t bytes = 0;
	char *at;

	if (!check(all, count, &bytes, e))
		return false;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for revocations");
	atomic_init(&r->refs, 1);
	r->sorted = calloc(count + 1, sizeof(*r->sorted));
	r->text = malloc(bytes + 1);
	if (r->sorted == NULL || r->text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for revocations");
	at = r->text;
	for (; r->count < count; r->count++) {
		const size_t size = strlen(all[r->count].id) + 1;

		memcpy(at, all[r->count].id, size);
		r->sorted[r->count] = all[r->count];
		r->sorted[r->count].id = at;
		at += size;
	}
	qsort(r->sorted, r->count, sizeof(*r->sorted), compare);
	*out = TAKE(r);
	return true;
}

struct revocations *
revocations_ref(struct revocations *r)
{
	if (r != NULL)
		atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void
revocations_free(struct revocations *r)
{
	if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	free(r->sorted);
	free(r->text);
	free(r);
}

/* The first of those with this kind and id; the rest stand behind it. */
static const struct revocation *
find(const struct revocations *r, enum revocation_kind kind, const char *id)
{
	const struct revocation wanted = {.kind = kind, .id = id};
	size_t from = 0, to = r->count;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (compare(&r->sorted[middle], &wanted) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < r->count && compare(&r->sorted[from], &wanted) == 0 ? &r->sorted[from] : NULL;
}

static bool
subject_is_hit(const struct revocations *r, const struct security_context *who, const char *subject)
{
	const struct revocation *found = find(r, REVOCATION_SUBJECT, subject);

	for (; found != NULL && found < r->sorted + r->count; found++) {
		if (found->kind != REVOCATION_SUBJECT || strcmp(found->id, subject) != 0)
			return false;
		if (who->issued_at_s <= found->before_s)
			return true;
	}
	return false;
}

bool
revocations_hit(const struct revocations *r, const struct security_context *who)
{
	if (r == NULL || r->count == 0)
		return false;
	if (who->method == AUTH_METHOD_API_KEY)
		return find(r, REVOCATION_API_KEY, who->token_id) != NULL;
	if (who->method == AUTH_METHOD_SESSION)
		return subject_is_hit(r, who, who->owner);
	if (who->method != AUTH_METHOD_JWT && who->method != AUTH_METHOD_SYSTEM)
		return false;
	if (who->token_id != NULL && find(r, REVOCATION_TOKEN, who->token_id) != NULL)
		return true;
	return subject_is_hit(r, who, who->subject);
}

#include "orchestration/store/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"

enum { LEASES_FIRST = 16, ROUTES_FIRST = 64, LIST_BYTES_MAX = 65536 };

static void
free_list(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* A JSON array of strings as a NULL-terminated list. */
static bool
read_list(const char *text, OWNED char ***out, struct err *e)
{
	struct json_limits limits = {
	        .bytes = LIST_BYTES_MAX, .nodes = SESSION_NAMES_MAX + 1, .depth = 2};
	AUTO(json) struct json *doc = NULL;
	char **list;
	size_t count = 0;

	if (!json_parse(text, strlen(text), &limits, &doc, e))
		return err_while(e, "a session's names");
	list = calloc(json_count(json_root(doc)) + 1, sizeof(*list));
	if (list == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a session");
	for (const struct json_node *n = json_first(doc, json_root(doc)); n != NULL;
	        n = json_next(doc, n)) {
		list[count] = json_string_copy(doc, n, LIST_BYTES_MAX);
		if (list[count++] == NULL) {
			free_list(list);
			return err_set(e, ERR_NOMEM, "out of memory for a session");
		}
	}
	*out = list;
	return true;
}

bool
session_new(const struct session_row *row, OWNED struct session **out, struct err *e)
{
	AUTO(session) struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a session");
	s->id = row->id;
	s->registered_at = row->registered_at;
	s->expires_at_s = row->expires_at_s;
	s->issued_at_s = row->issued_at_s;
	s->slots = row->slots;
	memcpy(s->digest, row->digest, sizeof(s->digest));
	s->worker = strdup(row->worker);
	s->boot = strdup(row->boot);
	if (s->worker == NULL || s->boot == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a session");
	if (!read_list(row->namespaces, &s->namespaces, e) ||
	        !read_list(row->handlers, &s->handlers, e))
		return false;
	*out = TAKE(s);
	return true;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	free(s->worker);
	free(s->boot);
	free_list(s->namespaces);
	free_list(s->handlers);
	free(s->leases);
	free(s->serves);
	free(s);
}

static bool
is_covered(const char *pattern, const char *callable)
{
	size_t len = strlen(pattern);

	if (len >= 2 && strcmp(pattern + len - 2, ".*") == 0)
		return strncmp(pattern, callable, len - 1) == 0;
	return strcmp(pattern, callable) == 0;
}

/* May this worker take steps that queue on the route? Handlers match exactly, or by "prefix.*". */
static bool
may_serve(const struct session *s, const struct step_route *route)
{
	bool inside = false;

	for (size_t i = 0; !inside && s->namespaces[i] != NULL; i++)
		inside = strcmp(s->namespaces[i], route->ns) == 0;
	for (size_t i = 0; inside && s->handlers[i] != NULL; i++)
		if (is_covered(s->handlers[i], route->callable))
			return true;
	return false;
}

bool
session_match(struct session *s, const struct routes *routes, struct err *e)
{
	bool *serves = calloc(routes->count + 1, sizeof(*serves));

	if (serves == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a session");
	for (size_t i = 0; i < routes->count; i++)
		serves[i] = routes->items[i].ns != NULL && may_serve(s, &routes->items[i]);
	free(s->serves);
	s->serves = serves;
	s->serves_count = routes->count;
	return true;
}

bool
session_takes(const struct session *s, int64_t route)
{
	return !s->ending && route > 0 && (size_t)route < s->serves_count && s->serves[route];
}

struct lease *
session_lease(struct session *s, const struct uuid *step, int attempt)
{
	for (size_t i = 0; i < s->lease_count; i++) {
		struct lease *l = &s->leases[i];

		if (memcmp(l->id.bytes, step->bytes, sizeof(step->bytes)) == 0 &&
		        (attempt == 0 || l->attempt == attempt))
			return l;
	}
	return NULL;
}

bool
session_reserve(struct session *s, size_t more, struct err *e)
{
	size_t cap = s->lease_cap > 0 ? s->lease_cap : LEASES_FIRST;
	struct lease *grown;

	if (s->lease_count + more <= s->lease_cap)
		return true;
	while (cap < s->lease_count + more)
		cap *= 2;
	grown = realloc(s->leases, cap * sizeof(*grown));
	if (grown == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a lease");
	s->leases = grown;
	s->lease_cap = cap;
	return true;
}

void
session_hold(struct session *s, const struct lease *lease)
{
	assert(s->lease_count < s->lease_cap);
	s->leases[s->lease_count++] = *lease;
}

void
session_drop(struct session *s, int64_t step, int attempt)
{
	for (size_t i = 0; i < s->lease_count; i++) {
		if (s->leases[i].step == step && s->leases[i].attempt == attempt) {
			s->leases[i] = s->leases[--s->lease_count];
			return;
		}
	}
}

uint32_t
session_recent(const struct session *s, const struct uuid *poll)
{
	for (size_t i = 0; i < SESSION_RECENT; i++)
		if (s->recent[i].number != 0 &&
		        memcmp(s->recent[i].id.bytes, poll->bytes, sizeof(poll->bytes)) == 0)
			return s->recent[i].number;
	return 0;
}

void
session_polled(struct session *s, const struct uuid *poll, uint32_t number)
{
	if (session_recent(s, poll) != 0)
		return;
	memmove(&s->recent[1], &s->recent[0], (SESSION_RECENT - 1) * sizeof(s->recent[0]));
	s->recent[0] = (struct recent_poll){*poll, number};
	s->polls = number;
}

static struct session **
bucket(struct sessions *all, int64_t id)
{
	return &all->buckets[(size_t)id % SESSION_BUCKETS];
}

struct session *
sessions_by_id(struct sessions *all, int64_t id)
{
	for (struct session *s = *bucket(all, id); s != NULL; s = s->next)
		if (s->id == id)
			return s;
	return NULL;
}

struct session *
sessions_by_worker(struct sessions *all, const char *worker)
{
	for (struct session *s = sessions_next(all, NULL); s != NULL; s = sessions_next(all, s))
		if (strcmp(s->worker, worker) == 0)
			return s;
	return NULL;
}

void
sessions_add(struct sessions *all, struct session *s)
{
	struct session **head = bucket(all, s->id);

	s->next = *head;
	*head = s;
	all->count++;
	all->due = 0; /* look */
}

void
sessions_remove(struct sessions *all, struct session *s)
{
	for (struct session **at = bucket(all, s->id); *at != NULL; at = &(*at)->next) {
		if (*at == s) {
			*at = s->next;
			all->count--;
			session_free(s);
			return;
		}
	}
}

void
sessions_clear(struct sessions *all)
{
	for (size_t i = 0; i < SESSION_BUCKETS; i++)
		while (all->buckets[i] != NULL)
			sessions_remove(all, all->buckets[i]);
}

struct session *
sessions_next(struct sessions *all, const struct session *s)
{
	size_t from = 0;

	if (s != NULL && s->next != NULL)
		return s->next;
	if (s != NULL)
		from = (size_t)s->id % SESSION_BUCKETS + 1;
	for (size_t i = from; i < SESSION_BUCKETS; i++)
		if (all->buckets[i] != NULL)
			return all->buckets[i];
	return NULL;
}

void
sessions_due_by(struct sessions *all, int64_t until)
{
	if (until < all->due)
		all->due = until;
}

static int64_t
due_of(const struct session *s, int64_t keep_us)
{
	int64_t unused = s->parked == NULL ? s->seen_us + keep_us + 1 : INT64_MAX;

	return s->lease_count > 0 || unused < s->lease_until ? s->lease_until : unused;
}

void
sessions_look(struct sessions *all, int64_t keep_us)
{
	all->due = INT64_MAX;
	for (struct session *s = sessions_next(all, NULL); s != NULL; s = sessions_next(all, s))
		sessions_due_by(all, due_of(s, keep_us));
}

static bool
make_room(struct routes *r, size_t id, struct err *e)
{
	size_t count = r->count > 0 ? r->count : ROUTES_FIRST;
	struct step_route *grown;

	while (count <= id)
		count *= 2;
	grown = realloc(r->items, count * sizeof(*grown));
	if (grown == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a route");
	for (size_t i = r->count; i < count; i++)
		grown[i] = (struct step_route){.best = RANK_NONE};
	r->items = grown;
	r->count = count;
	return true;
}

bool
routes_add(struct routes *r, int64_t id, const char *ns, const char *callable, struct err *e)
{
	struct step_route fresh = {.best = RANK_ANY};

	if (id <= 0 || id >= ROUTES_MAX)
		return err_set(
		        e, ERR_LIMIT, "more than %d handlers are named by templates", ROUTES_MAX);
	if ((size_t)id >= r->count && !make_room(r, (size_t)id, e))
		return false;
	if (r->items[id].ns != NULL)
		return true;
	fresh.ns = strdup(ns);
	fresh.callable = strdup(callable);
	if (fresh.ns == NULL || fresh.callable == NULL) {
		free(fresh.ns);
		free(fresh.callable);
		return err_set(e, ERR_NOMEM, "out of memory for a route");
	}
	r->items[id] = fresh;
	return true;
}

void
routes_clear(struct routes *r)
{
	for (size_t i = 0; i < r->count; i++) {
		free(r->items[i].ns);
		free(r->items[i].callable);
	}
	free(r->items);
	*r = (struct routes){0};
}

struct step_route *
routes_at(struct routes *r, int64_t id)
{
	return id > 0 && (size_t)id < r->count && r->items[id].ns != NULL ? &r->items[id] : NULL;
}

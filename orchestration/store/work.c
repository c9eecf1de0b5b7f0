#include "orchestration/store/work.h"

#include <stdlib.h>
#include <string.h>

#include "orchestration/engine/identity.h"
#include "shared/base/rand.h"

enum { OWNER_BUCKETS = 1024, EFFECTS_FIRST = 64, US_PER_MS = 1000 };

struct owner_entry {
	struct owner_entry *next;
	int64_t tenant_id, owner_id;
	size_t tenant_len;
	char names[]; /* tenant, NUL, owner, NUL */
};

static void
forget_owners(struct work *w)
{
	for (size_t i = 0; i < OWNER_BUCKETS; i++) {
		while (w->owners[i] != NULL) {
			struct owner_entry *next = w->owners[i]->next;

			free(w->owners[i]);
			w->owners[i] = next;
		}
	}
}

static bool
add_route(int64_t id, const char *ns, const char *callable, void *arg, struct err *e)
{
	struct work *w = arg;

	return routes_add(&w->routes, id, ns, callable, e);
}

/* Every live session is given a full term: nobody was there to renew with (I2). */
static bool
add_session(const struct session_row *row, void *arg, struct err *e)
{
	struct work *w = arg;
	struct session *s;

	if (!session_new(row, &s, e))
		return false;
	sessions_add(&w->sessions, s);
	s->lease_until = w->mono_us + w->settings->lease_ms * US_PER_MS;
	s->seen_us = w->mono_us;
	return session_match(s, &w->routes, e);
}

/* A step in progress belongs to its session: one that ends gives its steps back as it does. */
static bool
add_running(const struct step_row *row, const struct step_output *out, void *arg, struct err *e)
{
	struct work *w = arg;
	struct session *s = sessions_by_id(&w->sessions, row->facts.session);
	struct lease lease = {
	        .step = row->id, .attempt = row->facts.attempt, .given_us = w->mono_us};

	(void)out;
	if (s == NULL)
		return err_set(e, ERR_FORMAT,
		        "step %lld is in progress without a session (see db check)",
		        (long long)row->id);
	if (!session_reserve(s, 1, e))
		return false;
	session_hold(s, &lease);
	return true;
}

/* The ids of steps, which add_running() could not read while its query ran. */
static bool
name_leases(struct work *w, struct err *e)
{
	for (struct session *s = sessions_next(&w->sessions, NULL); s != NULL;
	        s = sessions_next(&w->sessions, s)) {
		for (size_t i = 0; i < s->lease_count; i++) {
			struct lease *l = &s->leases[i];
			struct task_row task;

			if (!w->ops->task_load(w->db, l->step >> STEP_INDEX_BITS, &task, e))
				return false;
			l->id = identity_step_id(&task.uuid, (unsigned)(l->step & STEP_INDEX_MASK));
		}
	}
	return true;
}

static bool
load(struct work *w, struct err *e)
{
	return w->ops->routes_each(w->db, add_route, w, e) &&
	       w->ops->sessions_each(w->db, add_session, w, e) &&
	       w->ops->steps_running(w->db, add_running, w, e) && name_leases(w, e) &&
	       w->ops->totals_load(w->db, &w->totals, e) &&
	       w->ops->steps_next_due(w->db, &w->next_retry, e);
}

bool
work_open(struct work *w, const struct store_settings *s, const struct backend_ops *ops,
        struct err *e)
{
	w->settings = s;
	w->ops = ops;
	w->frame = BUF(s->frame_bytes_max);
	w->results = BUF(s->frame_bytes_max);
	w->mono_us = s->mono_us(s->clock_arg);
	w->owners = calloc(OWNER_BUCKETS, sizeof(struct owner_entry *));
	if (w->owners == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a store");
	return digest_new(&w->digest, e) && ops->open(s, BACKEND_WRITER, &w->db, e) &&
	       plans_new(ops, w->db, true, &w->plans, e) && load(w, e);
}

void
work_close(struct work *w)
{
	plans_free(w->plans);
	if (w->owners != NULL)
		forget_owners(w);
	free(w->owners);
	sessions_clear(&w->sessions);
	routes_clear(&w->routes);
	buf_free(&w->frame);
	buf_free(&w->results);
	free(w->effects);
	digest_free(w->digest);
	if (w->db != NULL)
		w->ops->close(w->db);
}

/* New routes are known to every session before the next transaction does anything. */
static bool
reload_routes(struct work *w, struct err *e)
{
	if (!w->ops->routes_each(w->db, add_route, w, e))
		return false;
	for (struct session *s = sessions_next(&w->sessions, NULL); s != NULL;
	        s = sessions_next(&w->sessions, s))
		if (!session_match(s, &w->routes, e))
			return false;
	w->routes_stale = false;
	return true;
}

static bool
reload_totals(struct work *w, struct err *e)
{
	w->totals_stale = !w->ops->totals_load(w->db, &w->totals, e);
	return !w->totals_stale;
}

bool
work_begin(struct work *w, struct err *e)
{
	if (!w->open)
		w->open = w->ops->begin(w->db, e);
	return w->open && (!w->routes_stale || reload_routes(w, e)) &&
	       (!w->totals_stale || reload_totals(w, e));
}

bool
work_effect(struct work *w, const struct effect *effect, struct err *e)
{
	if (w->effect_count == w->effect_cap) {
		size_t cap = w->effect_cap > 0 ? w->effect_cap * 2 : EFFECTS_FIRST;
		struct effect *grown = realloc(w->effects, cap * sizeof(*grown));

		if (grown == NULL)
			return err_set(e, ERR_NOMEM, "out of memory for a batch");
		w->effects = grown;
		w->effect_cap = cap;
	}
	w->effects[w->effect_count++] = *effect;
	return true;
}

/* The poll that waits for a session that ends is answered; it may not be given anything. */
static void
end_session(struct work *w, struct session *s)
{
	if (s->parked != NULL) {
		s->parked->state->replaced = true;
		s->parked->state->session = NULL;
	}
	sessions_remove(&w->sessions, s);
}

static void
open_session(struct work *w, struct session *fresh)
{
	struct session *old = sessions_by_id(&w->sessions, fresh->id);

	if (old != NULL) { /* the same boot with a new secret keeps what it holds */
		fresh->leases = TAKE(old->leases);
		fresh->lease_count = old->lease_count;
		fresh->lease_cap = old->lease_cap;
		for (size_t i = 0; i < fresh->lease_count; i++)
			fresh->leases[i].poll = 0; /* its polls are counted anew */
		end_session(w, old);
	}
	fresh->lease_until = w->mono_us + w->settings->lease_ms * US_PER_MS;
	fresh->seen_us = w->mono_us;
	sessions_add(&w->sessions, fresh);
}

static void
apply(struct work *w, struct effect *f)
{
	struct session *s = sessions_by_id(&w->sessions, f->session);
	struct lease *l = NULL;

	if (f->kind == EFFECT_OPEN)
		open_session(w, TAKE(f->fresh));
	if (f->kind == EFFECT_OPEN || s == NULL)
		return;
	switch (f->kind) {
	case EFFECT_HOLD:
		session_hold(s, &f->lease);
		sessions_due_by(&w->sessions, s->lease_until);
		break;
	case EFFECT_DROP:
		session_drop(s, f->lease.step, f->lease.attempt);
		break;
	case EFFECT_CANCEL:
		l = session_lease(s, &f->lease.id, f->lease.attempt);
		if (l != NULL)
			l->cancel = true;
		break;
	case EFFECT_POLLED:
		session_polled(s, &f->poll, f->lease.poll);
		break;
	case EFFECT_END:
		end_session(w, s);
		break;
	case EFFECT_OPEN:
		break;
	}
}

static void
forget_effects(struct work *w)
{
	for (size_t i = 0; i < w->effect_count; i++)
		session_free(w->effects[i].fresh);
	w->effect_count = 0;
}

/* Makes room for the leases that the effects give, since nothing may fail after the commit. */
static bool
reserve(struct work *w, struct err *e)
{
	for (size_t i = 0; i < w->effect_count; i++) {
		struct session *s = sessions_by_id(&w->sessions, w->effects[i].session);

		if (s != NULL)
			s->promised = 0;
	}
	for (size_t i = 0; i < w->effect_count; i++) {
		struct session *s = sessions_by_id(&w->sessions, w->effects[i].session);

		if (w->effects[i].kind == EFFECT_HOLD && s != NULL &&
		        !session_reserve(s, ++s->promised, e))
			return false;
	}
	return true;
}

/* A transaction that wrote nothing needs no commit. */
static bool
end_transaction(struct work *w, bool *wrote, struct err *e)
{
	*wrote = w->open && w->ops->has_changes(w->db);
	if (*wrote)
		return w->ops->commit(w->db, e);
	if (w->open)
		w->ops->rollback(w->db);
	return true;
}

bool
work_commit(struct work *w, bool *wrote, struct err *e)
{
	if (!reserve(w, e) || (w->counted && !w->ops->totals_save(w->db, &w->totals, e)) ||
	        !end_transaction(w, wrote, e))
		return false;
	w->open = w->counted = false;
	for (size_t i = 0; i < w->effect_count; i++)
		apply(w, &w->effects[i]);
	w->effect_count = 0;
	return true;
}

void
work_rollback(struct work *w)
{
	w->ops->rollback(w->db);
	w->open = false;
	forget_effects(w);
	plans_clear(w->plans);
	forget_owners(w);
	routes_clear(&w->routes); /* some may never have been committed */
	w->routes_stale = true;
	for (struct session *s = sessions_next(&w->sessions, NULL); s != NULL;
	        s = sessions_next(&w->sessions, s))
		s->ending = false;
	w->counted = false;
	w->totals_stale = true;
	w->next_retry = w->wall_us; /* look, since it may be wrong now */
}

static size_t
bucket_of(const struct principal *who)
{
	uint64_t h = 0xcbf29ce484222325;

	for (const char *c = who->tenant; *c != '\0'; c++)
		h = (h ^ (unsigned char)*c) * 0x100000001b3;
	for (const char *c = who->owner; *c != '\0'; c++)
		h = (h ^ (unsigned char)*c) * 0x100000001b3;
	return (size_t)(h % OWNER_BUCKETS);
}

static void
remember(struct work *w, const struct principal *who, int64_t tenant, int64_t owner)
{
	size_t a = strlen(who->tenant) + 1, b = strlen(who->owner) + 1;
	struct owner_entry *entry = malloc(sizeof(*entry) + a + b);
	size_t bucket = bucket_of(who);

	if (entry == NULL)
		return; /* it is looked up again */
	entry->tenant_id = tenant;
	entry->owner_id = owner;
	entry->tenant_len = a;
	memcpy(entry->names, who->tenant, a);
	memcpy(entry->names + a, who->owner, b);
	entry->next = w->owners[bucket];
	w->owners[bucket] = entry;
}

bool
work_owner(
        struct work *w, const struct principal *who, int64_t *tenant, int64_t *owner, struct err *e)
{
	size_t chain = 0;

	for (struct owner_entry *o = w->owners[bucket_of(who)]; o != NULL; o = o->next) {
		if (strcmp(o->names, who->tenant) == 0 &&
		        strcmp(o->names + o->tenant_len, who->owner) == 0) {
			*tenant = o->tenant_id;
			*owner = o->owner_id;
			return true;
		}
		chain++;
	}
	if (chain >= OWNERS_MAX / OWNER_BUCKETS)
		forget_owners(w);
	if (!w->ops->owner_id(w->db, who, tenant, owner, e))
		return false;
	remember(w, who, *tenant, *owner);
	return true;
}

uint64_t
work_random(const struct work *w)
{
	return w->settings->jitter ? rand_u64() : BACKOFF_NO_JITTER;
}

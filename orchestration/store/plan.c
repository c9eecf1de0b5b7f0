#include "orchestration/store/plan.h"

#include <stdlib.h>
#include <string.h>

#include "orchestration/engine/identity.h"

struct plans {
	const struct backend_ops *ops;
	struct backend *db;
	bool with_routes;
	size_t count;
	struct plan *by_id[PLAN_BUCKETS], *by_name[PLAN_BUCKETS];
};

struct plan *
plan_ref(struct plan *p)
{
	(void)atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void
plan_unref(struct plan *p)
{
	if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1)
		return;
	template_free(p->t);
	free(p->named_steps);
	free(p->routes);
	free(p);
}

AUTO_DEFINE(plan, struct plan, plan_unref)

/* FNV-1a over the three names and what separates them. */
static size_t
bucket_of(const char *ns, const char *name, const char *version)
{
	const char *const parts[] = {ns, name, version};
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < COUNT(parts); i++)
		for (const char *c = parts[i];; c++) {
			h = (h ^ (unsigned char)*c) * 0x100000001b3;
			if (*c == '\0')
				break;
		}
	return (size_t)(h % PLAN_BUCKETS);
}

bool
plans_new(const struct backend_ops *ops, struct backend *db, bool with_routes,
        OWNED struct plans **out, struct err *e)
{
	struct plans *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for templates");
	c->ops = ops;
	c->db = db;
	c->with_routes = with_routes;
	*out = c;
	return true;
}

void
plans_clear(struct plans *c)
{
	struct plan *next;

	for (size_t i = 0; i < PLAN_BUCKETS; i++) {
		for (struct plan *p = c->by_id[i]; p != NULL; p = next) {
			next = p->next_by_id;
			plan_unref(p);
		}
		c->by_id[i] = c->by_name[i] = NULL;
	}
	c->count = 0;
}

void
plans_free(struct plans *c)
{
	if (c == NULL)
		return;
	plans_clear(c);
	free(c);
}

/* What is derived from the template once instead of at every use. */
static bool
derive(struct plans *c, struct plan *p, struct err *e)
{
	const struct template *t = p->t;

	p->named_steps = calloc(t->step_count, sizeof(*p->named_steps));
	p->routes = c->with_routes ? calloc(t->step_count, sizeof(*p->routes)) : NULL;
	if (p->named_steps == NULL || (c->with_routes && p->routes == NULL))
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	for (size_t i = 0; i < t->step_count; i++) {
		const struct template_step *s = &t->steps[i];

		p->roots += s->parent_count == 0;
		if (!identity_named_step(t->namespace_name, s->name, &p->named_steps[i]))
			return err_set(e, ERR_CRYPTO, "SHA-256 failed");
		if (c->with_routes &&
		        !c->ops->route_id(c->db, t->namespace_name, s->callable, &p->routes[i], e))
			return false;
	}
	return true;
}

static void
remember(struct plans *c, struct plan *p)
{
	size_t id = (size_t)p->row.id % PLAN_BUCKETS;
	size_t name = bucket_of(p->t->namespace_name, p->t->name, p->t->version);

	if (c->count >= PLANS_MAX)
		plans_clear(c);
	p->next_by_id = c->by_id[id];
	c->by_id[id] = p;
	p->next_by_name = c->by_name[name];
	c->by_name[name] = p;
	c->count++;
}

static bool
load(struct plans *c, int64_t id, BORROWED struct plan **out, struct err *e)
{
	AUTO(buf) struct buf json = BUF(TEMPLATE_JSON_MAX);
	AUTO(plan) struct plan *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	atomic_init(&p->refs, 1);
	if (!c->ops->template_load(c->db, id, &p->row, &json, e))
		return false;
	if (p->row.id == 0) {
		*out = NULL;
		return true;
	}
	if (!buf_ok(&json))
		return err_set(e, ERR_NOMEM, "out of memory for a template");
	if (!template_from_json(json.data, json.len, &p->t, e))
		return err_while(e, "template %lld", (long long)id);
	if (!derive(c, p, e))
		return false;
	remember(c, p);
	*out = TAKE(p);
	return true;
}

bool
plans_by_id(struct plans *c, int64_t id, BORROWED struct plan **out, struct err *e)
{
	for (struct plan *p = c->by_id[(size_t)id % PLAN_BUCKETS]; p != NULL; p = p->next_by_id) {
		if (p->row.id == id) {
			*out = p;
			return true;
		}
	}
	return load(c, id, out, e);
}

static bool
is_named(const struct plan *p, const char *ns, const char *name, const char *version)
{
	return strcmp(p->t->name, name) == 0 && strcmp(p->t->version, version) == 0 &&
	       strcmp(p->t->namespace_name, ns) == 0;
}

bool
plans_by_name(struct plans *c, const char *ns, const char *name, const char *version,
        BORROWED struct plan **out, struct err *e)
{
	struct template_row row;

	for (struct plan *p = c->by_name[bucket_of(ns, name, version)]; p != NULL;
	        p = p->next_by_name) {
		if (is_named(p, ns, name, version)) {
			*out = p;
			return true;
		}
	}
	if (!c->ops->template_find(c->db, ns, name, version, &row, e))
		return false;
	if (row.id != 0)
		return load(c, row.id, out, e);
	*out = NULL;
	return true;
}

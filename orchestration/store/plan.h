/*
 * Templates in memory, as the store uses them: parsed, counted, with the routes their steps queue
 * on.
 *
 * A plan never changes. Its counter is atomic, since operations that pin it are freed on other
 * threads; a cache of plans belongs to one thread.
 */
#ifndef ORCHESTRATION_STORE_PLAN_H
#define ORCHESTRATION_STORE_PLAN_H

#include <stdatomic.h>

#include "orchestration/store/backend.h"

enum { PLANS_MAX = 1024, PLAN_BUCKETS = 2048 }; /* past the first the cache starts anew */

struct plan {
	struct template_row row;
	struct template *t;
	struct uuid *named_steps;
	int64_t *routes; /* of each step; NULL in a reader's cache */
	int roots;
	atomic_uint refs;
	struct plan *next_by_id, *next_by_name; /* the cache's */
};

struct plan *plan_ref(struct plan *p);
void plan_unref(struct plan *p); /* NULL is fine */

struct plans; /* opaque: the buckets are in plan.c */

/* with_routes: for the writer. */
MUST_CHECK bool plans_new(const struct backend_ops *ops, struct backend *db, bool with_routes,
        OWNED struct plans **out, struct err *e);
void plans_free(struct plans *c);  /* NULL is fine */
void plans_clear(struct plans *c); /* what a rolled back transaction made must be forgotten */

/* The plan of a template; *out is NULL if there is none. Lives until the cache is next asked. */
MUST_CHECK bool plans_by_id(struct plans *c, int64_t id, BORROWED struct plan **out, struct err *e);
MUST_CHECK bool plans_by_name(struct plans *c, const char *ns, const char *name,
        const char *version, BORROWED struct plan **out, struct err *e);

AUTO_DEFINE(plans, struct plans, plans_free)

#endif

/*
 * Route tables: one row per (method, path), each with the access it asks for, from routes.def. No
 * column has a default, so a row without an access does not compile.
 */
#ifndef SHARED_GATE_ROUTE_H
#define SHARED_GATE_ROUTE_H

#include "shared/http/head.h"
#include "shared/security/authorize.h"

struct request;

/* req stays valid until its reply; grant dies with it; app is the daemon's own. */
typedef void (*route_fn)(struct request *req, const struct grant *grant, void *app);

/* NO_BODY refuses a body (HP5); JSON_BODY demands application/json and a length or chunks (411,
 * 415). */
enum body_kind { BODY_KIND_UNSET = 0, BODY_KIND_NO_BODY, BODY_KIND_JSON };

struct route {
	enum method method;
	const char *path; /* "/v1/tasks/{task}": a hole takes one segment; at most 4 holes */
	struct access access;
	enum body_kind body;
	size_t body_max; /* 0 with NO_BODY */
	route_fn handler;
	const char *summary; /* one line, for OpenAPI and docs */
};

/*    ROUTE(method, path, access, body kind, body max, handler, summary) */
#define ROUTE_ROW(m, p, a, b, max, h, s)                                                           \
	{.method = METHOD_##m,                                                                     \
	        .path = (p),                                                                       \
	        .access = a,                                                                       \
	        .body = BODY_KIND_##b,                                                             \
	        .body_max = (max),                                                                 \
	        .handler = (h),                                                                    \
	        .summary = (s)},

enum { ROUTE_HOLES = 4 };

struct route_match {
	const struct route *route; /* the row; unless FULL: some row of that path, or NULL */
	struct span holes[ROUTE_HOLES];
	size_t hole_count;
	unsigned allowed; /* bit per enum method that this path takes, for Allow */
	bool open;        /* some row of this path is OPEN */
};

enum match { MATCH_NONE = 0, MATCH_PATH_ONLY, MATCH_FULL }; /* 404, 405, go on */

struct route_table; /* the rows, compiled once for fast finding */

/*
 * rows are borrowed. ERR_FORMAT names the row that is wrong in itself: an access or body kind left
 * unset, a body limit that does not fit the kind, no handler, a path that is none, or two rows that
 * match the same requests (PM4).
 */
MUST_CHECK bool route_table_new(
        const struct route *rows, size_t count, OWNED struct route_table **out, struct err *e);
void route_table_free(struct route_table *t);

/*
 * HEAD matches a GET row; a path without holes wins over one with. The raw path is compared;
 * nothing is decoded twice (HP10).
 */
MUST_CHECK enum match route_table_find(
        const struct route_table *t, enum method method, struct span path, struct route_match *out);

AUTO_DEFINE(route_table, struct route_table, route_table_free)

#endif

/* The task templates of this worker's own templates.paths: sent along with each registration, and
 * shown by its API. Immutable once loaded, but for how often each was read. */
#ifndef WORKER_TEMPLATES_H
#define WORKER_TEMPLATES_H

#include <stdatomic.h>

#include "shared/base/buf.h"
#include "shared/http/head.h"
#include "shared/template/template.h"

enum { TEMPLATES_MAX = 256 }; /* the orchestration takes no more in one registration */

struct templates;

struct template_entry {
	struct template *plan;
	char *yaml;
	size_t yaml_len;
	int64_t loaded_us; /* wall */
	_Atomic uint64_t reads;
};

/* The error names the file, and the line in it. ERR_LIMIT: more than TEMPLATES_MAX. */
MUST_CHECK bool templates_load(
        const char *const *paths, size_t count, OWNED struct templates **out, struct err *e);
void templates_free(struct templates *t); /* NULL is fine */

size_t templates_count(const struct templates *t);
BORROWED struct template_entry *templates_at(const struct templates *t, size_t n);
/* NULL if there is none of these names. */
BORROWED struct template_entry *templates_find(const struct templates *t,
        struct span namespace_name, struct span name, struct span version);

/* Fills out (room for templates_count()) with the different namespaces; returns how many. */
size_t templates_namespaces(const struct templates *t, BORROWED const char **out);
/* Appends the JSON array a registration carries: [{"yaml":"…"}, …]. Check buf_ok(). */
void templates_write(const struct templates *t, struct buf *out);

AUTO_DEFINE(templates, struct templates, templates_free)

#endif

/*
 * The permission vocabulary and sets of it.
 *
 * permission.def is the only list: the enum, the spellings, the wildcards and the tables in
 * docs/security.md and `tasker-ctl auth show-permissions` all come from it. A set is a bit mask, so
 * that asking whether a request may go on is one AND and cannot fail. `resource:*` is the only
 * wildcard; a bare `*` is no spelling.
 */
#ifndef SHARED_SECURITY_PERMISSION_H
#define SHARED_SECURITY_PERMISSION_H

#include <stdint.h>

#include "shared/base/err.h"

enum permission {
#define PERMISSION(resource, action, spelled, what) PERMISSION_##resource##_##action,
#include "shared/security/permission.def"
#undef PERMISSION
	PERMISSION__COUNT
};

/* What a subject may do. All zero grants nothing. */
struct permission_set {
	uint64_t bits;
};

/*
 * Adds what one spelling grants: "tasks:read" or "tasks:*". ERR_MISSING if it spells nothing (also
 * for "*"); the set is then unchanged.
 */
MUST_CHECK bool permission_set_add(
        struct permission_set *set, const char *spelled, size_t len, struct err *e);

/* Is wanted among them? False for a value outside the vocabulary. */
bool permission_set_has(const struct permission_set *set, enum permission wanted);

/* Everything the vocabulary has: what a caller may do while authentication is off. */
struct permission_set permission_set_all(void);

/* "tasks:create", "tasks", and the sentence of the table's last column. */
const char *permission_spelled(enum permission p);
const char *permission_resource(enum permission p, size_t *len);
const char *permission_meaning(enum permission p);

#endif

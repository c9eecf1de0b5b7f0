/*
 * What an issuer calls our permissions: names of its roles, groups or scopes, and what each counts
 * as. Immutable and counted. A mapped name counts as what it is mapped to, and as nothing else; a
 * bare `*` is neither a name nor a target, since it grants nothing (design section 4).
 */
#ifndef SHARED_SECURITY_PERMISSION_MAP_H
#define SHARED_SECURITY_PERMISSION_MAP_H

#include "shared/security/permission.h"

enum { PERMISSION_MAP_MAX = 256, PERMISSION_MAP_NAME_MAX = 64 };

struct permission_mapping {
	const char *name; /* 1 to PERMISSION_MAP_NAME_MAX bytes, as the token spells it */
	size_t name_len;
	const char *permissions; /* at least one of ours, separated by spaces */
};

struct permission_map;

/* Copies the names. ERR_FORMAT, ERR_LIMIT or ERR_CONFLICT name the mapping at fault. */
MUST_CHECK bool permission_map_new(const struct permission_mapping *mappings, size_t count,
        OWNED struct permission_map **out, struct err *e);
/* Counted, from any thread: who calls _ref() calls _free() once more. NULL is fine. */
struct permission_map *permission_map_ref(struct permission_map *map);
void permission_map_free(struct permission_map *map);

/* Is this name mapped? Then what it counts as is added to *set. No map (NULL) maps nothing. */
bool permission_map_add(
        const struct permission_map *map, const char *name, size_t len, struct permission_set *set);

AUTO_DEFINE(permission_map, struct permission_map, permission_map_free)

#endif

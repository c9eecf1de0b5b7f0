/*
 * The member names that large objects of one document have used so far.
 *
 * A hash table whose key is random for each document, so that nobody can choose names
 * that collide: n names cost n steps whatever they are (LM10).
 */
#ifndef SHARED_BASE_JSON_NAMES_H
#define SHARED_BASE_JSON_NAMES_H

#include <stdint.h>

#include "shared/base/json_text.h"

struct json_name {
	uint64_t hash;
	struct json_text text; /* raw is NULL in a free slot */
	uint32_t owner;
};

/* Zero-initialised it is empty; json_names_free() releases what it grew to. */
struct json_names {
	struct json_name *slots;
	size_t count, cap; /* cap is 0 or a power of two above count */
	uint64_t key[2];
};

enum json_names_answer { NAMES_NOMEM, NAMES_NEW, NAMES_TWICE };

/* Notes that the object owner has a member of that name, compared unescaped. */
MUST_CHECK enum json_names_answer json_names_add(
        struct json_names *names, uint32_t owner, struct json_text name);
void json_names_free(struct json_names *names);

#endif

/*
 * A request target in origin form: what a path may look like before anybody routes on it (HP10).
 *
 * Routing compares the raw path and nothing is decoded twice, so everything that has two spellings
 * for one place is refused: dot segments, empty segments, backslashes, and escapes of '/', '\', '.'
 * and of control characters.
 */
#ifndef SHARED_HTTP_TARGET_H
#define SHARED_HTTP_TARGET_H

#include "shared/http/head.h"

struct target {
	struct span path, query; /* the query without its '?', empty if there is none */
	bool has_query;
};

/* NULL if it is fine, and then *out points into text; otherwise a fixed sentence that says why not.
 */
BORROWED const char *target_parse(const char *text, size_t len, struct target *out);

#endif

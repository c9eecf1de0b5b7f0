/*
 * Which web pages may let their scripts read our answers (Fetch standard, CORS protocol).
 *
 * The configuration lists origins; one that equals the request's Origin byte for byte is named in
 * the answer, whatever the answer is. There is no "*", no suffix and no pattern, and credentials
 * are not allowed: a script sends a token as a field of its own, and a browser adds nothing to it.
 * While nothing is listed no answer mentions CORS at all.
 */
#ifndef SHARED_GATE_CORS_H
#define SHARED_GATE_CORS_H

#include "shared/http/server.h"

struct request;

enum { CORS_FIELDS = 3, CORS_MAX_AGE_S = 600 };

/* Borrowed from the configuration; none listed: switched off. */
struct cors {
	const char *const *origins;
	size_t count;
};

/* The listed origin that equals this one, or NULL; origin.text may be NULL. */
BORROWED const char *cors_find(const struct cors *c, struct span origin);

/* What every answer says to that origin (of cors_find(), or NULL); out takes CORS_FIELDS. Returns
 * how many: none while switched off. */
size_t cors_fields(const struct cors *c, const char *origin, struct reply_field *out);

/* Adds what a browser asks before it sends a request ("preflight"), if it does: methods is what the
 * path takes, as in Allow. */
void cors_preflight(struct request *req, const char *methods);

#endif

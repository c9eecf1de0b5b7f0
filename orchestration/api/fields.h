/*
 * Members of an internal body, read one by one: each returns false and notes a pointer when the
 * member is missing or of the wrong kind, so that a registration reports all its faults at once.
 */
#ifndef ORCHESTRATION_API_FIELDS_H
#define ORCHESTRATION_API_FIELDS_H

#include "orchestration/store/store_op.h"
#include "shared/gate/request.h"

struct fields {
	struct request *req;
	const struct json *doc;
	const struct json_node *object;
	struct store_op *op; /* texts are kept in its memory */
	bool no_memory;
};

/* pointer is what the caller is told: "/worker". Text of 1 to max bytes. */
bool field_text(struct fields *f, const char *name, const char *pointer, size_t max,
        BORROWED const char **out);
bool field_int(struct fields *f, const char *name, const char *pointer, int64_t max, int64_t *out);
bool field_uuid(struct fields *f, const char *name, const char *pointer, struct uuid *out);
/* An array of at most max texts, NULL-terminated; absent is an empty one. */
bool field_texts(struct fields *f, const char *name, const char *pointer, size_t max,
        BORROWED const char *const **out);
/* An array of at most max objects, or NULL where absent (count 0). False: it is none. */
bool field_array(struct fields *f, const char *name, const char *pointer, size_t max,
        BORROWED const struct json_node **out, size_t *count);
/* Any value as its original tokens on one line; absent is NULL. */
bool field_json(struct fields *f, const char *name, struct store_json *out);

#endif

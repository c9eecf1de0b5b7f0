/* Public test vectors, where they are at hand: $TASKER_VECTORS, else ../shared/vectors. */
#ifndef TESTS_UNIT_SECURITY_VECTORS_H
#define TESTS_UNIT_SECURITY_VECTORS_H

struct cJSON;

/* The parsed file, or NULL (and a line that says so) where there are none. The caller deletes it.
 */
struct cJSON *vectors_load(const char *name);

#endif

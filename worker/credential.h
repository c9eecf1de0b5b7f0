/* The worker's credential: one token in a file, read anew for each registration (LA-08, WI7). */
#ifndef WORKER_CREDENTIAL_H
#define WORKER_CREDENTIAL_H

#include <time.h>

#include "shared/base/err.h"

enum { CREDENTIAL_MAX = 16384, CREDENTIAL_TEXT = CREDENTIAL_MAX + 16 };

struct credential {
	const char *path;          /* NULL or "": the worker has none */
	struct timespec read_time; /* of the file, when it was read */
};

bool credential_exists(const struct credential *c);
/* Has the file another time than when it was read? */
bool credential_is_new(const struct credential *c);
/* Gives "Bearer <token>"; the file must hold one word. The caller wipes out. */
MUST_CHECK bool credential_read(struct credential *c, char out[CREDENTIAL_TEXT], struct err *e);

#endif

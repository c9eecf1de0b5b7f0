/* Does a store that was opened again keep its word? */
#ifndef TESTS_STORAGE_AUDIT_H
#define TESTS_STORAGE_AUDIT_H

#include "tests/storage/client.h"

/*
 * I1-I3: what the client was told is there, once, complete and unchanged; what it only asked for is
 * there or not, not in part. What is wrong is c->broken; false if anything is.
 */
bool audit_client(struct client *c);

/* After client_settle(): and there is nothing else. `db check` is asked too. */
bool audit_all(struct client *c);

#endif

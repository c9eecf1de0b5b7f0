/*
 * The live worker sessions, by the digest of their secret: what the loops ask when a poll arrives.
 *
 * The store holds the truth; this table is its copy in memory, filled at start and at each
 * registration. One lock, held for a look-up: a poll goes on to the store's queue anyway. The
 * secret itself is never kept.
 */
#ifndef ORCHESTRATION_IDENTITY_SESSION_TABLE_H
#define ORCHESTRATION_IDENTITY_SESSION_TABLE_H

#include "shared/security/authenticator.h"

struct session_table;

enum { SESSIONS_MAX = 65536 };

/* max: workers at most and above 0, SESSIONS_MAX in the daemon. */
MUST_CHECK bool session_table_new(size_t max, OWNED struct session_table **out, struct err *e);
void session_table_free(struct session_table *s);

/*
 * Adds a session and forgets earlier ones of the same worker. Its times are those of the credential
 * it was registered with; from expires_at_s on the worker has to register again. Past max the
 * session that was longest not asked for is forgotten: the store ended it, or its worker registers
 * again.
 */
MUST_CHECK bool session_table_put(struct session_table *s, const unsigned char digest[32],
        const struct session_facts *facts, struct err *e);

/* A session_find_fn; arg is the struct session_table. From any thread. */
enum verdict session_table_find(
        const unsigned char digest[32], struct session_facts *facts, void *arg);

AUTO_DEFINE(session_table, struct session_table, session_table_free)

#endif

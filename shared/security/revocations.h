/*
 * What must not be believed any more although it is signed, valid and not over: single tokens by
 * their jti, everything issued to a subject up to a moment, API keys by their id.
 *
 * A set is immutable and counted; a change makes a new one (security_live.h puts it in force). It
 * is bounded: a revocation is needed only as long as what it revokes could still be good, so
 * whoever makes the set leaves out those that are over.
 */
#ifndef SHARED_SECURITY_REVOCATIONS_H
#define SHARED_SECURITY_REVOCATIONS_H

#include <stdint.h>

#include "shared/security/security_context.h"

enum { REVOCATIONS_MAX = 10000, REVOCATION_ID_MAX = 256 };

enum revocation_kind {
	REVOCATION_NONE = 0,
#define REVOCATION(id, spelled, what) REVOCATION_##id,
#include "shared/security/revocation.def"
#undef REVOCATION
	REVOCATION__COUNT
};

struct revocation {
	enum revocation_kind kind;
	const char *id;   /* a jti, a sub, or an API key's id: 1 to REVOCATION_ID_MAX bytes */
	int64_t before_s; /* of SUBJECT: what was issued in or before that second; Unix time */
};

struct revocations;

/* "token", "subject", "api_key"; REVOCATION_NONE for another text. */
enum revocation_kind revocation_kind_named(const char *name);
const char *revocation_kind_name(enum revocation_kind k);

/* Copies all. ERR_LIMIT beyond REVOCATIONS_MAX, ERR_FORMAT for one that names nothing. */
MUST_CHECK bool revocations_new(
        const struct revocation *all, size_t count, OWNED struct revocations **out, struct err *e);
/* Counted, from any thread: who calls _ref() calls _free() once more. NULL is fine. */
struct revocations *revocations_ref(struct revocations *r);
void revocations_free(struct revocations *r);

/*
 * Is what this context was made from revoked? A token without jti or iat is revoked with its
 * subject only, one without iat whenever it was issued. A session goes with its worker's subject,
 * "wrk:<id>", by when the credential it was opened with was issued. NULL revokes nothing.
 */
bool revocations_hit(const struct revocations *r, const struct security_context *who);

AUTO_DEFINE(revocations, struct revocations, revocations_free)

#endif

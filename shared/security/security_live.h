/*
 * The security service that is in force, and how it is replaced while requests run.
 *
 * A service is immutable. A reload, a fetched key set or a revocation makes a new one and publishes
 * it here; each loop keeps a reference to the one it last saw and compares one atomic number a
 * request. So no request sees half a change, every loop follows with its next request, and an old
 * service is freed when the last loop has let go of it (JK17).
 */
#ifndef SHARED_SECURITY_SECURITY_LIVE_H
#define SHARED_SECURITY_SECURITY_LIVE_H

#include "shared/security/security_service.h"

struct security_live;

/* Owns first from now on, if it says true. */
MUST_CHECK bool security_live_new(
        struct security_service *first, OWNED struct security_live **out, struct err *e);
void security_live_free(struct security_live *l); /* no loop may follow it any more; NULL is fine */

/* Counts the publications; the first service has 1. From any thread, cheap. */
uint64_t security_live_generation(const struct security_live *l);
/* The service in force, one reference for the caller, and its number. From any thread. */
OWNED struct security_service *security_live_get(struct security_live *l, uint64_t *generation);

/*
 * Publishes next, with the revocations that are in force; owns it from now on, if it says true.
 * From any thread.
 */
MUST_CHECK bool security_live_replace(
        struct security_live *l, struct security_service *next, struct err *e);
/* Publishes the service in force with these revocations; NULL: none. revocations stays the
 * caller's. */
MUST_CHECK bool security_live_revoke(
        struct security_live *l, struct revocations *revocations, struct err *e);
/*
 * Publishes the service in force with other keys for users (security_service_with_user_keys),
 * unless its rules are no longer these: then the keys were fetched for a configuration that is over
 * (ERR_CONFLICT). On failure keys stays the caller's and nothing has changed.
 */
MUST_CHECK bool security_live_set_user_keys(
        struct security_live *l, uint64_t rules, struct key_set *keys, struct err *e);

/*
 * Whom to tell that a token named a key (kid) that users' tokens do not have, on the loop that met
 * it; fn must be quick. Set it before any loop follows.
 */
typedef void (*security_unknown_key_fn)(const char *kid, void *arg);
void security_live_on_unknown_key(struct security_live *l, security_unknown_key_fn fn, void *arg);
void security_live_unknown_key(const struct security_live *l, const char *kid);

AUTO_DEFINE(security_live, struct security_live, security_live_free)

#endif

/*
 * From the store's revocations to the security service in force.
 *
 * Changes are answered on several loops in any order, each with all that was in force when it was
 * made. The one with the highest version is published and stays; an older one changes nothing, for
 * the newer knows what it knows. So a change is in force before its maker is answered.
 */
#ifndef ORCHESTRATION_IDENTITY_REVOCATION_FEED_H
#define ORCHESTRATION_IDENTITY_REVOCATION_FEED_H

#include "orchestration/store/store_request.h"
#include "shared/security/security_live.h"

struct revocation_feed;

/* live must outlive it. */
MUST_CHECK bool revocation_feed_new(
        struct security_live *live, OWNED struct revocation_feed **out, struct err *e);
void revocation_feed_free(struct revocation_feed *f); /* NULL is fine */

/* Puts all of the page in force, unless a higher version is. Version 0 is what there was at start.
 * From any thread; a failure leaves in force what was. */
MUST_CHECK bool revocation_feed_put(
        struct revocation_feed *f, uint64_t version, const struct page_out *all, struct err *e);

AUTO_DEFINE(revocation_feed, struct revocation_feed, revocation_feed_free)

#endif

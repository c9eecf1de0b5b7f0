/*
 * A daemon's keys of users where an issuer publishes them (jwt_verification_method = "jwks"): the
 * store that fetches them, and what health, metrics and the log say of it.
 */
#ifndef SHARED_DAEMON_ISSUER_KEYS_H
#define SHARED_DAEMON_ISSUER_KEYS_H

#include "shared/base/json_out.h"
#include "shared/config/config.h"
#include "shared/runtime/health.h"
#include "shared/runtime/metrics.h"
#include "shared/security/jwks_store.h"

struct issuer_keys;

/* Whom it serves; all outlive it. */
struct issuer_keys_settings {
	const struct config *config; /* it started with */
	struct security_live *live;
	struct health *health;
	struct metrics *metrics;
};

/* *out NULL: keys do not come from an issuer here. Adds its probe and metrics and fetches. */
MUST_CHECK bool issuer_keys_start(
        const struct issuer_keys_settings *settings, OWNED struct issuer_keys **out, struct err *e);
/* Before health, metrics and live; and render the metrics no more. NULL is fine. */
void issuer_keys_free(struct issuer_keys *k);

/* For a reload: puts the keys in force into *service, which is not published yet and is replaced.
 */
MUST_CHECK bool issuer_keys_carry(struct issuer_keys *k, const struct config *next,
        OWNED struct security_service **service, struct err *e);
/* And after it: the service with these rules is in force. */
void issuer_keys_follow(struct issuer_keys *k, const struct config *next, uint64_t rules);

/* "jwks": {"keys", "age_seconds", "fetches", "failures", "last_error"}, for /health/detailed. */
void issuer_keys_show(struct issuer_keys *k, struct json_out *w);

AUTO_DEFINE(issuer_keys, struct issuer_keys, issuer_keys_free)

#endif

/*
 * Configuration, turned into the plain settings that the other folders of shared/ take: they see
 * no configuration, and both daemons map the same keys the same way.
 */
#ifndef SHARED_DAEMON_SETTINGS_H
#define SHARED_DAEMON_SETTINGS_H

#include "shared/config/config.h"
#include "shared/gate/web.h"
#include "shared/security/jwks_store.h"

/* The limits.* keys in the units the wire and the JSON parser take. */
struct http_limits settings_http_limits(const struct config *config);
struct json_limits settings_json_limits(const struct config *config);

/* Puts the limits.* keys on requests in force, at once and for all loops. */
void settings_rate_limits(const struct config *config, struct rate_limits *limits);

/* Do users' keys come from an issuer? The service then waits for them. */
bool settings_uses_jwks(const struct config *config);
/* How they are fetched; texts borrowed from config. */
MUST_CHECK bool settings_jwks(
        const struct config *config, struct jwks_settings *out, struct err *e);

bool settings_uses_tls(const struct config *config);
/* What connections speak TLS with; NULL when they speak none. The error names the file. */
MUST_CHECK bool settings_tls(
        const struct config *config, OWNED struct tls_context **out, struct err *e);

/* Builds the security service of the configuration. The error names the key or the file. */
MUST_CHECK bool settings_security_service(const struct config *config,
        OWNED struct security_service **out, struct security_report *report, struct err *e);

#endif

/*
 * Configuration, turned into the plain settings that the other folders of shared/ take: they see
 * no configuration, and both daemons map the same keys the same way.
 */
#ifndef SHARED_DAEMON_SETTINGS_H
#define SHARED_DAEMON_SETTINGS_H

#include "shared/config/config.h"
#include "shared/gate/web.h"
#include "shared/security/security_service.h"

/* The limits.* keys in the units the wire and the JSON parser take. */
struct http_limits settings_http_limits(const struct config *config);
struct json_limits settings_json_limits(const struct config *config);

/*
 * Builds the security service of the configuration; refuses a jwks mode, which this version has
 * not. The error names the key or the file.
 */
MUST_CHECK bool settings_security_service(const struct config *config,
        OWNED struct security_service **out, struct security_report *report, struct err *e);

#endif

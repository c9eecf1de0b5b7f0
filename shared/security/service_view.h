/*
 * What one loop makes of one security service: a verifier with OpenSSL contexts of its own, and the
 * contexts of API keys and of "anonymous", made once, so that such a request allocates nothing.
 */
#ifndef SHARED_SECURITY_SERVICE_VIEW_H
#define SHARED_SECURITY_SERVICE_VIEW_H

#include "shared/security/jwt_authenticator.h"
#include "shared/security/security_live.h"

struct service_view { /* plain data; the fields are the view's */
	struct security_service *service;
	uint64_t generation;
	struct jwt_authenticator *jwt;
	const struct security_context *anonymous;     /* NULL while authentication is on */
	const struct security_context **key_contexts; /* one an API key, in its order */
};

/* Of the service in force. */
MUST_CHECK bool service_view_new(
        struct security_live *live, OWNED struct service_view **out, struct err *e);
void service_view_free(struct service_view *v); /* NULL is fine */

AUTO_DEFINE(service_view, struct service_view, service_view_free)

#endif

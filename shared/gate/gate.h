/*
 * The fixed order of a request, once, for both daemons (design §3):
 *
 *   head → route → rate of the address (429) → credential → context (401, 429) → 405
 *   → authorize (403) → grant → rate of the principal (429) → 411 413 415 417
 *   → 100-continue → body → strict JSON → handler → reply → log, metrics
 *
 * A refused request has had no byte of its body parsed, kept or handed on.
 */
#ifndef SHARED_GATE_GATE_H
#define SHARED_GATE_GATE_H

#include "shared/gate/cors.h"
#include "shared/gate/gate_metrics.h"
#include "shared/gate/rate_limit.h"
#include "shared/gate/request.h"
#include "shared/security/authenticator.h"

struct gate; /* one a loop */

struct gate_settings {
	const struct route *routes;
	size_t route_count;
	const char *const *protected_prefixes; /* "/v1/", "/config": unknown paths below are 401
	                                          unless signed in */
	size_t protected_count;
	const char *const
	        *hidden; /* paths of rows switched off by configuration: 404 for everybody */
	size_t hidden_count;
	struct cors cors;
	struct json_limits json;
	bool access_log, log_unknown_permissions;
	const char *realm;          /* "tasker" */
	const char *api_key_header; /* "X-API-Key"; NULL: API keys are not read */
	struct rate_limits *limits; /* shared by all gates; NULL: there are none */
	void *app;                  /* given to handlers */
};

/*
 * settings are copied; what they point to, and the rest, is borrowed and outlives the gate. metrics
 * may be NULL. ERR_FORMAT for a route table that is wrong in itself, see route_table_new().
 */
MUST_CHECK bool gate_new(const struct gate_settings *settings, struct authenticator *authenticator,
        const struct gate_metrics *metrics, OWNED struct gate **out, struct err *e);
void gate_free(struct gate *g); /* after its endpoint: ends the requests nobody answered */

/* What to give http_endpoint_new(). */
struct http_callbacks gate_callbacks(struct gate *g);

AUTO_DEFINE(gate, struct gate, gate_free)

#endif

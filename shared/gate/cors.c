#include "shared/gate/cors.h"

#include <string.h>

#include "shared/gate/request_state.h"

const char *
cors_find(const struct cors *c, struct span origin)
{
	for (size_t i = 0; i < c->count && origin.text != NULL; i++)
		if (strlen(c->origins[i]) == origin.len &&
		        memcmp(c->origins[i], origin.text, origin.len) == 0)
			return c->origins[i];
	return NULL;
}

/* Vary also where the origin is not listed: a cache must not give that answer to one that is. */
size_t
cors_fields(const struct cors *c, const char *origin, struct reply_field *out)
{
	size_t n = 0;

	if (c->count == 0)
		return 0;
	out[n++] = (struct reply_field){"Vary", "Origin"};
	if (origin == NULL)
		return n;
	out[n++] = (struct reply_field){"Access-Control-Allow-Origin", origin};
	out[n++] = (struct reply_field){"Access-Control-Expose-Headers",
	        "Location, Retry-After, WWW-Authenticate, X-Request-Id"};
	return n;
}

void
cors_preflight(struct request *req, const char *methods)
{
	const char *key = req->gate->settings.api_key_header;

	if (req->cors_origin == NULL || !req->fields.preflight)
		return;
	request_reply_field(req, "Access-Control-Allow-Methods", "%s", methods);
	request_reply_field(req, "Access-Control-Allow-Headers",
	        "Authorization, Content-Type, X-Request-Id%s%s", key != NULL ? ", " : "",
	        key != NULL ? key : "");
	request_reply_field(req, "Access-Control-Max-Age", "%d", CORS_MAX_AGE_S);
}

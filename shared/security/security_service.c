#include "shared/security/security_service.h"

#include <stdlib.h>
#include <string.h>

struct security_service {
	bool enabled;
	char *api_key_header;
	struct api_key_registry *api_keys;
};

static const char default_header[] = "X-API-Key";

static bool
fill(struct security_service *s, const struct security_settings *from,
        struct security_report *report, struct err *e)
{
	const char *header = from->api_key_header != NULL ? from->api_key_header : default_header;

	s->enabled = from->enabled;
	s->api_key_header = strdup(header);
	if (s->api_key_header == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the security service");
	return api_key_registry_new(from->api_keys, from->enabled ? from->api_key_count : 0,
	        from->users.strict_permissions, &s->api_keys, report, e);
}

bool
security_service_new(const struct security_settings *settings, OWNED struct security_service **out,
        struct security_report *report, struct err *e)
{
	AUTO(security_service) struct security_service *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the security service");
	if (!fill(s, settings, report, e))
		return false;
	*out = TAKE(s);
	return true;
}

void
security_service_free(struct security_service *s)
{
	if (s == NULL)
		return;
	api_key_registry_free(s->api_keys);
	free(s->api_key_header);
	free(s);
}

bool
security_service_enabled(const struct security_service *s)
{
	return s->enabled;
}

const char *
security_service_api_key_header(const struct security_service *s)
{
	return s->api_key_header;
}

const struct api_key_registry *
security_service_api_keys(const struct security_service *s)
{
	return s->api_keys;
}

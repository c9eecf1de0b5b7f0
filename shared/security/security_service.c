#include "shared/security/security_service.h"

#include <stdlib.h>
#include <string.h>

struct security_service {
	bool enabled;
	char *api_key_header;
	struct trust *users, *workers; /* NULL: no key is configured */
	struct api_key_registry *api_keys;
};

static const char default_header[] = "X-API-Key";

static bool
fill_tokens(struct security_service *s, const struct security_settings *from,
        struct security_report *report, struct err *e)
{
	if (trust_is_configured(&from->users)) {
		if (!trust_new(&from->users, CALLER_USER, &s->users, e))
			return err_while(e, "tokens of users");
	} else if (from->api_key_count == 0)
		security_report_add(report, "authentication is on, but neither a public key nor an "
		                            "API key is configured: everybody is refused");
	if (!trust_is_configured(&from->workers)) {
		security_report_add(report, "no key for workers is configured: internal routes "
		                            "answer 401");
		return true;
	}
	return trust_new(&from->workers, CALLER_SYSTEM, &s->workers, e) ||
	       err_while(e, "tokens of workers");
}

/* Who may choose the audience of users' tokens must not thereby become a worker. */
static bool
classes_are_apart(const struct security_service *s, struct err *e)
{
	if (s->users == NULL || s->workers == NULL)
		return true;
	if (key_set_overlaps(trust_keys(s->users), trust_keys(s->workers)))
		return err_set(e, ERR_CONFLICT,
		        "tokens of workers need a key of their own, not the users'");
	if (strcmp(trust_rules(s->users)->audience, trust_rules(s->workers)->audience) == 0)
		return err_set(e, ERR_CONFLICT,
		        "tokens of workers need an audience of their own, not the users'");
	return true;
}

static bool
fill(struct security_service *s, const struct security_settings *from,
        struct security_report *report, struct err *e)
{
	const char *header = from->api_key_header != NULL ? from->api_key_header : default_header;

	s->enabled = from->enabled;
	s->api_key_header = strdup(header);
	if (s->api_key_header == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the security service");
	if (!api_key_registry_new(from->api_keys, from->enabled ? from->api_key_count : 0,
	            from->users.strict_permissions, &s->api_keys, report, e))
		return false;
	/* Keys of a switched-off authentication are not read: it must start without them. */
	return !from->enabled || (fill_tokens(s, from, report, e) && classes_are_apart(s, e));
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
	trust_free(s->users);
	trust_free(s->workers);
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

const struct trust *
security_service_users(const struct security_service *s)
{
	return s->users;
}

const struct trust *
security_service_workers(const struct security_service *s)
{
	return s->workers;
}

const struct api_key_registry *
security_service_api_keys(const struct security_service *s)
{
	return s->api_keys;
}

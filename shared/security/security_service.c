#include "shared/security/security_service.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/rand.h"

struct security_service {
	atomic_uint refs;
	uint64_t rules;
	bool enabled;
	struct trust *users, *workers; /* NULL: no key is configured */
	struct api_key_registry *api_keys;
	struct revocations *revocations;
};

#define WORKER_KEY_SHARED "tokens of workers need a key of their own, not the users'"

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
		if (from->has_workers)
			security_report_add(report, "no key for workers is configured: internal "
			                            "routes answer 401");
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
	if (trust_keys(s->users) != NULL &&
	        key_set_overlaps(trust_keys(s->users), trust_keys(s->workers)))
		return err_set(e, ERR_CONFLICT, WORKER_KEY_SHARED);
	if (strcmp(trust_rules(s->users)->audience, trust_rules(s->workers)->audience) == 0)
		return err_set(e, ERR_CONFLICT,
		        "tokens of workers need an audience of their own, not the users'");
	return true;
}

static bool
fill(struct security_service *s, const struct security_settings *from,
        struct security_report *report, struct err *e)
{
	s->enabled = from->enabled;
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
	atomic_init(&s->refs, 1);
	s->rules = rand_u64();
	if (!fill(s, settings, report, e))
		return false;
	*out = TAKE(s);
	return true;
}

/* A service of its own that shares the parts of s. */
static struct security_service *
copy(const struct security_service *s)
{
	struct security_service *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	atomic_init(&c->refs, 1);
	c->rules = s->rules;
	c->enabled = s->enabled;
	c->users = trust_ref(s->users);
	c->workers = trust_ref(s->workers);
	c->api_keys = api_key_registry_ref(s->api_keys);
	c->revocations = revocations_ref(s->revocations);
	return c;
}

bool
security_service_with_user_keys(const struct security_service *s, struct key_set *keys,
        OWNED struct security_service **out, struct err *e)
{
	AUTO(security_service) struct security_service *c = copy(s);
	struct trust *users = NULL;

	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the security service");
	if (c->users == NULL)
		return err_set(e, ERR_CONFLICT, "no tokens of users are configured");
	if (keys != NULL && c->workers != NULL && key_set_overlaps(keys, trust_keys(c->workers)))
		return err_set(e, ERR_CONFLICT, WORKER_KEY_SHARED);
	if (!trust_with_keys(c->users, keys, &users, e))
		return false;
	trust_free(c->users);
	c->users = users;
	*out = TAKE(c);
	return true;
}

bool
security_service_with_revocations(const struct security_service *s, struct revocations *revocations,
        OWNED struct security_service **out, struct err *e)
{
	struct security_service *c = copy(s);

	if (c == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the security service");
	revocations_free(c->revocations);
	c->revocations = revocations_ref(revocations);
	*out = c;
	return true;
}

struct revocations *
security_service_revocations(const struct security_service *s)
{
	return s->revocations;
}

struct security_service *
security_service_ref(struct security_service *s)
{
	if (s != NULL)
		atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
security_service_free(struct security_service *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	trust_free(s->users);
	trust_free(s->workers);
	api_key_registry_free(s->api_keys);
	revocations_free(s->revocations);
	free(s);
}

uint64_t
security_service_rules(const struct security_service *s)
{
	return s->rules;
}

bool
security_service_enabled(const struct security_service *s)
{
	return s->enabled;
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

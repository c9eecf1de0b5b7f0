#include "shared/security/service_view.h"

#include <stdio.h>
#include <stdlib.h>

static bool
make_anonymous(struct service_view *v, struct err *e)
{
	struct security_context fields = {
	        .caller = CALLER_USER,
	        .method = AUTH_METHOD_DISABLED,
	        .permissions = permission_set_all(),
	        .subject = "anonymous",
	        .owner = "anonymous",
	};

	return security_service_enabled(v->service) ||
	       security_context_new(&fields, &v->anonymous, e);
}

static bool
make_key_context(const struct api_key *key, const struct security_context **out, struct err *e)
{
	char subject[sizeof("key:") + API_KEY_ID_MAX];
	struct security_context fields = {
	        .caller = CALLER_USER,
	        .method = AUTH_METHOD_API_KEY,
	        .permissions = key->permissions,
	        .subject = subject,
	        .owner = subject,
	        .tenant = key->tenant,
	        .token_id = key->id,
	        .expires_at_s = key->not_after_s,
	};

	(void)snprintf(subject, sizeof(subject), "key:%s", key->id);
	return security_context_new(&fields, out, e);
}

static bool
make_key_contexts(struct service_view *v, struct err *e)
{
	const struct api_key_registry *keys = security_service_api_keys(v->service);
	size_t count = api_key_registry_count(keys);

	v->key_contexts = calloc(count + 1, sizeof(const struct security_context *));
	if (v->key_contexts == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the contexts of API keys");
	for (size_t i = 0; i < count; i++)
		if (!make_key_context(api_key_registry_at(keys, i), &v->key_contexts[i], e))
			return false;
	return true;
}

bool
service_view_new(struct security_live *live, OWNED struct service_view **out, struct err *e)
{
	AUTO(service_view) struct service_view *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a view of the security service");
	v->service = security_live_get(live, &v->generation);
	if (!jwt_authenticator_new(v->service, &v->jwt, e) || !make_anonymous(v, e) ||
	        !make_key_contexts(v, e))
		return false;
	*out = TAKE(v);
	return true;
}

void
service_view_free(struct service_view *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; v->key_contexts != NULL && v->key_contexts[i] != NULL; i++)
		security_context_unref(v->key_contexts[i]);
	free(v->key_contexts);
	security_context_unref(v->anonymous);
	jwt_authenticator_free(v->jwt);
	security_service_free(v->service);
	free(v);
}

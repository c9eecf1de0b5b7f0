/* The keys of [web.auth] and [web.internal] as the settings of a security service. */
#include <stdlib.h>
#include <string.h>

#include "shared/daemon/settings.h"

static const char *
or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

bool
settings_uses_jwks(const struct config *config)
{
	return config->web_auth_enabled &&
	       strcmp(config->web_auth_jwt_verification_method, "jwks") == 0;
}

/* What the settings point to while the service is built. */
struct lists {
	struct api_key_settings *api_keys;
	struct public_key_settings *user_keys, *worker_keys;
	struct permission_mapping *mappings;
};

static void
free_lists(struct lists *lists)
{
	free(lists->api_keys);
	free(lists->user_keys);
	free(lists->worker_keys);
	free(lists->mappings);
}

static void
api_key(const struct config_api_key *from, struct api_key_settings *to)
{
	*to = (struct api_key_settings){
	        .key = or_null(from->key),
	        .key_sha256 = or_null(from->key_sha256),
	        .id = from->id,
	        .description = from->description,
	        .tenant = from->tenant,
	        .permissions = from->permissions.items,
	        .permission_count = from->permissions.count,
	        .not_after_s = from->not_after_us / 1000000,
	        .disabled = from->disabled,
	};
}

static void
public_keys(const struct config_public_key *from, size_t count, struct public_key_settings *to)
{
	for (size_t i = 0; i < count; i++)
		to[i] = (struct public_key_settings){.kid = or_null(from[i].kid),
		        .path = or_null(from[i].path),
		        .pem = or_null(from[i].pem),
		        .algorithm = or_null(from[i].algorithm)};
}

/* "name=words": only the name may hold an = of its own. */
static struct permission_mapping
mapping(const char *item)
{
	const char *equals = strrchr(item, '=');

	return (struct permission_mapping){
	        .name = item, .name_len = (size_t)(equals - item), .permissions = equals + 1};
}

static bool
make_lists(const struct config *c, struct lists *lists, struct err *e)
{
	const struct config_list *map = &c->web_auth_permission_map;

	lists->api_keys = calloc(c->api_key_count + 1, sizeof(*lists->api_keys));
	lists->user_keys = calloc(c->public_key_count + 1, sizeof(*lists->user_keys));
	lists->worker_keys = calloc(c->internal_key_count + 1, sizeof(*lists->worker_keys));
	lists->mappings = calloc(map->count + 1, sizeof(*lists->mappings));
	if (lists->api_keys == NULL || lists->user_keys == NULL || lists->worker_keys == NULL ||
	        lists->mappings == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the security settings");
	for (size_t i = 0; i < c->api_key_count; i++)
		api_key(&c->api_keys[i], &lists->api_keys[i]);
	public_keys(c->public_keys, c->public_key_count, lists->user_keys);
	public_keys(c->internal_keys, c->internal_key_count, lists->worker_keys);
	for (size_t i = 0; i < map->count; i++)
		lists->mappings[i] = mapping(map->items[i]);
	return true;
}

static struct token_settings
user_tokens(const struct config *config, const struct lists *lists)
{
	return (struct token_settings){
	        .keys_awaited = settings_uses_jwks(config),
	        .public_key_pem = or_null(config->web_auth_jwt_public_key),
	        .public_key_path = or_null(config->web_auth_jwt_public_key_path),
	        .public_keys = lists->user_keys,
	        .public_key_count = config->public_key_count,
	        .algorithms = config->web_auth_jwt_allowed_algorithms.items,
	        .algorithm_count = config->web_auth_jwt_allowed_algorithms.count,
	        .issuer = config->web_auth_jwt_issuer,
	        .audience = config->web_auth_jwt_audience,
	        .permissions_claim = config->web_auth_permissions_claim,
	        .permission_map = lists->mappings,
	        .permission_map_count = config->web_auth_permission_map.count,
	        .tenant_claim = config->role == CONFIG_ORCHESTRATION
	                                ? or_null(config->policy_tenant_claim)
	                                : NULL,
	        .leeway_s = config->web_auth_jwt_leeway_seconds,
	        .max_lifetime_s = config->web_auth_jwt_max_lifetime_hours * 3600,
	        .strict_permissions = config->web_auth_strict_validation,
	        .require_typ = config->web_auth_require_typ,
	};
}

/* A worker's credential has a key of its own: never the users' (design §8). */
static struct token_settings
worker_tokens(const struct config *config, const struct lists *lists)
{
	struct token_settings t = user_tokens(config, lists);

	t.keys_awaited = false;
	t.public_key_pem = or_null(config->web_internal_public_key);
	t.public_key_path = or_null(config->web_internal_public_key_path);
	t.public_keys = lists->worker_keys;
	t.public_key_count = config->internal_key_count;
	t.permission_map = NULL;
	t.permission_map_count = 0;
	t.issuer = config->web_internal_issuer;
	t.audience = config->web_internal_audience;
	t.tenant_claim = NULL;
	return t;
}

bool
settings_jwks(const struct config *config, struct jwks_settings *out, struct err *e)
{
	const struct token_settings users = {
	        .algorithms = config->web_auth_jwt_allowed_algorithms.items,
	        .algorithm_count = config->web_auth_jwt_allowed_algorithms.count};

	*out = (struct jwks_settings){.url = config->web_auth_jwks_url,
	        .ca_path = or_null(config->web_auth_jwks_ca_path),
	        .allow_private = config->web_auth_jwks_allow_private,
	        .refresh_us = config->web_auth_jwks_refresh_interval_seconds * 1000000,
	        .max_stale_us = config->web_auth_jwks_max_stale_seconds * 1000000};
	return trust_algorithms(&users, &out->algorithms, e);
}

bool
settings_security_service(const struct config *config, OWNED struct security_service **out,
        struct security_report *report, struct err *e)
{
	struct lists lists = {0};
	struct security_settings settings;
	bool made = make_lists(config, &lists, e);

	if (made) {
		settings = (struct security_settings){
		        .enabled = config->web_auth_enabled,
		        .users = user_tokens(config, &lists),
		        .workers = worker_tokens(config, &lists),
		        .has_workers = config->role == CONFIG_ORCHESTRATION,
		        .api_keys = lists.api_keys,
		        .api_key_count =
		                config->web_auth_api_keys_enabled ? config->api_key_count : 0,
		};
		made = security_service_new(&settings, out, report, e);
	}
	free_lists(&lists);
	return made;
}

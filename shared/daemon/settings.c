#include "shared/daemon/settings.h"

#include <stdlib.h>
#include <string.h>

struct http_limits
settings_http_limits(const struct config *config)
{
	return (struct http_limits){
	        .head_bytes = (size_t)config->limits_head_bytes,
	        .head_fields = (size_t)config->limits_head_fields,
	        .head_us = config->limits_head_timeout_ms * 1000,
	        .body_us = config->limits_body_timeout_ms * 1000,
	        .idle_us = config->limits_idle_timeout_ms * 1000,
	        .write_us = config->limits_write_timeout_ms * 1000,
	        .body_min_rate = (size_t)config->limits_body_min_rate,
	        .unsent = (size_t)config->limits_unsent_bytes,
	        .connections = (size_t)config->limits_connections,
	        .connections_per_address = (size_t)config->limits_connections_per_address,
	        .requests = (size_t)config->limits_requests_per_connection,
	        .lifetime_us = config->limits_connection_max_seconds * 1000000,
	        .memory = (size_t)config->limits_connection_bytes,
	        .pipeline = (size_t)config->limits_pipeline_max,
	};
}

struct json_limits
settings_json_limits(const struct config *config)
{
	return (struct json_limits){
	        .bytes = (size_t)config->limits_body_bytes,
	        .nodes = (size_t)config->limits_json_nodes,
	        .depth = (unsigned)config->limits_json_depth,
	};
}

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

static struct token_settings
user_tokens(const struct config *config)
{
	return (struct token_settings){
	        .keys_awaited = settings_uses_jwks(config),
	        .public_key_pem = or_null(config->web_auth_jwt_public_key),
	        .public_key_path = or_null(config->web_auth_jwt_public_key_path),
	        .algorithms = config->web_auth_jwt_allowed_algorithms.items,
	        .algorithm_count = config->web_auth_jwt_allowed_algorithms.count,
	        .issuer = config->web_auth_jwt_issuer,
	        .audience = config->web_auth_jwt_audience,
	        .permissions_claim = config->web_auth_permissions_claim,
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
worker_tokens(const struct config *config)
{
	struct token_settings t = user_tokens(config);

	t.keys_awaited = false;
	t.public_key_pem = or_null(config->web_internal_public_key);
	t.public_key_path = or_null(config->web_internal_public_key_path);
	t.issuer = config->web_internal_issuer;
	t.audience = config->web_internal_audience;
	t.tenant_claim = NULL;
	return t;
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

bool
settings_jwks(const struct config *config, struct jwks_settings *out, struct err *e)
{
	const struct token_settings users = user_tokens(config);

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
	size_t count = config->web_auth_api_keys_enabled ? config->api_key_count : 0;
	struct api_key_settings *keys;
	struct security_settings settings;
	bool made;

	keys = calloc(count + 1, sizeof(*keys));
	if (keys == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the API keys");
	for (size_t i = 0; i < count; i++)
		api_key(&config->api_keys[i], &keys[i]);
	settings = (struct security_settings){
	        .enabled = config->web_auth_enabled,
	        .users = user_tokens(config),
	        .workers = worker_tokens(config),
	        .api_keys = keys,
	        .api_key_count = count,
	};
	made = security_service_new(&settings, out, report, e);
	free(keys);
	return made;
}

#include "shared/daemon/settings.h"

#include <string.h>

struct http_limits
settings_http_limits(const struct config *config)
{
	return (struct http_limits){
	        .head_bytes = (size_t)config->limits_head_bytes,
	        .head_fields = (size_t)config->limits_head_fields,
	        .handshake_us = config->web_tls_handshake_timeout_ms * 1000,
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

void
settings_rate_limits(const struct config *config, struct rate_limits *limits)
{
	const struct {
		int64_t per_second, burst;
	} rates[RATE__COUNT] = {
	        [RATE_PRINCIPAL] = {config->limits_requests_per_second,
	                            config->limits_requests_burst        },
	        [RATE_ADDRESS] = {config->limits_address_requests_per_second,
	                            config->limits_address_requests_burst},
	        [RATE_VERIFICATION] = {config->limits_verifications_per_second,
	                            config->limits_verifications_burst   },
	};

	for (size_t i = 0; i < RATE__COUNT; i++)
		rate_limit_set(&limits->of[i],
		        (struct rate){(uint32_t)rates[i].per_second, (uint32_t)rates[i].burst});
}

bool
settings_uses_tls(const struct config *config)
{
	return config->web_tls_certificate_path[0] != '\0';
}

bool
settings_tls(const struct config *config, OWNED struct tls_context **out, struct err *e)
{
	const struct tls_settings tls = {.certificate_path = config->web_tls_certificate_path,
	        .key_path = config->web_tls_key_path,
	        .client_ca_path = config->web_tls_client_ca_path[0] != '\0'
	                                  ? config->web_tls_client_ca_path
	                                  : NULL,
	        .only_1_3 = strcmp(config->web_tls_min_version, "1.3") == 0};

	if (settings_uses_tls(config))
		return tls_context_new(&tls, out, e);
	*out = NULL;
	return true;
}

#include "shared/config/config_check.h"

#include <string.h>

#include "shared/config/config_address.h"
#include "shared/config/config_file.h"
#include "shared/config/config_group.h"
#include "shared/config/config_value.h"

/* 64 hexadecimal digits, "sha256:" allowed in front. */
static bool
is_digest(const char *text)
{
	enum { DIGITS = 64 };
	static const char prefix[] = "sha256:";

	if (strncmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	return strlen(text) == DIGITS && strspn(text, "0123456789abcdefABCDEF") == DIGITS;
}

static bool
check_api_key(const struct config *config, struct err *e)
{
	const struct config_api_key *last = &config->api_keys[config->api_key_count - 1];
	bool clear = last->key[0] != '\0';
	bool digest = last->key_sha256[0] != '\0';

	if (last->id[0] == '\0')
		return err_set(e, ERR_MISSING, "an API key has no id");
	if (clear == digest)
		return err_set(
		        e, ERR_FORMAT, "API key %.128s takes one of key and key_sha256", last->id);
	if (digest && !is_digest(last->key_sha256))
		return err_set(e, ERR_FORMAT,
		        "key_sha256 of API key %.128s is not 64 hexadecimal digits", last->id);
	for (const struct config_api_key *other = config->api_keys; other < last; other++)
		if (strcmp(other->id, last->id) == 0)
			return err_set(e, ERR_CONFLICT, "there are two API keys %.128s", last->id);
	return true;
}

static bool
check_public_key(const struct config_public_key *all, size_t count, struct err *e)
{
	const struct config_public_key *last = &all[count - 1];

	if ((last->path[0] != '\0') == (last->pem[0] != '\0'))
		return err_set(e, ERR_FORMAT, "public key \"%.128s\" takes one of path and pem",
		        last->kid);
	for (const struct config_public_key *other = all; other < last; other++)
		if (last->kid[0] != '\0' && strcmp(other->kid, last->kid) == 0)
			return err_set(
			        e, ERR_CONFLICT, "there are two public keys \"%.128s\"", last->kid);
	return true;
}

static bool
check_handler(const struct config *config, struct err *e)
{
	const struct config_handler *last = &config->handlers[config->handler_count - 1];

	if (last->name[0] == '\0')
		return err_set(e, ERR_MISSING, "a handler has no name");
	if (last->command.count == 0)
		return err_set(e, ERR_MISSING, "handler %.128s has no command", last->name);
	if (last->command.items[0][0] == '\0')
		return err_set(e, ERR_FORMAT, "the command of handler %.128s is empty", last->name);
	if (strcmp(last->kind, "exec") == 0 && last->callables.count == 0)
		return err_set(e, ERR_MISSING,
		        "handler %.128s announces nothing, being exec: it needs callables",
		        last->name);
	for (const struct config_handler *other = config->handlers; other < last; other++)
		if (strcmp(other->name, last->name) == 0)
			return err_set(
			        e, ERR_CONFLICT, "there are two handlers %.128s", last->name);
	return true;
}

bool
config_check_element(const struct config *config, enum config_group group, struct err *e)
{
	switch (group) {
	case CONFIG_API_KEY:
		return check_api_key(config, e);
	case CONFIG_PUBLIC_KEY:
		return check_public_key(config->public_keys, config->public_key_count, e);
	case CONFIG_INTERNAL_KEY:
		return check_public_key(config->internal_keys, config->internal_key_count, e);
	case CONFIG_HANDLER:
		return check_handler(config, e);
	case CONFIG_KEY:
	case CONFIG_GROUPS:
		break;
	}
	return true;
}

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* RFC 9110 section 5.6.2. */
static bool
is_token(const char *text)
{
	return strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

/* "https://host:port" without a path, as browsers spell it: compared byte for byte, anything else
 * would never match. */
static bool
is_origin(const char *text)
{
	const char *host = strstr(text, "://");

	if (!starts(text, "http://") && !starts(text, "https://"))
		return false;
	return host[3] != '\0' && strpbrk(host + 3, "/?#@ ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL;
}

static void
check_origin(const char *text, struct config_lines *problems)
{
	if (strcmp(text, "*") == 0)
		config_lines_add(problems, "web.cors_origins does not take \"*\": list the origins "
		                           "whose scripts may read answers");
	else if (!is_origin(text))
		config_lines_add(problems,
		        "web.cors_origins takes origins such as https://ui.example.com, in lower "
		        "case and without a path");
}

static void
check_web(const struct config *c, struct config_lines *problems)
{
	struct config_address address = {0};
	struct err e = {0};

	if (!config_address_parse(c->web_bind_address, &address, &e))
		config_lines_add(problems, "web.bind_address: %s", e.text);
	else if (!address.loopback && !c->web_auth_enabled && !c->web_allow_unauthenticated_remote)
		config_lines_add(problems,
		        "web.bind_address %s lets other hosts in while web.auth.enabled is false: "
		        "enable it, or set web.allow_unauthenticated_remote = true",
		        c->web_bind_address);
	if (!is_token(c->web_auth_api_key_header))
		config_lines_add(problems, "web.auth.api_key_header is no name of a header");
	for (size_t i = 0; i < c->web_cors_origins.count; i++)
		check_origin(c->web_cors_origins.items[i], problems);
}

static void
check_tls(const struct config *c, struct config_lines *problems)
{
	const bool certificate = c->web_tls_certificate_path[0] != '\0';

	if (certificate != (c->web_tls_key_path[0] != '\0'))
		config_lines_add(
		        problems, "web.tls.certificate_path and web.tls.key_path go together");
	if (!certificate && c->web_tls_client_ca_path[0] != '\0')
		config_lines_add(problems,
		        "web.tls.client_ca_path asks clients for certificates, which only TLS "
		        "can: give web.tls.certificate_path");
}

static void
check_jwks(const struct config *c, struct config_lines *problems)
{
	const char *url = c->web_auth_jwks_url;

	if (url[0] == '\0')
		config_lines_add(
		        problems, "web.auth.jwt_verification_method = \"jwks\" needs jwks_url");
	else if (!starts(url, "https://") &&
	         !(starts(url, "http://") && c->web_auth_jwks_url_allow_http))
		config_lines_add(problems,
		        "web.auth.jwks_url must be https://, or http:// with jwks_url_allow_http");
	else if (strpbrk(url, "@#\\ ") != NULL)
		config_lines_add(problems,
		        "web.auth.jwks_url must have no user name, fragment, backslash or space");
}

static void
check_auth(const struct config *c, struct config_lines *problems)
{
	bool jwks = strcmp(c->web_auth_jwt_verification_method, "jwks") == 0;
	bool public_key = c->web_auth_jwt_public_key[0] != '\0' ||
	                  c->web_auth_jwt_public_key_path[0] != '\0' || c->public_key_count > 0;
	bool api_keys = c->web_auth_api_keys_enabled && c->api_key_count > 0;

	if (!c->web_auth_enabled)
		return;
	if (jwks)
		check_jwks(c, problems);
	else if (!public_key && !api_keys)
		config_lines_add(problems,
		        "web.auth.enabled lets nobody in: give jwt_public_key_path or "
		        "[[web.auth.api_keys]]");
}

static void
check_orchestration(const struct config *c, struct config_lines *problems)
{
	if (!starts(c->store_url, "sqlite:") || strlen(c->store_url) == strlen("sqlite:"))
		config_lines_add(problems, "store.url takes sqlite:relative or sqlite:///absolute");
	if (c->engine_beat_ms * 2 > c->engine_lease_ms)
		config_lines_add(problems, "engine.beat_ms is more than half of engine.lease_ms");
	if (c->limits_poll_body_bytes < c->limits_step_result_bytes)
		config_lines_add(
		        problems, "limits.poll_body_bytes is less than limits.step_result_bytes");
}

static void
check_worker(const struct config *c, struct config_notes *notes)
{
	if (!starts(c->link_url, "http://") && !starts(c->link_url, "https://"))
		config_lines_add(&notes->problems, "link.url must be http:// or https://");
	if (c->limits_frame_bytes < c->limits_step_result_bytes)
		config_lines_add(&notes->problems,
		        "limits.frame_bytes is less than limits.step_result_bytes");
	if (c->link_token_path[0] != '\0')
		config_file_check(c->link_token_path, true, c->web_auth_enabled, notes);
}

void
config_check(const struct config *config, struct config_notes *notes)
{
	const struct config *c = config;

	check_web(c, &notes->problems);
	check_tls(c, &notes->problems);
	check_auth(c, &notes->problems);
	if (c->limits_connections > 0 && c->limits_connections_per_address > c->limits_connections)
		config_lines_add(&notes->problems,
		        "limits.connections_per_address is more than limits.connections");
	if (c->role == CONFIG_WORKER)
		check_worker(c, notes);
	else
		check_orchestration(c, &notes->problems);
}

bool
config_check_idle(const struct config *config, struct config_notes *notes, struct err *e)
{
	AUTO(config) struct config *preset = NULL;
	const struct config_key *key;

	if (!config_group_new(config->role, &preset, e))
		return false;
	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		if ((key->flags & CONFIG_IDLE) != 0 && (key->roles & config->role) != 0 &&
		        !config_value_same(key, config, preset))
			config_lines_add(
			        &notes->warnings, "%s has no effect in this version", key->name);
	return true;
}

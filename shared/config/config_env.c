#include "shared/config/config_env.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/suggest.h"
#include "shared/config/config_value.h"

/* Variables of the tool, of handlers and of Tasker's own files, which are no keys. */
static const char *const others[] = {
        "TASKER_CONFIG_PATH",
        "TASKER_CONFIG_ROOT",
        "TASKER_ENV",
        "TASKER_AUTH_TOKEN",
        "TASKER_ORCHESTRATION_AUTH_TOKEN",
        "TASKER_WORKER_AUTH_TOKEN",
        "TASKER_API_KEY",
        "TASKER_API_KEY_HEADER",
        "TASKER_ORCHESTRATION_URL",
        "TASKER_WORKER_URL",
        "TASKER_ORCHESTRATION_TIMEOUT_MS",
        "TASKER_WORKER_TIMEOUT_MS",
        "TASKER_ORCHESTRATION_GRPC_URL",
        "TASKER_WORKER_GRPC_URL",
        "TASKER_CLIENT_PROFILE",
        "TASKER_CLIENT_TRANSPORT",
        "TASKER_TEST_TRANSPORT",
        "TASKER_JWT_PUBLIC_KEY",
        "TASKER_JWT_PUBLIC_KEY_PATH",
        "TASKER_JWT_PRIVATE_KEY_PATH",
        "TASKER_TEMPLATE_PATH",
        "TASKER_MESSAGING_BACKEND",
        "TASKER_INSTANCE_ID",
        "TASKER_INSTANCE_PORT",
        "TASKER_ORCHESTRATION_GRPC_BIND_ADDRESS",
        "TASKER_WORKER_GRPC_BIND_ADDRESS",
        "TASKER_VECTORS",
        "TASKER_INPUT",
        "TASKER_RESULT",
        "TASKER_TASK_ID",
};

/* Does the entry "NAME=value" have that name? */
static bool
is_named(const char *entry, const char *name, size_t len)
{
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static const char *
find_entry(const char *const *env, const char *name, size_t len)
{
	for (; env != NULL && *env != NULL; env++)
		if (is_named(*env, name, len))
			return *env;
	return NULL;
}

bool
config_env_refers(const char *text)
{
	return strstr(text, "${") != NULL;
}

/* Takes "${NAME}" or "${NAME:-default}" apart; false if text is anything more or less. */
static bool
split(const char *text, size_t *name_len, const char **preset, size_t *preset_len)
{
	size_t len = strlen(text);
	size_t name =
	        strspn(text + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	const char *rest = text + 2 + name;

	if (strncmp(text, "${", 2) != 0 || name == 0 || text[len - 1] != '}' ||
	        strstr(rest, "${") != NULL)
		return false;
	*name_len = name;
	*preset = strncmp(rest, ":-", 2) == 0 ? rest + 2 : NULL;
	*preset_len = *preset == NULL ? 0 : (size_t)(text + len - 1 - *preset);
	return *preset == NULL ? strcmp(rest, "}") == 0 : strchr(*preset, '}') == text + len - 1;
}

static bool
copy(const char *text, size_t len, OWNED char **out, struct err *e)
{
	char *value = strndup(text, len);

	if (value == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	*out = value;
	return true;
}

bool
config_env_expand(struct config_layer *layer, const char *text, OWNED char **out, struct err *e)
{
	const char *preset = NULL, *entry;
	size_t name_len = 0, preset_len = 0;

	if (!split(text, &name_len, &preset, &preset_len))
		return err_set(e, ERR_FORMAT,
		        "${NAME} or ${NAME:-default} must be the whole value, not a part of it");
	entry = find_entry(layer->env, text + 2, name_len);
	if (entry != NULL && layer->used_count < CONFIG_USED_MAX)
		layer->used[layer->used_count++] = entry;
	if (entry != NULL && (preset == NULL || entry[name_len + 1] != '\0'))
		return copy(entry + name_len + 1, strlen(entry + name_len + 1), out, e);
	if (preset == NULL)
		return err_set(e, ERR_MISSING, "the environment has no %.*s",
		        name_len > 64 ? 64 : (int)name_len, text + 2);
	return copy(preset, preset_len, out, e);
}

/* A variable that names a key: which one, and with which role in front (0: none). */
struct named {
	const struct config_key *key;
	unsigned role;
};

static struct named
find_key(const char *entry)
{
	static const unsigned roles[] = {0, CONFIG_ORCHESTRATION, CONFIG_WORKER};
	const struct config_key *key;

	for (size_t i = 0; i < COUNT(roles); i++)
		for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
			char name[CONFIG_ENV_MAX];

			config_key_env(key, roles[i], name);
			if (key->group == CONFIG_KEY && is_named(entry, name, strlen(name)))
				return (struct named){key, roles[i]};
		}
	return (struct named){0};
}

static bool
is_known(const struct config_layer *layer, const char *entry)
{
	for (size_t i = 0; i < COUNT(others); i++)
		if (is_named(entry, others[i], strlen(others[i])))
			return true;
	for (size_t i = 0; i < layer->used_count; i++)
		if (layer->used[i] == entry)
			return true;
	return find_key(entry).key != NULL;
}

static void
warn_unknown(struct config_layer *layer, const char *entry)
{
	size_t len = strcspn(entry, "=");
	const struct config_key *key;
	char name[CONFIG_ENV_MAX], meant[CONFIG_ENV_MAX];

	if (len < sizeof(name)) {
		memcpy(name, entry, len);
		name[len] = '\0';
		for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
			config_key_env(key, 0, meant);
			if (key->group == CONFIG_KEY && suggest_distance(name, meant) <= 2) {
				config_lines_add(&layer->notes->warnings,
				        "%s is no variable of Tasker; did you mean %s?", name,
				        meant);
				return;
			}
		}
	}
	config_lines_add(&layer->notes->warnings, "%.*s is no variable of Tasker",
	        len > CONFIG_ENV_MAX ? CONFIG_ENV_MAX : (int)len, entry);
}

/* Applies the variables of one form: with that role in front, or with none. */
static bool
apply_form(struct config_layer *layer, unsigned role, struct err *e)
{
	for (const char *const *env = layer->env; *env != NULL; env++) {
		const char *value = *env + strcspn(*env, "=");
		struct named named = {0};
		char label[CONFIG_ENV_MAX];

		if (strncmp(*env, "TASKER_", 7) == 0 && value[0] == '=' && value[1] != '\0')
			named = find_key(*env);
		if (named.key == NULL || named.role != role ||
		        (named.key->roles & layer->accepts) == 0)
			continue;
		config_key_env(named.key, role, label);
		if (config_value_read(named.key, layer->config, value + 1, e))
			continue;
		if (e->code == ERR_NOMEM)
			return false;
		layer->label = label;
		config_layer_problem(layer, 0, "%s", e->text);
		layer->label = "";
	}
	return true;
}

bool
config_env_apply(struct config_layer *layer, struct err *e)
{
	if (layer->env == NULL)
		return true;
	for (const char *const *env = layer->env; *env != NULL; env++)
		if (strncmp(*env, "TASKER_", 7) == 0 && !is_known(layer, *env))
			warn_unknown(layer, *env);
	return apply_form(layer, 0, e) && apply_form(layer, layer->config->role, e);
}

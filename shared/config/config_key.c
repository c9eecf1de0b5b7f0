#include "shared/config/config_key.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/suggest.h"
#include "shared/config/config.h"

/* Words of the table's columns. */
enum {
	LIVE = CONFIG_LIVE,
	FIXED = CONFIG_FIXED,
	PUBLIC = CONFIG_PUBLIC,
	SECRET = CONFIG_SECRET,
	HIDDEN = CONFIG_HIDDEN,
	URL = CONFIG_URL,
	ADDRESS = CONFIG_ADDRESS,
	VERBATIM = CONFIG_VERBATIM,
	REFUSED = CONFIG_REFUSED,
	IDLE = CONFIG_IDLE,
	WORDS = CONFIG_WORDS,
};

#define TYPE_BOOL .type = CONFIG_BOOL
#define TYPE_INT .type = CONFIG_INT
#define TYPE_TEXT .type = CONFIG_TEXT
#define TYPE_ONE_OF(list) .type = CONFIG_ONE_OF, .choices = (list)
#define TYPE_LIST .type = CONFIG_LIST
#define TYPE_LIST_OF(list) .type = CONFIG_LIST_OF, .choices = (list)
#define TYPE_TIME .type = CONFIG_TIME
#define TYPE_MAP .type = CONFIG_MAP

#define ROW(where, of, key, role, type_, field, preset, low, high, flag, text)                     \
	{.name = (key),                                                                            \
	        .roles = CONFIG_##role,                                                            \
	        TYPE_##type_,                                                                      \
	        .fallback = (preset),                                                              \
	        .min = (low),                                                                      \
	        .max = (high),                                                                     \
	        .flags = (flag),                                                                   \
	        .help = (text),                                                                    \
	        .group = (where),                                                                  \
	        .offset = offsetof(struct of, field)},

static const struct config_key keys[] = {
#define KEY(...) ROW(CONFIG_KEY, config, __VA_ARGS__)
#define API_KEY(...) ROW(CONFIG_API_KEY, config_api_key, __VA_ARGS__)
#define PUBLIC_KEY(...) ROW(CONFIG_PUBLIC_KEY, config_public_key, __VA_ARGS__)
#define INTERNAL_KEY(...) ROW(CONFIG_INTERNAL_KEY, config_public_key, __VA_ARGS__)
#define HANDLER(...) ROW(CONFIG_HANDLER, config_handler, __VA_ARGS__)
#include "shared/config/config_keys.def"
};

static const struct {
	const char *name, *fallback;
} worker_defaults[] = {
#define WORKER_DEFAULT(key, preset) {(key), (preset)},
#include "shared/config/config_keys.def"
};

const char *
config_role_name(enum config_role role)
{
	return role == CONFIG_WORKER ? "worker" : "orchestration";
}

const char *
config_group_name(enum config_group group)
{
	static const char *const names[CONFIG_GROUPS] = {[CONFIG_API_KEY] = "web.auth.api_keys",
	        [CONFIG_PUBLIC_KEY] = "web.auth.public_keys",
	        [CONFIG_INTERNAL_KEY] = "web.internal.public_keys",
	        [CONFIG_HANDLER] = "handlers"};

	return names[group];
}

const struct config_key *
config_key_at(size_t n)
{
	return n < COUNT(keys) ? &keys[n] : NULL;
}

const struct config_key *
config_key_find(enum config_role roles, const char *name)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if ((keys[i].roles & roles) != 0 && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

const char *
config_key_default(const struct config_key *key, enum config_role role)
{
	for (size_t i = 0; role == CONFIG_WORKER && i < COUNT(worker_defaults); i++)
		if (strcmp(worker_defaults[i].name, key->name) == 0)
			return worker_defaults[i].fallback;
	return key->fallback;
}

bool
config_key_has_section(enum config_role roles, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < COUNT(keys); i++)
		if ((keys[i].roles & roles) != 0 && strncmp(keys[i].name, name, len) == 0 &&
		        keys[i].name[len] == '.')
			return true;
	return false;
}

/* Two slips are a slip; three are another word. */
enum { FAR = 3 };

static void
copy_name(char out[CONFIG_NAME_MAX], const char *name, size_t len)
{
	assert(len < CONFIG_NAME_MAX);
	memcpy(out, name, len);
	out[len] = '\0';
}

static const char *
last_word(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot == NULL ? name : dot + 1;
}

bool
config_key_suggest(enum config_role roles, const char *name, char out[CONFIG_NAME_MAX])
{
	const struct config_key *best = NULL;
	size_t nearest = FAR;

	for (size_t i = 0; i < COUNT(keys); i++) {
		size_t distance = suggest_distance(keys[i].name, name);

		if ((keys[i].roles & roles) != 0 && distance < nearest) {
			best = &keys[i];
			nearest = distance;
		}
	}
	for (size_t i = 0; best == NULL && i < COUNT(keys); i++)
		if ((keys[i].roles & roles) != 0 &&
		        strcmp(last_word(keys[i].name), last_word(name)) == 0)
			best = &keys[i];
	if (best == NULL)
		return false;
	copy_name(out, best->name, strlen(best->name));
	return true;
}

bool
config_key_suggest_section(enum config_role roles, const char *name, char out[CONFIG_NAME_MAX])
{
	size_t nearest = FAR;

	for (size_t i = 0; i < COUNT(keys); i++) {
		const char *full = keys[i].name;

		if ((keys[i].roles & roles) == 0)
			continue;
		for (const char *dot = strchr(full, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
			char section[CONFIG_NAME_MAX];
			size_t distance;

			copy_name(section, full, (size_t)(dot - full));
			distance = suggest_distance(section, name);
			if (distance < nearest) {
				nearest = distance;
				copy_name(out, section, strlen(section));
			}
		}
	}
	return nearest < FAR;
}

void
config_key_env(const struct config_key *key, unsigned role, char out[CONFIG_ENV_MAX])
{
	int n = snprintf(out, CONFIG_ENV_MAX, "TASKER_%s%s%s",
	        role == 0 ? "" : config_role_name((enum config_role)role), role == 0 ? "" : "_",
	        key->name);

	assert(n > 0 && n < CONFIG_ENV_MAX);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)(*c == '.' ? '_' : toupper((unsigned char)*c));
}

#include "shared/config/config_group.h"

#include <stdlib.h>
#include <string.h>

#include "shared/config/config_value.h"

static const struct shape {
	size_t size, max;
} shapes[CONFIG_GROUPS] = {
        [CONFIG_KEY] = {sizeof(struct config),            1                     },
        [CONFIG_API_KEY] = {sizeof(struct config_api_key),    CONFIG_API_KEYS_MAX   },
        [CONFIG_PUBLIC_KEY] = {sizeof(struct config_public_key), CONFIG_PUBLIC_KEYS_MAX},
        [CONFIG_INTERNAL_KEY] = {sizeof(struct config_public_key), CONFIG_PUBLIC_KEYS_MAX},
        [CONFIG_HANDLER] = {sizeof(struct config_handler),    CONFIG_HANDLERS_MAX   },
};

/* An array of elements as bytes. */
struct elements {
	char *first;
	size_t count;
};

static struct elements
elements_of(const struct config *c, enum config_group group)
{
	switch (group) {
	case CONFIG_API_KEY:
		return (struct elements){(char *)c->api_keys, c->api_key_count};
	case CONFIG_PUBLIC_KEY:
		return (struct elements){(char *)c->public_keys, c->public_key_count};
	case CONFIG_INTERNAL_KEY:
		return (struct elements){(char *)c->internal_keys, c->internal_key_count};
	case CONFIG_HANDLER:
		return (struct elements){(char *)c->handlers, c->handler_count};
	case CONFIG_KEY:
	case CONFIG_GROUPS:
		break;
	}
	return (struct elements){NULL, 1};
}

static void
set_elements(struct config *c, enum config_group group, struct elements to)
{
	switch (group) {
	case CONFIG_API_KEY:
		c->api_keys = (void *)to.first;
		c->api_key_count = to.count;
		break;
	case CONFIG_PUBLIC_KEY:
		c->public_keys = (void *)to.first;
		c->public_key_count = to.count;
		break;
	case CONFIG_INTERNAL_KEY:
		c->internal_keys = (void *)to.first;
		c->internal_key_count = to.count;
		break;
	case CONFIG_HANDLER:
		c->handlers = (void *)to.first;
		c->handler_count = to.count;
		break;
	case CONFIG_KEY:
	case CONFIG_GROUPS:
		break;
	}
}

size_t
config_group_count(const struct config *config, enum config_group group)
{
	return elements_of(config, group).count;
}

BORROWED const void *
config_group_element(const struct config *config, enum config_group group, size_t nth)
{
	if (group == CONFIG_KEY)
		return config;
	return elements_of(config, group).first + nth * shapes[group].size;
}

enum config_group
config_group_find(enum config_role roles, const char *name)
{
	for (enum config_group group = CONFIG_API_KEY; group < CONFIG_GROUPS; group++)
		if (strcmp(config_group_name(group), name) == 0 &&
		        config_key_has_section(roles, name))
			return group;
	return CONFIG_KEY;
}

/* Gives every field of one struct its default. What fails leaves a struct that can be freed. */
static bool
reset(enum config_group group, enum config_role role, void *base, struct err *e)
{
	const struct config_key *key;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		if (key->group == group && !config_value_reset(key, role, base, e))
			return false;
	return true;
}

static void
release(enum config_group group, void *base)
{
	const struct config_key *key;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		if (key->group == group)
			config_value_release(key, base);
}

bool
config_group_new(enum config_role role, OWNED struct config **out, struct err *e)
{
	AUTO(config) struct config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a configuration");
	config->role = role;
	if (!reset(CONFIG_KEY, role, config, e))
		return false;
	*out = TAKE(config);
	return true;
}

bool
config_group_append(
        struct config *config, enum config_group group, BORROWED void **out, struct err *e)
{
	struct elements all = elements_of(config, group);
	const struct shape *shape = &shapes[group];
	char *grown, *element;

	if (all.count >= shape->max)
		return err_set(e, ERR_LIMIT, "there may be %zu of [[%s]]", shape->max,
		        config_group_name(group));
	grown = realloc(all.first, (all.count + 1) * shape->size);
	if (grown == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for [[%s]]", config_group_name(group));
	element = grown + all.count * shape->size;
	memset(element, 0, shape->size);
	set_elements(config, group, (struct elements){grown, all.count + 1});
	if (!reset(group, config->role, element, e))
		return false;
	*out = element;
	return true;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (enum config_group group = CONFIG_API_KEY; group < CONFIG_GROUPS; group++) {
		struct elements all = elements_of(config, group);

		for (size_t i = 0; i < all.count; i++)
			release(group, all.first + i * shapes[group].size);
		free(all.first);
	}
	release(CONFIG_KEY, config);
	free(config->path);
	free(config);
}

struct changes {
	struct config_lines *lines; /* NULL: nobody reads them */
	struct err *e;
	bool any;
};

/* e keeps the first. */
static void
note_change(struct changes *c, const char *before, const char *name, const char *behind)
{
	if (!c->any)
		(void)err_set(c->e, ERR_CONFLICT, "%s%s%s needs a restart to change", before, name,
		        behind);
	if (c->lines != NULL)
		config_lines_add(
		        c->lines, "%s%s%s needs a restart to change", before, name, behind);
	c->any = true;
}

/* The fixed keys in which two structs differ. */
static void
compare(enum config_group group, const void *a, const void *b, struct changes *c)
{
	const struct config_key *key;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		if (key->group == group && (key->flags & CONFIG_FIXED) != 0 &&
		        !config_value_same(key, a, b))
			note_change(c, "", key->name, "");
}

static bool
is_fixed(enum config_group group)
{
	const struct config_key *key;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		if (key->group == group && (key->flags & CONFIG_FIXED) != 0)
			return true;
	return false;
}

bool
config_reload_ok(const struct config *running, const struct config *next,
        struct config_lines *changed, struct err *e)
{
	struct changes c = {.lines = changed, .e = e};

	for (enum config_group group = CONFIG_KEY; group < CONFIG_GROUPS; group++) {
		size_t count = config_group_count(running, group);

		if (!is_fixed(group))
			continue;
		if (count != config_group_count(next, group)) {
			note_change(&c, "[[", config_group_name(group), "]]");
			continue;
		}
		for (size_t i = 0; i < count; i++)
			compare(group, config_group_element(running, group, i),
			        config_group_element(next, group, i), &c);
	}
	return !c.any;
}

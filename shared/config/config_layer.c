#include "shared/config/config_layer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/config/config_check.h"
#include "shared/config/config_env.h"
#include "shared/config/config_group.h"
#include "shared/config/config_toml.h"
#include "shared/config/config_url.h"
#include "shared/config/config_value.h"

void
config_layer_problem(struct config_layer *layer, int line, const char *fmt, ...)
{
	char text[CONFIG_NOTE_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (layer->has_lines && line > 0)
		config_lines_add(&layer->notes->problems, "%s:%d: %s", layer->label, line, text);
	else
		config_lines_add(&layer->notes->problems, "%s: %s", layer->label, text);
}

static size_t
problem_count(const struct config_layer *layer)
{
	return layer->notes->problems.count + layer->notes->problems.more;
}

/* A bad value becomes a note; want of memory ends the walk. */
static enum toml_go
refuse(struct config_layer *layer, int line, const struct err *e)
{
	if (e->code == ERR_NOMEM)
		return TOML_STOP;
	config_layer_problem(layer, line, "%s", e->text);
	return TOML_SKIP;
}

static enum toml_go
unknown_key(struct config_layer *layer, const struct toml_event *event)
{
	const struct config_key *foreign = config_key_find(CONFIG_BOTH, event->key);
	char meant[CONFIG_NAME_MAX];

	if (foreign != NULL)
		config_layer_problem(layer, event->line, "%s is a key of the %s's configuration",
		        event->key, config_role_name(foreign->roles));
	else if (config_key_has_section(layer->accepts, event->key))
		config_layer_problem(
		        layer, event->line, "%s is a section: [%s]", event->key, event->key);
	else if (config_key_suggest(layer->accepts, event->key, meant))
		config_layer_problem(layer, event->line, "there is no key %.80s; did you mean %s?",
		        event->key, meant);
	else
		config_layer_problem(layer, event->line, "there is no key %.160s", event->key);
	return TOML_GO;
}

static enum toml_go
unknown_section(struct config_layer *layer, const struct toml_event *event)
{
	const char *foreign = layer->accepts == CONFIG_WORKER ? "orchestration" : "worker";
	char meant[CONFIG_NAME_MAX];

	if (config_key_has_section(CONFIG_BOTH, event->key))
		config_layer_problem(layer, event->line,
		        "[%s] is a section of the %s's configuration", event->key, foreign);
	else if (config_key_suggest_section(layer->accepts, event->key, meant))
		config_layer_problem(layer, event->line,
		        "there is no section [%.80s]; did you mean [%s]?", event->key, meant);
	else
		config_layer_problem(
		        layer, event->line, "there is no section [%.160s]", event->key);
	return TOML_SKIP;
}

static enum toml_go
on_table(struct config_layer *layer, const struct toml_event *event)
{
	const struct config_key *key = config_key_find(layer->accepts, event->key);

	if (config_group_find(layer->accepts, event->key) != CONFIG_KEY) {
		config_layer_problem(layer, event->line, "%s is a list of tables: [[%s]]",
		        event->key, event->key);
		return TOML_SKIP;
	}
	if (key != NULL && key->type != CONFIG_MAP) {
		config_layer_problem(layer, event->line, "%s is a key, not a section", event->key);
		return TOML_SKIP;
	}
	if (key != NULL && (key->flags & CONFIG_WORDS) != 0)
		return TOML_ANY;
	if (key != NULL || config_key_has_section(layer->accepts, event->key))
		return TOML_GO;
	return unknown_section(layer, event);
}

static enum toml_go
on_element(struct config_layer *layer, const struct toml_event *event, struct err *e)
{
	enum config_group group = config_group_find(layer->accepts, event->key);

	if (group == CONFIG_KEY && config_key_has_section(layer->accepts, event->key)) {
		config_layer_problem(
		        layer, event->line, "%s is one table: [%s]", event->key, event->key);
		return TOML_SKIP;
	}
	if (group == CONFIG_KEY && config_key_find(layer->accepts, event->key) != NULL) {
		config_layer_problem(layer, event->line, "%s takes no list of tables", event->key);
		return TOML_SKIP;
	}
	if (group == CONFIG_KEY)
		return unknown_section(layer, event);
	if (!config_group_append(layer->config, group, &layer->element, e))
		return refuse(layer, event->line, e);
	layer->group = group;
	layer->problems = problem_count(layer);
	return TOML_GO;
}

/* An element is judged as a whole only if its values are sound. */
static enum toml_go
on_element_end(struct config_layer *layer, const struct toml_event *event)
{
	struct err e = {0};

	if (problem_count(layer) == layer->problems &&
	        !config_check_element(layer->config, layer->group, &e))
		config_layer_problem(layer, event->line, "%s", e.text);
	layer->group = CONFIG_KEY;
	return TOML_GO;
}

/* The field's struct. An element's key is met inside its element only: its section is refused as a
 * plain table. */
static void *
base_of(struct config_layer *layer, const struct config_key *key)
{
	return key->group == CONFIG_KEY ? (void *)layer->config : layer->element;
}

static bool
set_referred(
        struct config_layer *layer, const struct config_key *key, const char *text, struct err *e)
{
	char *value = NULL;
	bool ok;

	if (!config_env_expand(layer, text, &value, e))
		return err_while(e, "%s", key->name);
	ok = config_value_read(key, base_of(layer, key), value, e);
	free(value);
	return ok;
}

static bool
any_refers(const struct toml_event *event)
{
	for (size_t i = 0; i < event->count; i++)
		if (config_env_refers(event->items[i]))
			return true;
	return false;
}

/* A list some items of which are references. */
static bool
set_referred_list(struct config_layer *layer, const struct config_key *key,
        const struct toml_event *event, struct err *e)
{
	char **items = calloc(event->count, sizeof(*items));
	struct toml_event expanded = *event;
	bool ok = true;

	if (items == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for %s", key->name);
	for (size_t i = 0; ok && i < event->count; i++) {
		if (config_env_refers(event->items[i])) {
			ok = config_env_expand(layer, event->items[i], &items[i], e) ||
			     err_while(e, "%s", key->name);
			continue;
		}
		items[i] = strdup(event->items[i]);
		ok = items[i] != NULL || err_set(e, ERR_NOMEM, "out of memory for %s", key->name);
	}
	expanded.items = (const char *const *)items;
	ok = ok && config_value_set(key, base_of(layer, key), &expanded, e);
	for (size_t i = 0; i < event->count; i++)
		free(items[i]);
	free(items);
	return ok;
}

static bool
set_key(struct config_layer *layer, const struct config_key *key, const struct toml_event *event,
        struct err *e)
{
	bool verbatim = (key->flags & CONFIG_VERBATIM) != 0;

	if (!verbatim && event->kind == TOML_TEXT && config_env_refers(event->text))
		return set_referred(layer, key, event->text, e);
	if (!verbatim && event->kind == TOML_LIST && any_refers(event))
		return set_referred_list(layer, key, event, e);
	if (event->text != NULL &&
	        (((key->flags & CONFIG_SECRET) != 0 && event->text[0] != '\0') ||
	                ((key->flags & CONFIG_URL) != 0 && config_url_has_password(event->text))))
		layer->holds_secret = true;
	return config_value_set(key, base_of(layer, key), event, e);
}

/* "handlers.env.PATH": the map and, behind the dot, the name, which may hold dots of its own. NULL
 * if it is no map's member. */
static const struct config_key *
find_map(const struct config_layer *layer, const char *name, const char **member)
{
	const struct config_key *key;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
		size_t len = strlen(key->name);

		if (key->type != CONFIG_MAP || (key->roles & layer->accepts) == 0 ||
		        strncmp(name, key->name, len) != 0 || name[len] != '.')
			continue;
		*member = name + len + 1;
		return key;
	}
	return NULL;
}

static bool
add_words(struct config_layer *layer, const struct config_key *map, const char *name,
        const struct toml_event *event, struct err *e)
{
	struct buf words = BUF(CONFIG_ITEM_MAX + 1);
	bool ok;

	for (size_t i = 0; i < event->count; i++) {
		buf_text(&words, i > 0 ? " " : "");
		buf_text(&words, event->items[i]);
	}
	buf_char(&words, '\0');
	if (buf_ok(&words))
		ok = config_value_add(map, base_of(layer, map), name, words.data, e);
	else
		ok = err_set(e, ERR_LIMIT, "a list in %s is too long", map->name);
	buf_free(&words);
	return ok;
}

static bool
set_member(struct config_layer *layer, const struct config_key *map, const char *name,
        const struct toml_event *event, struct err *e)
{
	char *value = NULL;
	bool ok;

	if (event->kind == TOML_LIST && (map->flags & CONFIG_WORDS) != 0)
		return add_words(layer, map, name, event, e);
	if (event->kind != TOML_TEXT)
		return err_set(e, ERR_FORMAT, "%s takes texts", map->name);
	if (!config_env_refers(event->text))
		return config_value_add(map, base_of(layer, map), name, event->text, e);
	if (!config_env_expand(layer, event->text, &value, e))
		return err_while(e, "%s", map->name);
	ok = config_value_add(map, base_of(layer, map), name, value, e);
	free(value);
	return ok;
}

static enum toml_go
on_leaf(struct config_layer *layer, const struct toml_event *event, struct err *e)
{
	const struct config_key *key = config_key_find(layer->accepts, event->key);
	const char *member = NULL;
	const struct config_key *map = find_map(layer, event->key, &member);

	if (map != NULL && !set_member(layer, map, member, event, e))
		return refuse(layer, event->line, e);
	if (map != NULL)
		return TOML_GO;
	if (config_group_find(layer->accepts, event->key) != CONFIG_KEY) {
		if (event->kind != TOML_LIST || event->count > 0)
			config_layer_problem(layer, event->line, "%s is a list of tables: [[%s]]",
			        event->key, event->key);
		return TOML_GO;
	}
	if (key == NULL)
		return unknown_key(layer, event);
	return set_key(layer, key, event, e) ? TOML_GO : refuse(layer, event->line, e);
}

static enum toml_go
on_event(const struct toml_event *event, void *arg, struct err *e)
{
	struct config_layer *layer = arg;

	switch (event->kind) {
	case TOML_BROKEN:
		config_layer_problem(layer, event->line, "%s", event->text);
		return TOML_GO;
	case TOML_TABLE:
		return on_table(layer, event);
	case TOML_ELEMENT:
		return on_element(layer, event, e);
	case TOML_ELEMENT_END:
		return on_element_end(layer, event);
	case TOML_TEXT:
	case TOML_INT:
	case TOML_FLOAT:
	case TOML_BOOL:
	case TOML_TIME:
	case TOML_LIST:
	case TOML_MIXED:
		return on_leaf(layer, event, e);
	}
	return TOML_STOP;
}

bool
config_layer_apply(struct config_layer *layer, const char *text, size_t len, struct err *e)
{
	layer->group = CONFIG_KEY;
	layer->element = NULL;
	return toml_walk(text, len, on_event, layer, e);
}

/*
 * How a configuration comes about (design section 15):
 *
 *     defaults → file → conf.d/ beside it, in name order → environment → --set → checks
 *
 * Each layer replaces what the ones before it set, but arrays of tables grow. The file is the one
 * --config names, else TASKER_CONFIG_PATH, else ./config/<role>.toml, else /etc/tasker/<role>.toml;
 * only a file somebody named has to exist. A folder conf.d may serve both daemons, so its files may
 * hold keys of either; they are checked all the same.
 *
 * Everything wrong is collected; values are held against each other only when each one is sound.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/config/config.h"
#include "shared/config/config_check.h"
#include "shared/config/config_env.h"
#include "shared/config/config_file.h"
#include "shared/config/config_group.h"
#include "shared/config/config_layer.h"
#include "shared/config/config_value.h"

enum { PATH_BYTES_MAX = 4096 };

/* A file that was read, for the judgement at the end, when it is known whether auth is on. */
struct origin {
	char *path;
	struct config_file file; /* its text is gone by then */
	bool holds_secret;
};

struct loading {
	const struct config_source *source;
	struct config_layer layer;
	struct origin origins[CONFIG_FRAGMENTS_MAX + 1];
	size_t origin_count;
};

static void
release(struct loading *loading)
{
	for (size_t i = 0; i < loading->origin_count; i++)
		free(loading->origins[i].path);
}

static OWNED char *
join(const char *folder, size_t folder_len, const char *rest)
{
	struct buf path = BUF(PATH_BYTES_MAX);

	buf_add(&path, folder, folder_len);
	buf_text(&path, rest);
	return buf_take_text(&path);
}

/* Reads and applies one file. Its problems are notes; false is a fault. */
static bool
apply_file(struct loading *loading, const char *path, enum config_role accepts, struct err *e)
{
	struct config_layer *layer = &loading->layer;
	struct origin *origin = &loading->origins[loading->origin_count];
	struct config_file file = {0};
	bool ok;

	if (!config_file_read(path, CONFIG_FILE_BYTES_MAX, &file, e))
		return false;
	layer->label = path;
	layer->has_lines = true;
	layer->accepts = accepts;
	layer->holds_secret = false;
	ok = config_layer_apply(layer, file.text, file.len, e);
	*origin = (struct origin){.file = file, .holds_secret = layer->holds_secret};
	origin->file.text = NULL;
	config_file_clear(&file);
	origin->path = strdup(path);
	if (origin->path == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a path");
	loading->origin_count++;
	return ok;
}

/* What cannot be read is a problem like others; only want of memory is a fault. */
static bool
note_unreadable(struct loading *loading, struct err *e)
{
	if (e->code == ERR_NOMEM)
		return false;
	config_lines_add(&loading->layer.notes->problems, "%s", e->text);
	return true;
}

static const char *
named_path(const struct config_source *source)
{
	static const char variable[] = "TASKER_CONFIG_PATH=";
	size_t len = sizeof(variable) - 1;

	if (source->path != NULL)
		return source->path;
	for (const char *const *env = source->env; env != NULL && *env != NULL; env++)
		if (strncmp(*env, variable, len) == 0 && (*env)[len] != '\0')
			return *env + len;
	return NULL;
}

/* Tries one path of the search; *found is untouched if there is no file. */
static bool
apply_searched(struct loading *loading, char *path, OWNED char **found, struct err *e)
{
	if (path == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a path");
	if (apply_file(loading, path, loading->source->role, e)) {
		*found = path;
		return true;
	}
	free(path);
	return e->code == ERR_MISSING || note_unreadable(loading, e);
}

static bool
apply_main(struct loading *loading, OWNED char **found, struct err *e)
{
	const struct config_source *source = loading->source;
	const char *etc = source->etc != NULL ? source->etc : "/etc/tasker";
	const char *named = named_path(source);
	char name[32];

	if (named != NULL) {
		if (!apply_file(loading, named, source->role, e))
			return note_unreadable(loading, e);
		*found = strdup(named);
		return *found != NULL || err_set(e, ERR_NOMEM, "out of memory for a path");
	}
	(void)snprintf(name, sizeof(name), "/%s.toml", config_role_name(source->role));
	return apply_searched(loading, join("./config", 8, name), found, e) &&
	       (*found != NULL || apply_searched(loading, join(etc, strlen(etc), name), found, e));
}

static int
is_fragment(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".toml") == 0;
}

/* Bytes, not the locale, decide the order. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool
apply_fragment(struct loading *loading, const char *folder, const char *name, struct err *e)
{
	char *path = join(folder, strlen(folder), name);
	bool ok = path != NULL ? apply_file(loading, path, CONFIG_BOTH, e)
	                       : err_set(e, ERR_NOMEM, "out of memory for a path");

	free(path);
	return ok || note_unreadable(loading, e);
}

static bool
apply_fragments(struct loading *loading, const char *beside, struct err *e)
{
	const char *slash = strrchr(beside, '/');
	char *folder = join(beside, slash == NULL ? 0 : (size_t)(slash - beside) + 1, "conf.d/");
	struct dirent **entries = NULL;
	int count = folder == NULL ? 0 : scandir(folder, &entries, is_fragment, by_name);
	bool ok = folder != NULL || err_set(e, ERR_NOMEM, "out of memory for a path");

	if (count > CONFIG_FRAGMENTS_MAX)
		config_lines_add(&loading->layer.notes->problems, "%s: more than %d files", folder,
		        CONFIG_FRAGMENTS_MAX);
	for (int i = 0; i < count; i++) {
		if (i < CONFIG_FRAGMENTS_MAX)
			ok = ok && apply_fragment(loading, folder, entries[i]->d_name, e);
		free(entries[i]);
	}
	free(entries);
	free(folder);
	return ok;
}

/*
 * A text may come without quotes and a list with commas, as in the environment; everything else is
 * a TOML value.
 */
/* Is value meant without TOML's quotes and brackets? A word for a number or a truth goes that way
 * too, for the better message. */
static bool
is_plain(const struct config_key *key, const char *value)
{
	if (key == NULL || key->group != CONFIG_KEY)
		return false;
	if (key->type == CONFIG_BOOL || key->type == CONFIG_INT)
		return (value[0] | 0x20) >= 'a' && (value[0] | 0x20) <= 'z';
	if (key->type == CONFIG_TEXT || key->type == CONFIG_ONE_OF)
		return value[0] != '"' && value[0] != '\'';
	return (key->type == CONFIG_LIST || key->type == CONFIG_LIST_OF) && value[0] != '[';
}

static bool
apply_value(struct config_layer *layer, const char *name, const char *value, struct err *e)
{
	const struct config_key *key = config_key_find(layer->accepts, name);
	struct buf document = BUF(CONFIG_FILE_BYTES_MAX);
	bool ok;

	if (is_plain(key, value)) {
		if (config_value_read(key, layer->config, value, e))
			return true;
		if (e->code == ERR_NOMEM)
			return false;
		config_layer_problem(layer, 0, "%s", e->text);
		return true;
	}
	/* An unknown name is refused as such, whatever stands behind it. */
	if (key == NULL && config_group_find(layer->accepts, name) == CONFIG_KEY)
		value = "0";
	buf_text(&document, name);
	buf_text(&document, " = ");
	buf_text(&document, value);
	if (buf_ok(&document))
		ok = config_layer_apply(layer, document.data, document.len, e);
	else
		ok = err_set(e, ERR_NOMEM, "no memory for --set %.40s", name);
	buf_free(&document);
	return ok;
}

static bool
is_name(const char *text, size_t len)
{
	return len > 0 && len < CONFIG_NAME_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") >=
	               len;
}

static bool
apply_set(struct config_layer *layer, const char *set, struct err *e)
{
	size_t len = strcspn(set, "=");
	char name[CONFIG_NAME_MAX], label[CONFIG_NAME_MAX + 8];
	bool ok;

	if (set[len] != '=' || !is_name(set, len)) {
		config_lines_add(&layer->notes->problems, "--set takes dotted.key=value, not %.*s",
		        len > CONFIG_NAME_MAX ? CONFIG_NAME_MAX : (int)len, set);
		return true;
	}
	memcpy(name, set, len);
	name[len] = '\0';
	(void)snprintf(label, sizeof(label), "--set %s", name);
	layer->label = label;
	ok = apply_value(layer, name, set + len + 1, e);
	layer->label = "";
	return ok;
}

static bool
apply_sets(struct loading *loading, struct err *e)
{
	const struct config_source *source = loading->source;
	struct config_layer *layer = &loading->layer;

	if (source->set_count > CONFIG_SETS_MAX)
		config_lines_add(&layer->notes->problems, "more than %d --set", CONFIG_SETS_MAX);
	for (size_t i = 0; i < source->set_count && i < CONFIG_SETS_MAX; i++)
		if (!apply_set(layer, source->sets[i], e))
			return false;
	return true;
}

static bool
apply_all(struct loading *loading, struct err *e)
{
	struct config_layer *layer = &loading->layer;
	struct config *config = layer->config;

	if (!apply_main(loading, &config->path, e))
		return false;
	if (config->path != NULL && !apply_fragments(loading, config->path, e))
		return false;
	layer->has_lines = false;
	layer->accepts = config->role;
	return config_env_apply(layer, e) && apply_sets(loading, e);
}

static bool
check_all(const struct loading *loading, struct err *e)
{
	const struct config *config = loading->layer.config;
	struct config_notes *notes = loading->layer.notes;

	config_check(config, notes);
	for (size_t i = 0; i < loading->origin_count; i++)
		config_file_judge(loading->origins[i].path, &loading->origins[i].file,
		        loading->origins[i].holds_secret, config->web_auth_enabled, notes);
	return config_check_idle(config, notes, e);
}

bool
config_load(const struct config_source *source, struct config_notes *notes,
        OWNED struct config **out, struct err *e)
{
	AUTO(config) struct config *config = NULL;
	struct loading loading = {.source = source};
	bool ok;

	memset(notes, 0, sizeof(*notes));
	if (!config_group_new(source->role, &config, e))
		return false;
	loading.layer = (struct config_layer){
	        .config = config, .notes = notes, .env = source->env, .accepts = source->role};
	ok = apply_all(&loading, e);
	if (ok && notes->problems.count == 0)
		ok = check_all(&loading, e);
	release(&loading);
	if (!ok)
		return false;
	if (notes->problems.count > 0)
		return err_set(e, ERR_FORMAT, "%s", notes->problems.text[0]);
	*out = TAKE(config);
	return true;
}

/* Z15: no text may crash the loader, no unknown key may pass, and what is shown can be read back.
 */
/* sees: config */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/config/config_check.h"
#include "shared/config/config_group.h"
#include "shared/config/config_layer.h"
#include "shared/config/config_toml.h"
#include "shared/config/config_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const env[] = {
        "NAME=value", "EMPTY=", "NUMBER=7", "LIST=a, b", "TASKER_X=x", "FLAG=true", NULL};

static void
claim(bool holds)
{
	if (!holds)
		abort();
}

/* Is the name in the table, found another way than the loader finds it? */
static bool
is_known(const char *name)
{
	const struct config_key *key;
	size_t len = strlen(name);

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
		size_t whole = strlen(key->name);

		/* A key, a section above one, or an entry of a map. */
		if (strncmp(key->name, name, len) == 0 && strchr(".", key->name[len]) != NULL)
			return true;
		if (key->type == CONFIG_MAP && len > whole &&
		        strncmp(key->name, name, whole) == 0 && name[whole] == '.')
			return true;
	}
	return false;
}

static enum toml_go
see_known(const struct toml_event *event, void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	claim(event->kind != TOML_BROKEN);
	claim(is_known(event->key));
	return TOML_GO;
}

/* Shown lines, as far as they are a document: no stars, no elements. */
struct shown {
	struct buf document;
};

static void
add_line(const char *key, const char *value, void *arg)
{
	struct shown *shown = arg;

	if (strstr(value, "***") != NULL || strchr(key, '[') != NULL)
		return;
	buf_text(&shown->document, key);
	buf_text(&shown->document, " = ");
	buf_text(&shown->document, value);
	buf_char(&shown->document, '\n');
}

static struct config *
apply(enum config_role role, const char *text, size_t len, struct config_notes *notes)
{
	struct config *config = NULL;
	struct err e = {0};
	struct config_layer layer = {.notes = notes, .env = env, .label = "f", .has_lines = true};

	memset(notes, 0, sizeof(*notes));
	claim(config_group_new(role, &config, &e));
	layer.config = config;
	layer.accepts = role;
	claim(config_layer_apply(&layer, text, len, &e));
	return config;
}

static void
read_back(const struct config *config, struct config_notes *notes)
{
	struct shown shown = {BUF(MIB(16))};
	struct config *again;
	const struct config_key *key;
	struct err e = {0};

	claim(config_show(config, add_line, &shown, &e));
	claim(buf_ok(&shown.document));
	again = apply(config->role, shown.document.data, shown.document.len, notes);
	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
		bool altered = (key->flags & (CONFIG_SECRET | CONFIG_URL)) != 0 ||
		               (key->roles & config->role) == 0;
		struct config_value value;

		if (key->group != CONFIG_KEY || altered)
			continue;
		/* A value that came from the environment may look like a reference itself. */
		value = config_value_of(key, config);
		if (value.text == NULL || strstr(value.text, "${") == NULL)
			claim(config_value_same(key, config, again) || notes->problems.count > 0);
	}
	config_free(again);
	buf_free(&shown.document);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config_notes notes, others;
	struct config *config = apply((size & 1) == 0 ? CONFIG_ORCHESTRATION : CONFIG_WORKER,
	        (const char *)data, size, &notes);
	struct err e = {0};

	if (notes.problems.count == 0) {
		claim(toml_walk((const char *)data, size, see_known, NULL, &e));
		read_back(config, &others);
	}
	config_check(config, &notes);
	for (size_t i = 0; i < notes.problems.count; i++)
		claim(strpbrk(notes.problems.text[i], "\n\r\x1b") == NULL);
	config_free(config);
	return 0;
}

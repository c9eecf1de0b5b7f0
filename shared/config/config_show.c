#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/json_out.h"
#include "shared/config/config_group.h"
#include "shared/config/config_show.h"
#include "shared/config/config_url.h"
#include "shared/config/config_value.h"

enum { SHOWN_MAX = 4 * 1024 * 1024 }; /* one value: 256 items of 4 KiB, escaped */

static const char hidden[] = "\"***\"";

/* JSON's escapes are TOML's as well. */
static void
quote(struct buf *out, const char *text)
{
	buf_char(out, '"');
	json_escape(out, text, strlen(text));
	buf_char(out, '"');
}

static void
show_text(const struct config_value *value, struct buf *out)
{
	struct buf masked = BUF(SHOWN_MAX);

	if ((value->key->flags & CONFIG_URL) == 0) {
		quote(out, value->text);
		return;
	}
	config_url_mask(value->text, &masked);
	buf_char(&masked, '\0');
	out->failed = out->failed || !buf_ok(&masked);
	if (buf_ok(out))
		quote(out, masked.data);
	buf_free(&masked);
}

static void
show_list(const struct config_list *list, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			buf_text(out, ", ");
		quote(out, list->items[i]);
	}
	buf_char(out, ']');
}

/* Names may hold an =, the words they stand for may not. */
static void
show_map(const struct config_list *map, struct buf *out)
{
	buf_char(out, '{');
	for (size_t i = 0; i < map->count; i++) {
		const char *item = map->items[i], *equals = strrchr(item, '=');

		buf_text(out, i > 0 ? ", \"" : "\"");
		json_escape(out, item, (size_t)(equals - item));
		buf_text(out, "\" = ");
		quote(out, equals + 1);
	}
	buf_char(out, '}');
}

static bool
is_empty(const struct config_value *value)
{
	return (value->text == NULL || value->text[0] == '\0') &&
	       (value->list == NULL || value->list->count == 0);
}

static void
show_value(const struct config_value *value, struct buf *out)
{
	const struct config_key *key = value->key;
	char moment[CLOCK_TEXT];

	if ((key->flags & (CONFIG_SECRET | CONFIG_HIDDEN)) != 0 && !is_empty(value)) {
		buf_text(out, hidden);
		return;
	}
	switch (key->type) {
	case CONFIG_BOOL:
		buf_text(out, value->boolean ? "true" : "false");
		break;
	case CONFIG_INT:
		buf_int(out, value->number);
		break;
	case CONFIG_TIME:
		clock_text(value->number, moment);
		buf_text(out, value->number == 0 ? "\"\"" : moment);
		break;
	case CONFIG_TEXT:
	case CONFIG_ONE_OF:
		show_text(value, out);
		break;
	case CONFIG_MAP:
		show_map(value->list, out);
		break;
	case CONFIG_LIST:
	case CONFIG_LIST_OF:
		show_list(value->list, out);
		break;
	}
}

/* The keys of one struct. */
static bool
show_group(const struct config *config, enum config_group group, size_t nth, config_line_fn line,
        void *arg)
{
	const void *base = config_group_element(config, group, nth);
	const struct config_key *key;
	bool ok = true;

	for (size_t n = 0; ok && (key = config_key_at(n)) != NULL; n++) {
		struct buf text = BUF(SHOWN_MAX);
		char name[CONFIG_NAME_MAX + 24];
		struct config_value value;

		if (key->group != group || (key->roles & config->role) == 0)
			continue;
		if (group == CONFIG_KEY)
			(void)snprintf(name, sizeof(name), "%s", key->name);
		else
			(void)snprintf(name, sizeof(name), "%s[%zu]%s", config_group_name(group),
			        nth, key->name + strlen(config_group_name(group)));
		value = config_value_of(key, base);
		show_value(&value, &text);
		buf_char(&text, '\0');
		ok = buf_ok(&text);
		if (ok)
			line(name, text.data, arg);
		buf_free(&text);
	}
	return ok;
}

bool
config_show(const struct config *config, config_line_fn line, void *arg, struct err *e)
{
	for (enum config_group group = CONFIG_KEY; group < CONFIG_GROUPS; group++)
		for (size_t i = 0; i < config_group_count(config, group); i++)
			if (!show_group(config, group, i, line, arg))
				return err_set(e, ERR_NOMEM, "no memory to show the configuration");
	return true;
}

void
config_public(const struct config *config, config_public_fn fn, void *arg)
{
	const struct config_key *key;

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
		struct config_value value;

		if (key->group != CONFIG_KEY || (key->roles & config->role) == 0 ||
		        (key->flags & CONFIG_PUBLIC) == 0)
			continue;
		value = config_value_of(key, config);
		fn(&value, arg);
	}
}

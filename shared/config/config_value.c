#include "shared/config/config_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/secret.h"
#include "shared/base/utf8.h"
#include "shared/config/config_address.h"
#include "shared/config/config_list.h"
#include "shared/config/config_time.h"

static const char *const type_words[] = {
        [CONFIG_BOOL] = "true or false",
        [CONFIG_INT] = "a whole number",
        [CONFIG_TEXT] = "a text",
        [CONFIG_ONE_OF] = "a text",
        [CONFIG_LIST] = "a list of texts",
        [CONFIG_LIST_OF] = "a list of texts",
        [CONFIG_TIME] = "a date and time",
        [CONFIG_MAP] = "a table of texts",
};

static const char *const kind_words[] = {
        [TOML_BROKEN] = "nothing",
        [TOML_TABLE] = "a table",
        [TOML_ELEMENT] = "a list of tables",
        [TOML_ELEMENT_END] = "nothing",
        [TOML_TEXT] = "a text",
        [TOML_INT] = "a whole number",
        [TOML_FLOAT] = "a number with a fraction",
        [TOML_BOOL] = "true or false",
        [TOML_TIME] = "a date or time",
        [TOML_LIST] = "a list",
        [TOML_MIXED] = "a list that holds more than texts",
};

static bool *
bool_at(const struct config_key *key, void *base)
{
	return (bool *)((char *)base + key->offset);
}

static int64_t *
number_at(const struct config_key *key, void *base)
{
	return (int64_t *)(void *)((char *)base + key->offset);
}

static char **
text_at(const struct config_key *key, void *base)
{
	return (char **)(void *)((char *)base + key->offset);
}

static struct config_list *
list_at(const struct config_key *key, void *base)
{
	return (struct config_list *)(void *)((char *)base + key->offset);
}

static bool
set_bool(const struct config_key *key, void *base, const char *text, struct err *e)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(e, ERR_FORMAT, "%s takes true or false", key->name);
	*bool_at(key, base) = text[0] == 't';
	return true;
}

static bool
set_number(const struct config_key *key, void *base, const char *text, struct err *e)
{
	char *end = NULL;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || strspn(text, "-0123456789") != strlen(text))
		return err_set(e, ERR_FORMAT, "%s takes a whole number", key->name);
	if (errno != 0 || n < key->min || n > key->max)
		return err_set(e, ERR_LIMIT, "%s = %.24s is not within %" PRId64 "..%" PRId64,
		        key->name, text, key->min, key->max);
	*number_at(key, base) = n;
	return true;
}

/* Is word one of "a|b|c"? */
static bool
is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	while (choices != NULL) {
		const char *bar = strchr(choices, '|');
		size_t choice = bar == NULL ? strlen(choices) : (size_t)(bar - choices);

		if (choice == len && strncmp(choices, word, len) == 0)
			return true;
		choices = bar == NULL ? NULL : bar + 1;
	}
	return false;
}

static bool
bad_choice(const struct config_key *key, struct err *e)
{
	char words[sizeof(e->text)];
	size_t used = 0;

	for (const char *c = key->choices; *c != '\0' && used + 3 < sizeof(words); c++) {
		words[used++] = (char)(*c == '|' ? ',' : *c);
		if (*c == '|')
			words[used++] = ' ';
	}
	words[used] = '\0';
	return err_set(e, ERR_FORMAT, "%s takes one of %s", key->name, words);
}

static bool
check_text(const struct config_key *key, const char *text, size_t len, struct err *e)
{
	struct config_address address;

	if (!utf8_valid(text, len))
		return err_set(e, ERR_FORMAT, "%s is not UTF-8", key->name);
	if (key->choices != NULL && !is_choice(key->choices, text))
		return bad_choice(key, e);
	if ((key->flags & CONFIG_ADDRESS) != 0 && !config_address_parse(text, &address, e))
		return err_while(e, "%s", key->name);
	return true;
}

static bool
keep_text(const struct config_key *key, void *base, const char *text, struct err *e)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for %s", key->name);
	config_value_release(key, base);
	*text_at(key, base) = copy;
	return true;
}

static bool
set_text(const struct config_key *key, void *base, const char *text, struct err *e)
{
	size_t len = strlen(text);

	if ((key->flags & CONFIG_REFUSED) != 0 && len > 0)
		return err_set(e, ERR_FORMAT, "%s is refused: %s", key->name, key->help);
	if (key->type == CONFIG_TEXT && (len < (size_t)key->min || len > (size_t)key->max))
		return err_set(e, ERR_LIMIT, "%s takes %" PRId64 "..%" PRId64 " bytes, not %zu",
		        key->name, key->min, key->max, len);
	return check_text(key, text, len, e) && keep_text(key, base, text, e);
}

static bool
keep_list(const struct config_key *key, void *base, const char *const *items, size_t count,
        struct err *e)
{
	struct config_list list = {0};

	if (!config_list_make(items, count, &list))
		return err_set(e, ERR_NOMEM, "out of memory for %s", key->name);
	config_value_release(key, base);
	*list_at(key, base) = list;
	return true;
}

static bool
set_list(const struct config_key *key, void *base, const char *const *items, size_t count,
        struct err *e)
{
	if (count < (size_t)key->min || count > (size_t)key->max)
		return err_set(e, ERR_LIMIT, "%s takes %" PRId64 "..%" PRId64 " items, not %zu",
		        key->name, key->min, key->max, count);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(items[i]);

		if (len > CONFIG_ITEM_MAX)
			return err_set(e, ERR_LIMIT, "an item of %s is longer than %d bytes",
			        key->name, CONFIG_ITEM_MAX);
		if (!check_text(key, items[i], len, e))
			return false;
	}
	return keep_list(key, base, items, count, e);
}

static bool
set_time(const struct config_key *key, void *base, const char *text, struct err *e)
{
	int64_t us;

	if (!config_time_parse(text, &us))
		return err_set(e, ERR_FORMAT,
		        "%s takes a date and time such as 2027-01-31T00:00:00Z", key->name);
	*number_at(key, base) = us;
	return true;
}

static bool
set_scalar(const struct config_key *key, void *base, const char *text, struct err *e)
{
	switch (key->type) {
	case CONFIG_BOOL:
		return set_bool(key, base, text, e);
	case CONFIG_INT:
		return set_number(key, base, text, e);
	case CONFIG_TEXT:
	case CONFIG_ONE_OF:
		return set_text(key, base, text, e);
	case CONFIG_TIME:
		return set_time(key, base, text, e);
	case CONFIG_LIST:
	case CONFIG_LIST_OF:
	case CONFIG_MAP:
		break;
	}
	return err_set(e, ERR_FORMAT, "%s takes %s", key->name, type_words[key->type]);
}

static bool
fits(enum config_type type, enum toml_kind kind)
{
	switch (type) {
	case CONFIG_BOOL:
		return kind == TOML_BOOL;
	case CONFIG_INT:
		return kind == TOML_INT;
	case CONFIG_TEXT:
	case CONFIG_ONE_OF:
		return kind == TOML_TEXT;
	case CONFIG_LIST:
	case CONFIG_LIST_OF:
		return kind == TOML_LIST;
	case CONFIG_TIME:
		return kind == TOML_TIME || kind == TOML_TEXT;
	case CONFIG_MAP:
		return false; /* its members come one by one, through config_value_add() */
	}
	return false;
}

bool
config_value_set(
        const struct config_key *key, void *base, const struct toml_event *value, struct err *e)
{
	if (!fits(key->type, value->kind))
		return err_set(e, ERR_FORMAT, "%s takes %s, not %s", key->name,
		        type_words[key->type], kind_words[value->kind]);
	if (value->kind == TOML_LIST)
		return set_list(key, base, value->items, value->count, e);
	return set_scalar(key, base, value->text, e);
}

/* The one value of "x = [...]". */
struct reading {
	const struct config_key *key;
	void *base;
	size_t events;
	bool broken;
};

static enum toml_go
count_event(const struct toml_event *event, void *arg, struct err *e)
{
	struct reading *reading = arg;

	(void)e;
	reading->events++;
	reading->broken |= event->kind == TOML_BROKEN;
	return TOML_GO;
}

static enum toml_go
set_event(const struct toml_event *event, void *arg, struct err *e)
{
	const struct reading *reading = arg;

	return config_value_set(reading->key, reading->base, event, e) ? TOML_GO : TOML_STOP;
}

/* Walked twice, so that what follows a good list cannot undo the refusal to change anything. */
static bool
read_document(struct reading *reading, const struct buf *document, struct err *e)
{
	if (!toml_walk(document->data, document->len, count_event, reading, e))
		return false;
	if (reading->broken || reading->events != 1)
		return err_set(e, ERR_FORMAT, "%s takes a list such as [\"a\", \"b\"] or a, b",
		        reading->key->name);
	return toml_walk(document->data, document->len, set_event, reading, e);
}

static bool
read_array(const struct config_key *key, void *base, const char *text, struct err *e)
{
	struct reading reading = {.key = key, .base = base};
	struct buf document = BUF(CONFIG_FILE_BYTES_MAX);
	bool ok;

	buf_text(&document, "x = ");
	buf_text(&document, text);
	if (buf_ok(&document))
		ok = read_document(&reading, &document, e);
	else
		ok = err_set(e, ERR_NOMEM, "no memory for %s", key->name);
	buf_free(&document);
	return ok;
}

static bool
read_commas(const struct config_key *key, void *base, const char *text, struct err *e)
{
	size_t max = (size_t)key->max;
	const char **items = calloc(max + 1, sizeof(*items));
	char *copy = strdup(text);
	bool ok;

	if (items == NULL || copy == NULL)
		ok = err_set(e, ERR_NOMEM, "out of memory for %s", key->name);
	else
		ok = set_list(key, base, (const char *const *)items,
		        config_list_cut(copy, items, max + 1), e);
	free(items);
	free(copy);
	return ok;
}

bool
config_value_read(const struct config_key *key, void *base, const char *text, struct err *e)
{
	if (key->type != CONFIG_LIST && key->type != CONFIG_LIST_OF)
		return set_scalar(key, base, text, e);
	return text[0] == '[' ? read_array(key, base, text, e) : read_commas(key, base, text, e);
}

bool
config_value_reset(const struct config_key *key, enum config_role role, void *base, struct err *e)
{
	const char *preset = config_key_default(key, role);

	if (preset[0] != '\0')
		return config_value_read(key, base, preset, e);
	/* Nothing is a legal default even where a given value may not be empty. */
	if (key->type == CONFIG_TEXT || key->type == CONFIG_ONE_OF)
		return keep_text(key, base, "", e);
	config_value_release(key, base);
	return true;
}

static bool
is_env_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= CONFIG_NAME_MAX && strchr("0123456789", name[0]) == NULL &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
	               len;
}

/* Words hold no '=', so that a name may. */
static bool
check_member(const struct config_key *key, const char *name, const char *value, struct err *e)
{
	bool words = (key->flags & CONFIG_WORDS) != 0;
	size_t len = strlen(name);

	if (!words && !is_env_name(name))
		return err_set(e, ERR_FORMAT, "%s takes names of letters, digits and _", key->name);
	if (words && (len == 0 || len > CONFIG_NAME_MAX))
		return err_set(
		        e, ERR_LIMIT, "%s takes names of 1..%d bytes", key->name, CONFIG_NAME_MAX);
	if (words && strchr(value, '=') != NULL)
		return err_set(e, ERR_FORMAT, "a value in %s holds an =", key->name);
	return strlen(value) <= CONFIG_ITEM_MAX ||
	       err_set(e, ERR_LIMIT, "%s takes texts of at most %d bytes", key->name,
	               CONFIG_ITEM_MAX);
}

/* The number of the entry for name, or the map's count. Only one side of an entry's '=' may hold
 * others: the name where values are words, else the value. */
static size_t
find_member(const struct config_key *key, const struct config_list *map, const char *name)
{
	bool words = (key->flags & CONFIG_WORDS) != 0;
	size_t len = strlen(name), i;

	for (i = 0; i < map->count; i++) {
		const char *item = map->items[i];
		const char *equals = words ? strrchr(item, '=') : strchr(item, '=');

		if (equals == item + len && memcmp(item, name, len) == 0)
			break;
	}
	return i;
}

static bool
put_member(const struct config_key *key, void *base, const char *text, size_t at, struct err *e)
{
	const struct config_list *old = list_at(key, base);
	size_t count = at < old->count ? old->count : old->count + 1;
	const char **items = calloc(count, sizeof(*items));
	bool ok;

	if (items == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for %s", key->name);
	for (size_t i = 0; i < old->count; i++)
		items[i] = old->items[i];
	items[at] = text;
	ok = keep_list(key, base, (const char *const *)items, count, e);
	free(items);
	return ok;
}

bool
config_value_add(const struct config_key *key, void *base, const char *name, const char *value,
        struct err *e)
{
	const struct config_list *old = list_at(key, base);
	size_t at = find_member(key, old, name);
	struct buf entry = BUF(CONFIG_NAME_MAX + 2 + CONFIG_ITEM_MAX);
	char *text;
	bool ok;

	if (!check_member(key, name, value, e))
		return false;
	if (at >= (size_t)key->max)
		return err_set(e, ERR_LIMIT, "%s takes %" PRId64 " texts", key->name, key->max);
	buf_text(&entry, name);
	buf_char(&entry, '=');
	buf_text(&entry, value);
	text = buf_take_text(&entry);
	if (text == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for %s", key->name);
	ok = put_member(key, base, text, at, e);
	free(text);
	return ok;
}

void
config_value_release(const struct config_key *key, void *base)
{
	bool secret = (key->flags & (CONFIG_SECRET | CONFIG_HIDDEN | CONFIG_URL)) != 0;
	struct config_list *list;
	char **text;

	switch (key->type) {
	case CONFIG_TEXT:
	case CONFIG_ONE_OF:
		text = text_at(key, base);
		if (secret && *text != NULL)
			secret_wipe(*text, strlen(*text));
		free(*text);
		*text = NULL;
		break;
	case CONFIG_LIST:
	case CONFIG_LIST_OF:
	case CONFIG_MAP:
		list = list_at(key, base);
		if (secret && list->block != NULL)
			secret_wipe(list->block, list->block_size);
		config_list_free(list);
		break;
	case CONFIG_BOOL:
	case CONFIG_INT:
	case CONFIG_TIME:
		break;
	}
}

struct config_value
config_value_of(const struct config_key *key, const void *base)
{
	const char *field = (const char *)base + key->offset;
	struct config_value value = {.key = key};

	switch (key->type) {
	case CONFIG_BOOL:
		value.boolean = *(const bool *)field;
		break;
	case CONFIG_INT:
	case CONFIG_TIME:
		value.number = *(const int64_t *)(const void *)field;
		break;
	case CONFIG_TEXT:
	case CONFIG_ONE_OF:
		value.text = *(char *const *)(const void *)field;
		break;
	case CONFIG_LIST:
	case CONFIG_LIST_OF:
	case CONFIG_MAP:
		value.list = (const void *)field;
		break;
	}
	return value;
}

/* Secrets are compared in constant time, though both come from files of ours. */
static bool
same_text(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && secret_equal(a, b, strlen(a));
}

bool
config_value_same(const struct config_key *key, const void *a, const void *b)
{
	struct config_value left = config_value_of(key, a), right = config_value_of(key, b);

	if (left.text != NULL && right.text != NULL)
		return same_text(left.text, right.text);
	if (left.list != NULL)
		return config_list_same(left.list, right.list);
	return left.text == right.text && left.boolean == right.boolean &&
	       left.number == right.number;
}

/* docs/configuration.md and the sample files against the table, both ways. Run from the root. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/config/config_file.h"
#include "shared/config/config_group.h"
#include "shared/config/config_value.h"
#include "tests/unit/unit.h"

enum { DOCUMENT_MAX = 256 * 1024, ROW_MAX = 1024 };

static OWNED char *
slurp(const char *path)
{
	struct config_file file = {0};
	struct err e = {0};
	char *text;

	ck_assert_msg(config_file_read(path, DOCUMENT_MAX, &file, &e), "%s", e.text);
	text = strndup(file.text, file.len);
	config_file_clear(&file);
	ck_assert_ptr_nonnull(text);
	return text;
}

/* ---- the document ---- */

static void
allowed(const struct config_key *key, char *out, size_t size)
{
	const char *unit = key->type == CONFIG_INT    ? ""
	                   : key->type == CONFIG_TEXT ? " bytes"
	                                              : " items";
	size_t used = 0;

	(void)snprintf(out, size, "-");
	if (key->choices == NULL && key->max > 1 && key->type != CONFIG_BOOL)
		(void)snprintf(out, size, "%" PRId64 "–%" PRId64 "%s", key->min, key->max, unit);
	for (const char *c = key->choices; c != NULL && *c != '\0' && used + 3 < size; c++) {
		out[used++] = *c == '|' ? ',' : *c;
		if (*c == '|')
			out[used++] = ' ';
		out[used] = '\0';
	}
}

/* The line that docs/configuration.md must have for a key. */
static void
document_row(const struct config_key *key, char out[ROW_MAX])
{
	static const char *const types[] = {
	        [CONFIG_BOOL] = "boolean",
	        [CONFIG_INT] = "integer",
	        [CONFIG_TEXT] = "text",
	        [CONFIG_ONE_OF] = "choice",
	        [CONFIG_LIST] = "list",
	        [CONFIG_LIST_OF] = "choices",
	        [CONFIG_TIME] = "time",
	        [CONFIG_MAP] = "table",
	};
	const char *worker = config_key_default(key, CONFIG_WORKER);
	char preset[128], range[256];

	if (strcmp(key->fallback, worker) != 0)
		(void)snprintf(preset, sizeof(preset), "`%s`; worker `%s`", key->fallback, worker);
	else if (worker[0] != '\0')
		(void)snprintf(preset, sizeof(preset), "`%s`", worker);
	else
		(void)snprintf(preset, sizeof(preset), "-");
	allowed(key, range, sizeof(range));
	(void)snprintf(out, ROW_MAX, "| `%s` | %s | %s | %s | %s | %s | %s |\n", key->name,
	        key->roles == CONFIG_BOTH ? "both" : config_role_name(key->roles), types[key->type],
	        preset, range, (key->flags & CONFIG_FIXED) != 0 ? "restart" : "reload", key->help);
}

START_TEST(the_document_has_a_row_for_every_key)
{
	char *document = slurp("docs/configuration.md");
	const struct config_key *key;
	char row[ROW_MAX];

	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
		document_row(key, row);
		ck_assert_msg(strstr(document, row) != NULL, "missing or stale:\n%s", row);
	}
	free(document);
}
END_TEST

START_TEST(every_row_of_the_document_is_a_key)
{
	char *document = slurp("docs/configuration.md");
	size_t rows = 0, keys = 0;

	while (config_key_at(keys) != NULL)
		keys++;
	for (const char *at = strstr(document, "\n| `"); at != NULL; at = strstr(at, "\n| `")) {
		char name[ROW_MAX];

		at += strlen("\n| `");
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "`\n"), at);
		ck_assert_msg(config_key_find(CONFIG_BOTH, name) != NULL, "%s", name);
		rows++;
	}
	ck_assert_uint_eq(rows, keys);
	free(document);
}
END_TEST

/* ---- the samples ---- */

static const struct {
	enum config_role role;
	const char *path;
} samples[] = {
        {CONFIG_ORCHESTRATION, "config/orchestration.toml"},
        {CONFIG_WORKER,        "config/worker.toml"       },
};

START_TEST(a_sample_is_the_defaults)
{
	struct config_source source = {.role = samples[_i].role, .path = samples[_i].path};
	AUTO(config) struct config *sample = NULL;
	AUTO(config) struct config *preset = NULL;
	struct config_notes notes;
	const struct config_key *key;
	struct err e = {0};

	ck_assert_msg(config_load(&source, &notes, &sample, &e), "%s", e.text);
	ck_assert(config_group_new(samples[_i].role, &preset, &e));
	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		if (key->group == CONFIG_KEY)
			ck_assert_msg(config_value_same(key, sample, preset), "%s", key->name);
	ck_assert_uint_eq(sample->api_key_count + sample->handler_count, 0);
}
END_TEST

/* Makes the commented-out tables of a sample real, in place: "# x = 1" and "# [[x]]" lose the mark.
 */
static void
uncomment(char *text)
{
	for (char *mark = text; mark != NULL; mark = strchr(mark, '\n')) {
		size_t word;

		mark += *mark == '\n';
		if (strncmp(mark, "# ", 2) != 0)
			continue;
		word = strspn(mark + 2, "abcdefghijklmnopqrstuvwxyz_0123456789");
		if (strncmp(mark + 2, "[[", 2) == 0 || strncmp(mark + 2 + word, " = ", 3) == 0)
			memcpy(mark, "  ", 2);
	}
}

struct seen {
	enum config_role role;
	bool keys[256];
};

static enum toml_go
see(const struct toml_event *event, void *arg, struct err *e)
{
	struct seen *seen = arg;
	const struct config_key *key;

	(void)e;
	ck_assert_msg(event->kind != TOML_BROKEN, "line %d: %s", event->line, event->text);
	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++)
		if (strcmp(key->name, event->key) == 0)
			seen->keys[n] = true;
	return TOML_GO;
}

START_TEST(a_sample_names_every_key_of_its_role)
{
	struct seen seen = {.role = samples[_i].role};
	char *text = slurp(samples[_i].path);
	const struct config_key *key;
	struct err e = {0};

	uncomment(text);
	ck_assert(toml_walk(text, strlen(text), see, &seen, &e));
	for (size_t n = 0; (key = config_key_at(n)) != NULL; n++) {
		bool wanted =
		        (key->roles & samples[_i].role) != 0 && (key->flags & CONFIG_REFUSED) == 0;

		ck_assert_uint_lt(n, COUNT(seen.keys));
		ck_assert_msg(seen.keys[n] == wanted, "%s", key->name);
	}
	free(text);
}
END_TEST

Suite *
config_documents_suite(void)
{
	Suite *s = suite_create("config_documents");
	TCase *tc = tcase_create("documents");

	tcase_add_test(tc, the_document_has_a_row_for_every_key);
	tcase_add_test(tc, every_row_of_the_document_is_a_key);
	tcase_add_loop_test(tc, a_sample_is_the_defaults, 0, COUNT(samples));
	tcase_add_loop_test(tc, a_sample_names_every_key_of_its_role, 0, COUNT(samples));
	suite_add_tcase(s, tc);
	return s;
}

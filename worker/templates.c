#include "worker/templates.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/json_out.h"
#include "shared/daemon/template_files.h"

struct templates {
	struct template_entry *list;
	size_t count;
};

static bool
add(const char *path, const char *text, size_t len, void *arg, struct err *e)
{
	struct templates *t = arg;
	struct template_entry *entry = &t->list[t->count];
	struct template_report report = {.count = 0};

	if (t->count == TEMPLATES_MAX)
		return err_set(
		        e, ERR_LIMIT, "templates.paths: more than %d templates", TEMPLATES_MAX);
	if (!template_parse(text, len, &entry->plan, &report, e))
		return err_while(e, "%s", path);
	template_files_warn(path, &report);
	t->count++; /* from here on templates_free() has it */
	entry->yaml = malloc(len + 1);
	if (entry->yaml == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for template %s", path);
	memcpy(entry->yaml, text, len);
	entry->yaml[len] = '\0';
	entry->yaml_len = len;
	entry->loaded_us = clock_wall_us();
	return true;
}

bool
templates_load(const char *const *paths, size_t count, OWNED struct templates **out, struct err *e)
{
	AUTO(templates) struct templates *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the templates");
	t->list = calloc(TEMPLATES_MAX, sizeof(*t->list));
	if (t->list == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for the templates");
	if (!template_files_walk(paths, count, add, t, e))
		return false;
	*out = TAKE(t);
	return true;
}

void
templates_free(struct templates *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++) {
		template_free(t->list[i].plan);
		free(t->list[i].yaml);
	}
	free(t->list);
	free(t);
}

size_t
templates_count(const struct templates *t)
{
	return t->count;
}

struct template_entry *
templates_at(const struct templates *t, size_t n)
{
	return &t->list[n];
}

static bool
is(struct span text, const char *name)
{
	return text.len == strlen(name) && memcmp(text.text, name, text.len) == 0;
}

struct template_entry *
templates_find(const struct templates *t, struct span namespace_name, struct span name,
        struct span version)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct template *plan = t->list[i].plan;

		if (is(namespace_name, plan->namespace_name) && is(name, plan->name) &&
		        is(version, plan->version))
			return &t->list[i];
	}
	return NULL;
}

static bool
listed(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

size_t
templates_namespaces(const struct templates *t, BORROWED const char **out)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		if (!listed(out, n, t->list[i].plan->namespace_name))
			out[n++] = t->list[i].plan->namespace_name;
	return n;
}

void
templates_write(const struct templates *t, struct buf *out)
{
	struct json_out w = json_out_on(out);

	json_open(&w, NULL, '[');
	for (size_t i = 0; i < t->count; i++) {
		json_open(&w, NULL, '{');
		json_put_bytes(&w, "yaml", t->list[i].yaml, t->list[i].yaml_len);
		json_close(&w, '}');
	}
	json_close(&w, ']');
}

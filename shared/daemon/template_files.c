#include "shared/daemon/template_files.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/log.h"

struct walk {
	template_file_fn fn;
	void *arg;
	size_t files;
};

static bool
is_template(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot != NULL &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static bool
read_file(struct walk *w, const char *path, struct err *e)
{
	AUTO(buf) struct buf text = BUF(TEMPLATE_BYTES_MAX + 1);
	FILE *file = fopen(path, "re");
	char block[4096];
	size_t n;
	bool failed;

	if (file == NULL)
		return err_set(e, ERR_IO, "template file %s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&text, block, n);
	failed = ferror(file) != 0;
	(void)fclose(file);
	if (failed)
		return err_set(e, ERR_IO, "template file %s cannot be read", path);
	buf_char(&text, '\0');
	if (text.starved)
		return err_set(e, ERR_NOMEM, "out of memory for template file %s", path);
	if (!buf_ok(&text))
		return err_set(e, ERR_LIMIT, "template file %s is longer than %zu bytes", path,
		        (size_t)TEMPLATE_BYTES_MAX);
	if (++w->files > TEMPLATE_FILES_MAX)
		return err_set(e, ERR_LIMIT, "templates.paths names more than %d files",
		        TEMPLATE_FILES_MAX);
	return w->fn(path, text.data, text.len - 1, w->arg, e);
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* A named file counts whatever its ending; in a folder the ending decides. */
static bool
visit(struct walk *w, FTS *tree, FTSENT *at, struct err *e)
{
	switch (at->fts_info) {
	case FTS_F:
		return at->fts_level > 0 && !is_template(at->fts_name)
		               ? true
		               : read_file(w, at->fts_path, e);
	case FTS_D:
		if (at->fts_level > TEMPLATE_FILES_DEPTH)
			return err_set(e, ERR_LIMIT,
			        "templates.paths: %s is more than %d folders deep", at->fts_path,
			        TEMPLATE_FILES_DEPTH);
		if (at->fts_level > 0 && at->fts_name[0] == '.')
			(void)fts_set(tree, at, FTS_SKIP);
		return true;
	case FTS_NS:
		return err_set(e, ERR_MISSING, "templates.paths: %s: %s", at->fts_path,
		        strerror(at->fts_errno));
	case FTS_ERR:
	case FTS_DNR:
		return err_set(e, ERR_IO, "templates.paths: %s: %s", at->fts_path,
		        strerror(at->fts_errno));
	default:
		return true;
	}
}

static bool
walk_path(struct walk *w, const char *path, struct err *e)
{
	char *copy = strdup(path);
	char *const roots[] = {copy, NULL};
	FTS *tree = copy != NULL ? fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name) : NULL;
	bool ok = tree != NULL;
	FTSENT *at;

	if (tree == NULL)
		(void)err_set(e, ERR_NOMEM, "out of memory for templates.paths");
	while (ok && (at = fts_read(tree)) != NULL)
		ok = visit(w, tree, at, e);
	if (tree != NULL)
		(void)fts_close(tree);
	free(copy);
	return ok;
}

bool
template_files_walk(
        const char *const *paths, size_t count, template_file_fn fn, void *arg, struct err *e)
{
	struct walk w = {fn, arg, 0};

	for (size_t i = 0; i < count; i++)
		if (!walk_path(&w, paths[i], e))
			return false;
	return true;
}

void
template_files_warn(const char *name, const struct template_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		LOG(WARN, "template.warning", TEXT_F("template", name),
		        INT_F("line", report->warnings[i].line),
		        TEXT_F("what", report->warnings[i].text));
	if (report->more > 0)
		LOG(WARN, "template.warning", TEXT_F("template", name),
		        INT_F("more", report->more));
}

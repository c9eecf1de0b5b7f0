/* The template files that templates.paths names: files, and folders searched for .yaml and .yml. */
#ifndef SHARED_DAEMON_TEMPLATE_FILES_H
#define SHARED_DAEMON_TEMPLATE_FILES_H

#include <stddef.h>

#include "shared/base/err.h"
#include "shared/template/template.h"

enum { TEMPLATE_FILES_MAX = 1000, TEMPLATE_FILES_DEPTH = 8 };

/* One file's text (borrowed, terminated); false ends the walk with e set. */
typedef bool (*template_file_fn)(
        const char *path, const char *text, size_t len, void *arg, struct err *e);

/*
 * Calls fn for each file, in the order of the paths and of the names in a folder. ERR_MISSING for a
 * path that does not exist, ERR_LIMIT past the limits above or TEMPLATE_BYTES_MAX a file, ERR_IO
 * for what cannot be read.
 */
MUST_CHECK bool template_files_walk(
        const char *const *paths, size_t count, template_file_fn fn, void *arg, struct err *e);

/* Logs what a template says that this version ignores: "input_schema is not yet enforced" ... */
void template_files_warn(const char *name, const struct template_report *report);

#endif

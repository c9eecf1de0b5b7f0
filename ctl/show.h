/*
 * Text that others wrote, shown on a terminal. A task's name, an error message or a result may hold
 * escape sequences, line breaks or marks that turn the direction of writing; none may act here.
 */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include "shared/base/buf.h"
#include "shared/base/json.h"

enum { SHOW_TEXT_MAX = 65536 }; /* bytes of one shown value; a longer one is cut */

/* Appends text with everything that would act on a terminal spelled out, as \n, \x1b or \u202e. */
void show_clean(struct buf *out, const char *text, size_t len);

/* Appends a JSON value for people: a string's content, "-" for null or nothing, yes and no, an
 * array of plain words as "a, b", other values as they are written. */
void show_json(struct buf *out, const struct json *doc, const struct json_node *n);

#endif

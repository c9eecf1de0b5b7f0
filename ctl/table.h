/*
 * Tables and trees for people, drawn by libsmartcols: widths of wide and combining characters,
 * fitting into the terminal, lines of a tree. The one file that knows the library is table.c.
 *
 * A table remembers its first failure, which table_print reports; so filling one needs no checks.
 * All texts are made harmless (show.h) on their way in.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdio.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/json.h"

enum { TABLE_COLUMNS_MAX = 12 };

enum table_flag {
	TABLE_LEFT = 0,
	TABLE_RIGHT = 1 << 0, /* numbers */
	TABLE_CUT = 1 << 1,   /* may be cut when the terminal is narrow */
	TABLE_TREE = 1 << 2,  /* children hang below their parents here */
	TABLE_STATE = 1 << 3, /* a state: coloured by what it says */
};

struct table_column {
	const char *name;
	unsigned flags;
};

/* Where it will be shown. All false: a file or a pipe. */
struct table_look {
	bool tty, colours;
	size_t width; /* of the terminal; 0: ask it */
};

struct table;
struct table_line;

/* A table with these columns; a NULL name in the first: without headings. NULL without memory,
 * which every call below takes for a table that has failed. */
OWNED struct table *table_new(
        const struct table_column *columns, size_t count, struct table_look look);
void table_free(struct table *t); /* NULL is fine */

/* A new line, below parent in a tree (NULL: at the top). */
BORROWED struct table_line *table_add(struct table *t, struct table_line *parent);

/* Fills the cells of a line from left to right, one a call. */
void table_text(struct table *t, struct table_line *line, const char *text); /* NULL: "-" */
void table_format(struct table *t, struct table_line *line, const char *fmt, ...) PRINTF(3, 4);
void table_json(struct table *t, struct table_line *line, const struct json *doc,
        const struct json_node *value);

/* Two columns, a label and a value: how one thing is shown. */
OWNED struct table *table_card(struct table_look look);
void table_card_json(
        struct table *t, const char *label, const struct json *doc, const struct json_node *value);
void table_card_text(struct table *t, const char *label, const char *text);

/* Writes the table, and to *lines (may be NULL) how many lines that took. */
MUST_CHECK bool table_print(struct table *t, FILE *out, size_t *lines, struct err *e);

AUTO_DEFINE(table, struct table, table_free)

#endif

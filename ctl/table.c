#include "ctl/table.h"

#include <assert.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/show.h"

struct table_line {
	struct libscols_line *line;
	struct table_line *next;
	size_t filled; /* cells */
};

struct table {
	struct libscols_table *scols;
	struct table_column columns[TABLE_COLUMNS_MAX];
	size_t count;
	struct table_line *lines; /* the latest first */
	struct table_look look;
	bool failed;
};

/* What a state's colour says at a glance. */
static const struct {
	const char *state, *colour;
} colours[] = {
        {"complete",            "green" },
        {"resolved_manually",   "green" },
        {"healthy",             "green" },
        {"ready",               "green" },
        {"yes",                 "green" },
        {"in_progress",         "cyan"  },
        {"steps_in_process",    "cyan"  },
        {"waiting_for_retry",   "yellow"},
        {"cancelled",           "yellow"},
        {"degraded",            "yellow"},
        {"error",               "red"   },
        {"blocked_by_failures", "red"   },
        {"unhealthy",           "red"   },
        {"unreachable",         "red"   },
};

static bool
add_columns(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct table_column *c = &t->columns[i];
		int flags = ((c->flags & TABLE_RIGHT) != 0 ? SCOLS_FL_RIGHT : 0) |
		            ((c->flags & TABLE_CUT) != 0 ? SCOLS_FL_TRUNC : 0) |
		            ((c->flags & TABLE_TREE) != 0 ? SCOLS_FL_TREE : 0);
		struct libscols_column *column =
		        scols_table_new_column(t->scols, c->name != NULL ? c->name : "", 0, flags);

		/* show_clean has spelled what is not fit to print; these are its words. */
		if (column == NULL)
			return false;
	}
	return true;
}

OWNED struct table *
table_new(const struct table_column *columns, size_t count, struct table_look look)
{
	AUTO(table) struct table *t = calloc(1, sizeof(*t));

	assert(count > 0 && count <= TABLE_COLUMNS_MAX);
	if (t == NULL)
		return NULL;
	memcpy(t->columns, columns, count * sizeof(*columns));
	t->count = count;
	t->look = look;
	t->scols = scols_new_table();
	if (t->scols == NULL || !add_columns(t))
		return NULL;
	(void)scols_table_enable_noheadings(t->scols, columns[0].name == NULL);
	(void)scols_table_enable_colors(t->scols, look.colours);
	(void)scols_table_set_termforce(
	        t->scols, look.tty ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (look.width > 0)
		(void)scols_table_set_termwidth(t->scols, look.width);
	return TAKE(t);
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	while (t->lines != NULL) {
		struct table_line *next = t->lines->next;

		free(t->lines);
		t->lines = next;
	}
	scols_unref_table(t->scols);
	free(t);
}

struct table_line *
table_add(struct table *t, struct table_line *parent)
{
	struct table_line *line;

	if (t == NULL || t->failed)
		return NULL;
	line = calloc(1, sizeof(*line));
	if (line != NULL)
		line->line = scols_table_new_line(t->scols, parent != NULL ? parent->line : NULL);
	if (line == NULL || line->line == NULL) {
		free(line);
		t->failed = true;
		return NULL;
	}
	line->next = t->lines;
	t->lines = line;
	return line;
}

static void
colour(struct table *t, struct table_line *line, size_t column, const char *text)
{
	for (size_t i = 0; i < COUNT(colours); i++)
		if (strcmp(colours[i].state, text) == 0)
			(void)scols_cell_set_color(
			        scols_line_get_cell(line->line, column), colours[i].colour);
	(void)t;
}

/* Takes a clean text. */
static void
fill(struct table *t, struct table_line *line, struct buf *clean)
{
	char *text;

	if (t == NULL || line == NULL) {
		buf_free(clean);
		return;
	}
	assert(line->filled < t->count);
	text = buf_take_text(clean);
	if (text == NULL || scols_line_refer_data(line->line, line->filled, text) != 0) {
		free(text);
		t->failed = true;
		return;
	}
	if ((t->columns[line->filled].flags & TABLE_STATE) != 0)
		colour(t, line, line->filled, text);
	line->filled++;
}

void
table_text(struct table *t, struct table_line *line, const char *text)
{
	struct buf clean = BUF(8 * (size_t)SHOW_TEXT_MAX);

	if (text == NULL)
		buf_char(&clean, '-');
	else
		show_clean(&clean, text, strnlen(text, SHOW_TEXT_MAX));
	fill(t, line, &clean);
}

void
table_format(struct table *t, struct table_line *line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_text(t, line, text);
}

void
table_json(struct table *t, struct table_line *line, const struct json *doc,
        const struct json_node *value)
{
	struct buf clean = BUF(8 * (size_t)SHOW_TEXT_MAX);

	show_json(&clean, doc, value);
	fill(t, line, &clean);
}

OWNED struct table *
table_card(struct table_look look)
{
	static const struct table_column columns[] = {
	        {NULL, 0          },
                {NULL, TABLE_STATE}
        };

	return table_new(columns, COUNT(columns), look);
}

void
table_card_json(
        struct table *t, const char *label, const struct json *doc, const struct json_node *value)
{
	struct table_line *line = table_add(t, NULL);

	table_text(t, line, label);
	table_json(t, line, doc, value);
}

void
table_card_text(struct table *t, const char *label, const char *text)
{
	struct table_line *line = table_add(t, NULL);

	table_text(t, line, label);
	table_text(t, line, text);
}

bool
table_print(struct table *t, FILE *out, size_t *lines, struct err *e)
{
	char *text = NULL;
	size_t n = 0;
	bool ok;

	if (t == NULL || t->failed)
		return err_set(e, ERR_NOMEM, "out of memory for a table");
	if (scols_table_get_nlines(t->scols) == 0) {
		if (lines != NULL)
			*lines = 0;
		return true;
	}
	if (scols_print_table_to_string(t->scols, &text) != 0 || text == NULL) {
		free(text);
		return err_set(e, ERR_NOMEM, "out of memory for a table");
	}
	for (const char *c = text; (c = strchr(c, '\n')) != NULL; c++)
		n++;
	if (text[0] != '\0' && text[strlen(text) - 1] != '\n')
		n++;
	ok = fputs(text, out) >= 0 &&
	     (text[0] == '\0' || text[strlen(text) - 1] == '\n' || fputc('\n', out) != EOF);
	free(text);
	if (!ok)
		return err_set(e, ERR_IO, "cannot write the answer");
	if (lines != NULL)
		*lines = n;
	return true;
}

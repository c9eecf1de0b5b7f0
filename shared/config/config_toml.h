/*
 * The one door to toml++: a TOML document as a series of events with dotted names and lines.
 *
 * Events come in file order. Nothing recurses over the input: how deep a document may nest is
 * checked before it is parsed.
 */
#ifndef SHARED_CONFIG_CONFIG_TOML_H
#define SHARED_CONFIG_CONFIG_TOML_H

#include "shared/base/err.h"

enum {
	TOML_NESTING_MAX = 16, /* brackets inside brackets */
	TOML_DOTS_MAX = 16,    /* dots in the keys of one line */
};

enum toml_kind {
	TOML_BROKEN,      /* no TOML: text says why; nothing follows */
	TOML_TABLE,       /* a table begins; its members follow */
	TOML_ELEMENT,     /* an element of an array of tables begins; its members follow */
	TOML_ELEMENT_END, /* and has ended */
	TOML_TEXT,
	TOML_INT,
	TOML_FLOAT,
	TOML_BOOL,
	TOML_TIME,  /* a date, a time or both */
	TOML_LIST,  /* an array of texts, or an empty one */
	TOML_MIXED, /* any other array */
};

/* All borrowed for the call. */
struct toml_event {
	enum toml_kind kind;
	int line;
	const char *key;          /* dotted name from the root */
	const char *text;         /* the scalar as text; NULL for the other kinds */
	const char *const *items; /* of a LIST */
	size_t count;
};

/* SKIP passes over the members of a TABLE or ELEMENT (its END too); ANY lets the members of a TABLE
 * have any names, even with dots in them; STOP ends the walk, with e set. */
enum toml_go { TOML_STOP, TOML_SKIP, TOML_GO, TOML_ANY };
typedef enum toml_go (*toml_event_fn)(const struct toml_event *event, void *arg, struct err *e);

/*
 * Calls fn once an event. A bad document is an event, not a fault; so is a text with a NUL in it or
 * a key that is not made of letters, digits, _ and -, but for TOML_ANY. False after STOP or for
 * want of memory.
 */
MUST_CHECK bool toml_walk(const char *text, size_t len, toml_event_fn fn, void *arg, struct err *e);

#endif

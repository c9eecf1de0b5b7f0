/*
 * JSON in: one strict pass over the bytes, giving spans into them.
 *
 * RFC 8259 with what we refuse beyond it: invalid UTF-8, duplicate member names,
 * U+0000 in a string, lone surrogates, and anything past the given limits. Numbers
 * stay text, so 64-bit integers survive; user documents are kept as their original
 * tokens (json_compact). A number no double can hold (1e999) is refused too. Work is
 * linear in the input whatever its member names are (LM10); no recursion.
 */
#ifndef SHARED_BASE_JSON_H
#define SHARED_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/attr.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/json_text.h"

/* What any limits allow at most: 64 for somebody's document and what we wrap around it. */
enum { JSON_DEPTH = 72 };

enum json_kind {
	JSON_NULL = 1,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_limits {
	size_t bytes, nodes; /* nodes: values, without member names */
	unsigned depth;      /* at most JSON_DEPTH */
	size_t members;      /* of one object, and items of one array; 0: no limit but nodes */
};

/* Public bodies: 1 MiB, 10,000 nodes, depth 32. */
extern const struct json_limits json_limits_default;

struct json;      /* a parsed document; borrows the text it was given */
struct json_node; /* one value or member name in it; lives as long as the document */

/*
 * The text must outlive the document. ERR_FORMAT or ERR_LIMIT name the byte offset
 * ("byte 17: a duplicate member name").
 */
MUST_CHECK bool json_parse(const char *text, size_t len, const struct json_limits *limits,
        OWNED struct json **out, struct err *e);
void json_free(struct json *doc);

/* The whole document's value; never NULL. */
BORROWED const struct json_node *json_root(const struct json *doc);
enum json_kind json_kind(const struct json_node *n);
size_t json_count(const struct json_node *n); /* members of an object, items of an array, else 0 */

/* The value of a member, or NULL (also when obj is NULL or no object). Exact bytes after
 * unescaping. */
BORROWED const struct json_node *json_member(
        const struct json *doc, const struct json_node *obj, const char *name);

/* Children in order: first, then next until NULL. For an object each child is a member's value. */
BORROWED const struct json_node *json_first(const struct json *doc, const struct json_node *parent);
BORROWED const struct json_node *json_next(const struct json *doc, const struct json_node *child);
/* The name of the member whose value this is, as a STRING node; NULL for items and the root. */
BORROWED const struct json_node *json_name(const struct json *doc, const struct json_node *value);

/* The raw bytes of the value as they stand in the text (a string with its quotes). */
BORROWED const char *json_raw(const struct json *doc, const struct json_node *n, size_t *len);
/* Where it begins in the text, in bytes. */
size_t json_offset(const struct json_node *n);

/* What stands between the quotes of a STRING node, still escaped. */
BORROWED struct json_text json_text_of(const struct json *doc, const struct json_node *string);

/* Unescaped string content appended to out; false if n is NULL or no string. Check buf_ok(out) too.
 */
bool json_string(const struct json *doc, const struct json_node *n, struct buf *out);
/* Is n a string with exactly this content? */
bool json_string_is(const struct json *doc, const struct json_node *n, const char *text);
/* A NUL-terminated copy of a string of at most max bytes; NULL if n is none, too long, or no
 * memory. */
OWNED char *json_string_copy(const struct json *doc, const struct json_node *n, size_t max);
/* An integer without fraction or exponent that fits; false otherwise. */
bool json_int64(const struct json *doc, const struct json_node *n, int64_t *out);
/* Any finite number. */
bool json_double(const struct json *doc, const struct json_node *n, double *out);

/* Appends the value's original tokens without insignificant white space: one line, no raw newline.
 */
void json_compact(const struct json *doc, const struct json_node *n, struct buf *out);
/*
 * Appends a canonical form for hashing: members sorted by unescaped bytes, strings spelled
 * as json_escape() does, numbers verbatim. Check buf_ok(out); it also fails without memory.
 */
void json_canonical(const struct json *doc, const struct json_node *n, struct buf *out);

AUTO_DEFINE(json, struct json, json_free)

#endif

/*
 * The words of JSON: string and number tokens, found, checked and read without a copy.
 * Nothing here knows of documents; json.c builds them from these words.
 */
#ifndef SHARED_BASE_JSON_TEXT_H
#define SHARED_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"

/* What stands between the quotes of a checked string token; points into its text. */
struct json_text {
	const char *raw;
	size_t len;
	bool escaped; /* there is an escape in it; else it is what it says */
};

/*
 * Finds the end of the string token whose opening quote is text[0]. NULL says it is good:
 * *used is its length with both quotes and *found what is between them. Otherwise the answer
 * is the reason, *used the offset of the fault, and *found is untouched.
 */
BORROWED const char *json_text_scan(
        const char *text, size_t len, size_t *used, struct json_text *found);

/* The same for the number token at text[0]. Numbers beyond a double's range are refused. */
BORROWED const char *json_number_scan(const char *text, size_t len, size_t *used);

/* A checked number token as the nearest double; false if it is beyond the range. */
bool json_number_double(const char *text, size_t len, double *out);

/* Walks the unescaped bytes of a string token, or the bytes of any text that is not escaped. */
struct json_chars {
	const char *at, *end;
	char held[4]; /* UTF-8 of an escape that has not been given yet */
	size_t count, given;
	bool escaped; /* else a backslash is one */
};

struct json_chars json_chars_of(struct json_text text);
/* The next byte, 0 to 255, or -1 at the end. */
int json_chars_next(struct json_chars *c);

bool json_text_same(struct json_text a, struct json_text b);
/* Order of the unescaped bytes: below, at or above 0 as with memcmp; a prefix comes first. */
int json_text_compare(struct json_text a, struct json_text b);

#endif

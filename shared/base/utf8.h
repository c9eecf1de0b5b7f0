/* UTF-8 (RFC 3629), one character at a time, without overlong forms and surrogates. */
#ifndef SHARED_BASE_UTF8_H
#define SHARED_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD UINT32_MAX

/*
 * The code point at text and how many bytes it takes. What is no UTF-8 gives UTF8_BAD and
 * the number of bytes that one replacement character stands for; never 0. len is at least 1.
 */
size_t utf8_next(const char *text, size_t len, uint32_t *code_point);

/* Writes the UTF-8 form of a code point below 0x110000; 1 to 4 bytes. */
size_t utf8_put(uint32_t code_point, char out[4]);

/* Is all of it UTF-8? */
bool utf8_valid(const char *text, size_t len);

#endif

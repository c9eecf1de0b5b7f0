/*
 * Bytes that must not leak: wiped when freed, compared in constant time, never
 * printed. There is no way to log one: struct log_field takes no secret.
 */
#ifndef SHARED_BASE_SECRET_H
#define SHARED_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"
#include "shared/base/err.h"

enum { SECRET_MAX = 65536 };

struct secret; /* opaque: length and bytes are in secret.c */

/* A copy of len bytes, at most SECRET_MAX (ERR_LIMIT). */
MUST_CHECK bool secret_new(const void *bytes, size_t len, OWNED struct secret **out, struct err *e);
void secret_free(struct secret *s); /* NULL is fine; the bytes are wiped first */

/* What is kept; its bytes die with it. */
BORROWED const unsigned char *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);

/* Same length and bytes, in time that depends on len alone. */
bool secret_equal(const void *a, const void *b, size_t len);

/* Overwrites bytes in a way the compiler may not remove. */
void secret_wipe(void *bytes, size_t len);

AUTO_DEFINE(secret, struct secret, secret_free)

#endif

/*
 * Faults: things that went wrong, as opposed to answers that are "no".
 *
 * A function that can fault returns bool and takes `struct err *e` last.
 * true means every out parameter is set; false means none was touched and
 * *e says what happened. The struct lives on the caller's stack, so that
 * reporting a failed allocation needs no allocation.
 */
#ifndef SHARED_BASE_ERR_H
#define SHARED_BASE_ERR_H

#include <stdbool.h>

#include "shared/base/attr.h"

enum err_code {
	ERR_NONE = 0,
	ERR_NOMEM,    /* an allocation failed */
	ERR_IO,       /* the system refused: file, socket, disk */
	ERR_FORMAT,   /* input that breaks its grammar */
	ERR_LIMIT,    /* input beyond a named limit */
	ERR_CRYPTO,   /* OpenSSL failed, or a key is not fit to use */
	ERR_MISSING,  /* something named does not exist */
	ERR_CONFLICT, /* it exists already, with other content */
	ERR_DENIED,   /* the system's permissions forbid it */
	ERR_BUSY,     /* try again later */
	ERR_INTERNAL, /* our own mistake */
};

struct err {
	enum err_code code;
	int line;
	const char *file;
	char text[240];
};

/* Records the fault and returns false: `return err_set(e, ERR_IO, "...");` */
#define err_set(e, code, ...) err_set_at((e), (code), __FILE__, __LINE__, __VA_ARGS__)
bool err_set_at(struct err *e, enum err_code code, const char *file, int line, const char *fmt, ...)
        PRINTF(5, 6);

/* Puts what the caller was doing in front of the text; code is kept. Returns false. */
bool err_while(struct err *e, const char *fmt, ...) PRINTF(2, 3);

#endif

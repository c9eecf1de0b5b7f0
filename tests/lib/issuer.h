/*
 * An issuer of keys on a loopback port, as good or as hostile as it is told to be (F10 of
 * security.md §5). One thread, one connection at a time; a mode holds from the next request on.
 */
#ifndef TESTS_LIB_ISSUER_H
#define TESTS_LIB_ISSUER_H

#include "shared/base/attr.h"

enum issuer_mode {
	ISSUER_GOOD,      /* 200 with the set */
	ISSUER_SLOW,      /* the set, a byte every 100 ms */
	ISSUER_HANG,      /* no word until the client goes */
	ISSUER_ERROR,     /* 500 with the set */
	ISSUER_MISSING,   /* 404 with the set */
	ISSUER_MOVED,     /* 302 to the set */
	ISSUER_GARBAGE,   /* 200 with bytes that are no JSON */
	ISSUER_HTML,      /* 200 with a page */
	ISSUER_TRUNCATED, /* half of the set, then the end */
	ISSUER_ENDLESS,   /* chunks without end */
	ISSUER_GZIP,      /* Content-Encoding: gzip, whatever the client accepts */
	ISSUER_EMPTY,     /* {"keys":[]} */
	ISSUER_TWICE,     /* the set with its first key twice */
	ISSUER_NO_HTTP,   /* a line that is none */
	ISSUER_MODES
};

struct issuer;

/* NULL: no socket, or no thread. */
OWNED struct issuer *issuer_start(void);
void issuer_stop(struct issuer *i); /* NULL is fine */

const char *issuer_url(const struct issuer *i); /* http://127.0.0.1:port/jwks */
/* From the next request on. set is copied and may be NULL to keep the one there is; fields are
 * whole lines of the head, borrowed for ever, or NULL. */
void issuer_say(struct issuer *i, enum issuer_mode mode, const char *set, const char *fields);
unsigned issuer_requests(struct issuer *i); /* that came so far */

#endif

/* The three NIST curves of RFC 7518: names, sizes, and the order that bounds r and s. */
#ifndef SHARED_SECURITY_CURVE_H
#define SHARED_SECURITY_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/security/algorithm.h"

enum { CURVE_SIZE_MAX = 66 };

struct curve {
	enum key_type type;
	const char *jwk;                     /* "P-256" */
	const char *openssl;                 /* its group name */
	size_t size;                         /* bytes of a coordinate, and of r and s each */
	unsigned char order[CURVE_SIZE_MAX]; /* n, big-endian, in the first size bytes */
};

/* NULL if there is no such curve here. */
BORROWED const struct curve *curve_of(enum key_type type);
BORROWED const struct curve *curve_named(const char *openssl);

/* Is the number (size bytes, big-endian) in 1 .. n-1? */
bool curve_scalar_in_range(const struct curve *c, const unsigned char *number);

#endif

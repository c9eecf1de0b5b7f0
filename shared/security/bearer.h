/* The value of an Authorization header: scheme and token (RFC 9110 11.4, RFC 6750 2.1). */
#ifndef SHARED_SECURITY_BEARER_H
#define SHARED_SECURITY_BEARER_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"

/*
 * "Bearer" in any case, exactly one space, then a token68; anything else is no bearer, and so no
 * credential at all (CR2, CR5). *token points into value.
 */
MUST_CHECK bool bearer_parse(
        const char *value, size_t len, BORROWED const char **token, size_t *token_len);

#endif

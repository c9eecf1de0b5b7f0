/* The value of an Authorization header: scheme and token (RFC 9110 11.4, RFC 6750 2.1). */
#ifndef SHARED_SECURITY_BEARER_H
#define SHARED_SECURITY_BEARER_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"

/*
 * "Bearer" in any case, exactly one space, then at least one character; anything else is no bearer,
 * and so no credential at all (CR2, CR5). *token points into value.
 */
MUST_CHECK bool bearer_parse(
        const char *value, size_t len, BORROWED const char **token, size_t *token_len);

/* Is the token a token68, as it must be? Apart, because a token that is known need not be asked. */
bool bearer_is_token68(const char *token, size_t len);

#endif

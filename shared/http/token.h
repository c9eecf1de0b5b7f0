/* Words of a head (RFC 9110 §5.6): tokens, names in any case, values between blanks. */
#ifndef SHARED_HTTP_TOKEN_H
#define SHARED_HTTP_TOKEN_H

#include "shared/http/head.h"

/* How many token characters text begins with. */
size_t token_len(const char *text, size_t len);

/* Is s that name, in whatever case? len is the name's. */
bool token_same(struct span s, const char *name, size_t len);

/* Text without the blanks and tabs around it. */
struct span token_trimmed(const char *text, size_t len);

#endif

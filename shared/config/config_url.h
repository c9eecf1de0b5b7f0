/* What must not be shown of a URL: its password and its query. */
#ifndef SHARED_CONFIG_CONFIG_URL_H
#define SHARED_CONFIG_CONFIG_URL_H

#include "shared/base/buf.h"

/* Appends url with "***" in place of its password and of everything behind a question mark. */
void config_url_mask(const char *url, struct buf *out);
/* Does it hold a password, as "user:password@" or behind a question mark? */
bool config_url_has_password(const char *url);

#endif

/* A list of texts in one block of memory. */
#ifndef SHARED_CONFIG_CONFIG_LIST_H
#define SHARED_CONFIG_CONFIG_LIST_H

#include "shared/config/config.h"

/* Copies items; no items make an empty list without memory. False if there is no memory. */
MUST_CHECK bool config_list_make(
        const char *const *items, size_t count, OWNED struct config_list *out);
void config_list_free(struct config_list *list); /* and empties it */

/* The same texts in the same order? */
bool config_list_same(const struct config_list *a, const struct config_list *b);

/*
 * Cuts "a, b" at its commas, in place, into at most max items without the blanks around them;
 * empty ones are left out. Returns their number.
 */
size_t config_list_cut(char *text, BORROWED const char **items, size_t max);

#endif

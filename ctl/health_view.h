/* How a daemon says it is: /health/detailed as a table. */
#ifndef CTL_HEALTH_VIEW_H
#define CTL_HEALTH_VIEW_H

#include "ctl/api.h"

/* Asks and prints. OK: healthy; NO: it answers, but something is wrong with it. */
enum exit_status health_view(struct ctl *ctl, enum endpoint endpoint);

/* Asks only; the answer's status tells healthy from not (NO). */
enum exit_status health_view_ask(struct ctl *ctl, enum endpoint endpoint, struct api_answer *out);

/* Adds a daemon and its checks to a tree: name, status, what it says. */
OWNED struct table *health_view_tree(struct table_look look);
void health_view_add(struct table *tree, enum endpoint endpoint, const struct api_answer *answer);

#endif

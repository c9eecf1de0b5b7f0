/*
 * When connections have to be looked at. All deadlines of one kind are set the same time ahead, so
 * a list in order of setting is in order of time: setting is a few pointers, one timer serves all.
 */
#ifndef SHARED_HTTP_DEADLINE_H
#define SHARED_HTTP_DEADLINE_H

#include <stdint.h>

#include "shared/base/attr.h"

enum deadline_kind {
	DEADLINE_NONE = 0, /* listed, but never due: the owner of a request takes its time */
	DEADLINE_FRESH,    /* nothing has arrived yet */
	DEADLINE_HANDSHAKE,
	DEADLINE_IDLE,
	DEADLINE_HEAD,
	DEADLINE_BODY,
	DEADLINE_WRITE,
	DEADLINE_LINGER,
	DEADLINE_KINDS
};

struct deadline {
	struct deadline *prev, *next;
	int64_t at_us;
	enum deadline_kind kind;
};

struct deadlines {
	struct deadline lists[DEADLINE_KINDS]; /* each the head of a ring */
};

/* No deadline is set. */
void deadlines_init(struct deadlines *all);

/* d is new: it joins the NONE list. Remove it before it ends. */
void deadline_add(struct deadlines *all, struct deadline *d);
void deadline_remove(struct deadline *d);

/* Moves d to the end of its list unless nothing changes. at_us is not before the last one's there.
 */
void deadline_set(
        struct deadlines *all, struct deadline *d, enum deadline_kind kind, int64_t at_us);

/* The first of that kind, or NULL. */
BORROWED struct deadline *deadlines_first(struct deadlines *all, enum deadline_kind kind);
/* One that is due at now, or NULL. */
BORROWED struct deadline *deadlines_due(struct deadlines *all, int64_t now_us);
int64_t deadlines_next_us(const struct deadlines *all); /* INT64_MAX if none is ever due */

#endif

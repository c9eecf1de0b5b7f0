#include "shared/http/deadline.h"

void
deadlines_init(struct deadlines *all)
{
	for (size_t i = 0; i < DEADLINE_KINDS; i++)
		all->lists[i].prev = all->lists[i].next = &all->lists[i];
}

static void
append(struct deadlines *all, struct deadline *d)
{
	struct deadline *ring = &all->lists[d->kind];

	d->prev = ring->prev;
	d->next = ring;
	ring->prev->next = d;
	ring->prev = d;
}

void
deadline_add(struct deadlines *all, struct deadline *d)
{
	d->kind = DEADLINE_NONE;
	d->at_us = INT64_MAX;
	append(all, d);
}

void
deadline_remove(struct deadline *d)
{
	d->prev->next = d->next;
	d->next->prev = d->prev;
}

void
deadline_set(struct deadlines *all, struct deadline *d, enum deadline_kind kind, int64_t at_us)
{
	/* What does not change keeps its place, else the list would lose its order. */
	if (d->kind == kind && d->at_us == at_us)
		return;
	d->at_us = at_us;
	if (d->next == &all->lists[kind])
		return;
	deadline_remove(d);
	d->kind = kind;
	append(all, d);
}

struct deadline *
deadlines_first(struct deadlines *all, enum deadline_kind kind)
{
	struct deadline *first = all->lists[kind].next;

	return first != &all->lists[kind] ? first : NULL;
}

struct deadline *
deadlines_due(struct deadlines *all, int64_t now_us)
{
	for (size_t i = DEADLINE_FRESH; i < DEADLINE_KINDS; i++) {
		struct deadline *first = all->lists[i].next;

		if (first != &all->lists[i] && first->at_us <= now_us)
			return first;
	}
	return NULL;
}

int64_t
deadlines_next_us(const struct deadlines *all)
{
	int64_t next = INT64_MAX;

	for (size_t i = DEADLINE_FRESH; i < DEADLINE_KINDS; i++) {
		const struct deadline *first = all->lists[i].next;

		if (first != &all->lists[i] && first->at_us < next)
			next = first->at_us;
	}
	return next;
}

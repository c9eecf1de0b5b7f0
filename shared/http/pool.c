#include "shared/http/pool.h"

#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS 0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(KEEPS)
#define KEEPS 0
#endif
#ifndef KEEPS
#define KEEPS 1
#endif

struct kept {
	struct kept *next;
};

void *
pool_take(struct pool *p)
{
	struct kept *item = p->first;

	if (item == NULL)
		return malloc(p->item);
	p->first = item->next;
	p->kept--;
	return item;
}

void
pool_give(struct pool *p, void *item)
{
	struct kept *k = item;

	if (k == NULL)
		return;
	if (!KEEPS || p->kept >= p->keep) {
		free(k);
		return;
	}
	k->next = p->first;
	p->first = k;
	p->kept++;
}

void
pool_clear(struct pool *p)
{
	while (p->first != NULL) {
		struct kept *item = p->first;

		p->first = item->next;
		free(item);
	}
	p->kept = 0;
}

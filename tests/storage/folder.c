#include "tests/storage/folder.h"

#include <stdlib.h>
#include <string.h>

struct node *
folder_find(const struct folder *f, const char *name)
{
	for (struct node *n = f->nodes; n != NULL; n = n->next)
		if (n->linked && strcmp(n->name, name) == 0)
			return n;
	return NULL;
}

struct node *
folder_make(struct folder *f, const char *name)
{
	struct node *n = calloc(1, sizeof(*n));

	if (n == NULL || strlen(name) >= FOLDER_NAME)
		abort();
	memcpy(n->name, name, strlen(name) + 1);
	n->linked = name[0] != '\0';
	n->next = f->nodes;
	f->nodes = n;
	return n;
}

void
folder_sweep(struct folder *f)
{
	struct node **at = &f->nodes;

	while (*at != NULL) {
		struct node *n = *at;

		if (n->linked || n->kept_link || n->opens > 0) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		medium_free(&n->medium);
		free(n);
	}
}

void
folder_clear(struct folder *f)
{
	for (struct node *n = f->nodes; n != NULL; n = n->next)
		n->linked = n->kept_link = false;
	folder_sweep(f);
}

void
folder_sync(struct folder *f)
{
	for (struct node *n = f->nodes; n != NULL; n = n->next)
		n->kept_link = n->linked;
	folder_sweep(f);
}

/* Old or new: of a name that was removed and made again at most one file comes back, the newer one
 * if both could. Newer ones are first in the list. */
void
folder_cut(struct folder *f, enum medium_loss loss, struct dice *d)
{
	for (struct node *n = f->nodes; n != NULL; n = n->next) {
		if (n->linked != n->kept_link && loss != MEDIUM_KEEPS &&
		        (loss == MEDIUM_LOSES || dice_one_in(d, 2)))
			n->linked = n->kept_link;
		n->linked = n->linked && folder_find(f, n->name) == n;
		n->kept_link = n->linked;
	}
	folder_sweep(f);
	for (struct node *n = f->nodes; n != NULL; n = n->next)
		medium_cut(&n->medium, loss, d);
}

const char *
folder_open_name(const struct folder *f)
{
	for (const struct node *n = f->nodes; n != NULL; n = n->next)
		if (n->opens > 0)
			return n->name;
	return NULL;
}

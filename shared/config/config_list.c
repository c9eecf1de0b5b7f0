#include "shared/config/config_list.h"

#include <stdlib.h>
#include <string.h>

/* One block: the pointers, then the texts they point to. */
bool
config_list_make(const char *const *items, size_t count, OWNED struct config_list *out)
{
	size_t size = count * sizeof(char *);
	const char **pointers;
	char *text;

	for (size_t i = 0; i < count; i++)
		size += strlen(items[i]) + 1;
	if (count == 0) {
		*out = (struct config_list){0};
		return true;
	}
	pointers = malloc(size);
	if (pointers == NULL)
		return false;
	text = (char *)(pointers + count);
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(items[i]) + 1;

		memcpy(text, items[i], len);
		pointers[i] = text;
		text += len;
	}
	*out = (struct config_list){
	        .count = count, .items = pointers, .block = pointers, .block_size = size};
	return true;
}

void
config_list_free(struct config_list *list)
{
	free(list->block);
	*list = (struct config_list){0};
}

bool
config_list_same(const struct config_list *a, const struct config_list *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = strcmp(a->items[i], b->items[i]) == 0;
	return same;
}

size_t
config_list_cut(char *text, BORROWED const char **items, size_t max)
{
	size_t count = 0;

	for (char *item = text, *next; item != NULL && count < max; item = next) {
		size_t len;

		next = strchr(item, ',');
		if (next != NULL)
			*next++ = '\0';
		item += strspn(item, " \t");
		for (len = strlen(item); len > 0 && strchr(" \t", item[len - 1]) != NULL; len--)
			item[len - 1] = '\0';
		if (len > 0)
			items[count++] = item;
	}
	return count;
}

#include "shared/security/permission_map.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* One row a name, sorted by bytes: a token may hold 256 names, each looked up at every login. */
struct row {
	struct permission_set set;
	size_t len;
	char name[PERMISSION_MAP_NAME_MAX];
};

struct permission_map {
	atomic_uint refs;
	size_t count;
	struct row rows[];
};

static int
compare(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	size_t shorter = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->name, right->name, shorter);

	if (order != 0)
		return order;
	return (left->len > right->len) - (left->len < right->len);
}

static bool
is_star(const char *text, size_t len)
{
	return len == 1 && text[0] == '*';
}

static bool
add_target(struct row *row, const char *spelled, size_t len, struct err *e)
{
	struct err unknown = {0};

	if (is_star(spelled, len))
		return err_set(e, ERR_FORMAT,
		        "a bare * grants nothing; name resources, such as tasks:* dlq:*");
	return permission_set_add(&row->set, spelled, len, &unknown) ||
	       err_set(e, ERR_FORMAT, "no permission is spelled %.*s", len < 64 ? (int)len : 64,
	               spelled);
}

static bool
add_targets(struct row *row, const char *words, struct err *e)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (len > 0 && !add_target(row, words, len, e))
			return false;
		words += len + (words[len] == ' ');
	}
	return row->set.bits != 0 || err_set(e, ERR_FORMAT, "it names no permission");
}

static bool
fill_row(struct row *row, const struct permission_mapping *from, struct err *e)
{
	if (from->name_len == 0 || from->name_len > PERMISSION_MAP_NAME_MAX)
		return err_set(e, ERR_LIMIT, "a name has 1 to %d bytes", PERMISSION_MAP_NAME_MAX);
	if (is_star(from->name, from->name_len))
		return err_set(e, ERR_FORMAT, "a bare * grants nothing, whatever it is mapped to");
	row->len = from->name_len;
	memcpy(row->name, from->name, from->name_len);
	return add_targets(row, from->permissions, e);
}

static bool
fill(struct permission_map *map, const struct permission_mapping *mappings, size_t count,
        struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = mappings[i].name_len;

		if (!fill_row(&map->rows[map->count++], &mappings[i], e))
			return err_while(e, "permission_map \"%.*s\"", len < 64 ? (int)len : 64,
			        mappings[i].name);
	}
	qsort(map->rows, map->count, sizeof(map->rows[0]), compare);
	for (size_t i = 1; i < map->count; i++)
		if (compare(&map->rows[i - 1], &map->rows[i]) == 0)
			return err_set(e, ERR_CONFLICT, "permission_map has \"%.*s\" twice",
			        (int)map->rows[i].len, map->rows[i].name);
	return true;
}

bool
permission_map_new(const struct permission_mapping *mappings, size_t count,
        OWNED struct permission_map **out, struct err *e)
{
	AUTO(permission_map) struct permission_map *map = NULL;

	if (count > PERMISSION_MAP_MAX)
		return err_set(
		        e, ERR_LIMIT, "permission_map has more than %d names", PERMISSION_MAP_MAX);
	map = calloc(1, sizeof(*map) + count * sizeof(map->rows[0]));
	if (map == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a permission map");
	atomic_init(&map->refs, 1);
	if (!fill(map, mappings, count, e))
		return false;
	*out = TAKE(map);
	return true;
}

struct permission_map *
permission_map_ref(struct permission_map *map)
{
	if (map != NULL)
		atomic_fetch_add_explicit(&map->refs, 1, memory_order_relaxed);
	return map;
}

void
permission_map_free(struct permission_map *map)
{
	if (map != NULL && atomic_fetch_sub(&map->refs, 1) == 1)
		free(map);
}

bool
permission_map_add(
        const struct permission_map *map, const char *name, size_t len, struct permission_set *set)
{
	struct row wanted = {.len = len};
	const struct row *found;

	if (map == NULL || len > PERMISSION_MAP_NAME_MAX)
		return false;
	memcpy(wanted.name, name, len);
	found = bsearch(&wanted, map->rows, map->count, sizeof(map->rows[0]), compare);
	if (found != NULL)
		set->bits |= found->set.bits;
	return found != NULL;
}

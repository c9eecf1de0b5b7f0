/*
 * Rows that share a path become one shape: the path's segments, and per method the row. A path
 * without holes is found by its hash; shapes with holes are few, lie in order of their number of
 * segments, and within it literals before holes from left to right, so the first that fits is the
 * most specific. A request whose path fits but whose method no row takes collects what is allowed
 * from every shape that fits.
 */
#include "shared/gate/route.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { METHODS = METHOD_OPTIONS + 1, SEGMENTS_MAX = 12, PATH_MAX_BYTES = 256 };

struct shape {
	struct span path;
	struct span segments[SEGMENTS_MAX];
	size_t segment_count, hole_count;
	const struct route *rows[METHODS];
	const struct route *any;
	unsigned allowed;
	bool open;
};

struct route_table {
	struct shape *shapes;
	size_t count; /* of shapes; [0, plain) have no holes, the rest is sorted as said above */
	size_t plain;
	size_t longest;  /* path without holes */
	size_t *buckets; /* open addressing: index + 1 of a plain shape, 0 is empty */
	size_t bucket_mask;
	size_t first_of[SEGMENTS_MAX + 2]; /* where shapes with holes and n segments begin */
};

static bool
is_hole(struct span segment)
{
	return segment.len > 0 && segment.text[0] == '{';
}

static bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

/* "/a/b" gives a, b; "/" gives one empty segment. False past SEGMENTS_MAX. */
static bool
split(struct span path, struct span *segments, size_t *count)
{
	const char *at = path.text + 1, *const end = path.text + path.len;

	for (*count = 0; *count < SEGMENTS_MAX; at++) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		const char *stop = slash != NULL ? slash : end;

		segments[(*count)++] = (struct span){at, (size_t)(stop - at)};
		at = stop;
		if (at == end)
			return true;
	}
	return false;
}

static bool
same_shape(const struct shape *a, const struct shape *b)
{
	if (a->segment_count != b->segment_count)
		return false;
	for (size_t i = 0; i < a->segment_count; i++) {
		if (is_hole(a->segments[i]) != is_hole(b->segments[i]))
			return false;
		if (!is_hole(a->segments[i]) && !span_equal(a->segments[i], b->segments[i]))
			return false;
	}
	return true;
}

/* ---- building ---- */

static bool
wrong(struct err *e, const struct route *row, size_t n, const char *what)
{
	return err_set(e, ERR_FORMAT, "route %zu (%s %s): %s", n, method_name(row->method),
	        row->path == NULL ? "" : row->path, what);
}

static bool
access_is_set(struct access access)
{
	switch (access.kind) {
	case ACCESS_OPEN:
	case ACCESS_SIGNED_IN:
		return true;
	case ACCESS_NEEDS:
		return (unsigned)access.permission < PERMISSION__COUNT;
	case ACCESS_INTERNAL:
		return access.caller == CALLER_SYSTEM || access.caller == CALLER_SESSION;
	case ACCESS_UNSET:
	default:
		return false;
	}
}

static bool
body_is_set(const struct route *row)
{
	if (row->body == BODY_KIND_NO_BODY)
		return row->body_max == 0;
	return row->body == BODY_KIND_JSON && row->body_max > 0 && row->method != METHOD_GET;
}

static bool
segment_is_fit(struct span segment)
{
	const char *brace = memchr(segment.text, '{', segment.len);

	if (brace == NULL)
		return segment.len > 0 && memchr(segment.text, '}', segment.len) == NULL;
	return brace == segment.text && segment.len > 2 &&
	       memchr(segment.text, '}', segment.len) == segment.text + segment.len - 1;
}

/* Fills the path's side of a shape; false if it is no path. */
static bool
read_path(const char *path, struct shape *shape)
{
	const size_t len = path == NULL ? 0 : strlen(path);

	*shape = (struct shape){
	        .path = {path, len}
        };
	if (len == 0 || len > PATH_MAX_BYTES || path[0] != '/' ||
	        !split(shape->path, shape->segments, &shape->segment_count))
		return false;
	for (size_t i = 0; i < shape->segment_count && len > 1; i++) {
		if (!segment_is_fit(shape->segments[i]))
			return false;
		shape->hole_count += is_hole(shape->segments[i]);
	}
	return shape->hole_count <= ROUTE_HOLES;
}

static bool
check_row(const struct route *row, size_t n, struct shape *shape, struct err *e)
{
	if (row->method == METHOD_NONE || row->method == METHOD_HEAD ||
	        row->method >= METHOD_OPTIONS)
		return wrong(e, row, n, "the gate answers this method itself, or nobody does");
	if (!read_path(row->path, shape))
		return wrong(e, row, n, "the path is none, or has too many segments or holes");
	if (!access_is_set(row->access))
		return wrong(e, row, n, "no access is declared");
	if (!body_is_set(row))
		return wrong(e, row, n, "the body's kind, limit and method do not fit");
	if (row->handler == NULL)
		return wrong(e, row, n, "there is no handler");
	return true;
}

static void
put_row(struct shape *shape, const struct route *row)
{
	shape->rows[row->method] = row;
	shape->any = row;
	shape->allowed |= 1U << row->method | 1U << METHOD_OPTIONS;
	if (row->method == METHOD_GET)
		shape->allowed |= 1U << METHOD_HEAD;
	shape->open |= row->access.kind == ACCESS_OPEN;
}

static bool
add_row(struct route_table *t, const struct route *row, size_t n, struct err *e)
{
	struct shape shape;

	if (!check_row(row, n, &shape, e))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!same_shape(&t->shapes[i], &shape))
			continue;
		if (t->shapes[i].rows[row->method] != NULL)
			return wrong(e, row, n, "another row matches the same requests");
		put_row(&t->shapes[i], row);
		return true;
	}
	put_row(&shape, row);
	t->shapes[t->count++] = shape;
	return true;
}

/* Without holes first; then by number of segments; then literals before holes, left to right. */
static int
by_specificity(const void *va, const void *vb)
{
	const struct shape *a = va, *b = vb;

	if ((a->hole_count == 0) != (b->hole_count == 0))
		return a->hole_count == 0 ? -1 : 1;
	if (a->segment_count != b->segment_count)
		return a->segment_count < b->segment_count ? -1 : 1;
	for (size_t i = 0; i < a->segment_count; i++)
		if (is_hole(a->segments[i]) != is_hole(b->segments[i]))
			return is_hole(b->segments[i]) ? -1 : 1;
	return strcmp(a->path.text, b->path.text);
}

static size_t
hash(struct span path) /* FNV-1a: the table's own paths are the only keys that stay in it */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < path.len; i++)
		h = (h ^ (unsigned char)path.text[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32);
}

static bool
index_shapes(struct route_table *t, struct err *e)
{
	size_t buckets = 8;

	qsort(t->shapes, t->count, sizeof(*t->shapes), by_specificity);
	while (t->plain < t->count && t->shapes[t->plain].hole_count == 0)
		t->plain++;
	while (buckets < 2 * t->plain)
		buckets *= 2;
	t->buckets = calloc(buckets, sizeof(*t->buckets));
	if (t->buckets == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a route table");
	t->bucket_mask = buckets - 1;
	for (size_t i = 0; i < t->plain; i++) {
		size_t at = hash(t->shapes[i].path) & t->bucket_mask;

		while (t->buckets[at] != 0)
			at = (at + 1) & t->bucket_mask;
		t->buckets[at] = i + 1;
		if (t->shapes[i].path.len > t->longest)
			t->longest = t->shapes[i].path.len;
	}
	for (size_t n = 0, i = t->plain; n < COUNT(t->first_of); n++) {
		while (i < t->count && t->shapes[i].segment_count < n)
			i++;
		t->first_of[n] = i;
	}
	return true;
}

bool
route_table_new(
        const struct route *rows, size_t count, OWNED struct route_table **out, struct err *e)
{
	AUTO(route_table) struct route_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a route table");
	t->shapes = calloc(count + 1, sizeof(*t->shapes));
	if (t->shapes == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a route table");
	for (size_t i = 0; i < count; i++)
		if (!add_row(t, &rows[i], i, e))
			return false;
	if (!index_shapes(t, e))
		return false;
	*out = TAKE(t);
	return true;
}

void
route_table_free(struct route_table *t)
{
	if (t == NULL)
		return;
	free(t->buckets);
	free(t->shapes);
	free(t);
}

/* ---- finding ---- */

static bool
fits(const struct shape *shape, const struct span *segments, struct route_match *m)
{
	m->hole_count = 0;
	for (size_t i = 0; i < shape->segment_count; i++) {
		if (!is_hole(shape->segments[i])) {
			if (!span_equal(shape->segments[i], segments[i]))
				return false;
		} else {
			if (segments[i].len == 0)
				return false;
			m->holes[m->hole_count++] = segments[i];
		}
	}
	return true;
}

/* Takes a shape that fits into the match; true if it has the row, and so ends the search. */
static bool
take(const struct shape *shape, enum method method, struct route_match *m)
{
	const struct route *row = shape->rows[method == METHOD_HEAD ? METHOD_GET : method];

	m->allowed |= shape->allowed;
	m->open |= shape->open;
	m->route = row != NULL ? row : shape->any;
	return row != NULL;
}

static const struct shape *
find_plain(const struct route_table *t, struct span path)
{
	if (path.len > t->longest)
		return NULL;
	for (size_t at = hash(path) & t->bucket_mask; t->buckets[at] != 0;
	        at = (at + 1) & t->bucket_mask) {
		const struct shape *shape = &t->shapes[t->buckets[at] - 1];

		if (span_equal(shape->path, path))
			return shape;
	}
	return NULL;
}

enum match
route_table_find(
        const struct route_table *t, enum method method, struct span path, struct route_match *out)
{
	const struct shape *plain = find_plain(t, path);
	struct span segments[SEGMENTS_MAX];
	size_t n;

	assert(method <= METHOD_OPTIONS);
	out->route = NULL;
	out->hole_count = 0;
	out->allowed = 0;
	out->open = false;
	if (plain != NULL && take(plain, method, out))
		return MATCH_FULL;
	if (path.len == 0 || path.text[0] != '/' || !split(path, segments, &n))
		return plain != NULL ? MATCH_PATH_ONLY : MATCH_NONE;
	for (size_t i = t->first_of[n]; i < t->first_of[n + 1]; i++)
		if (fits(&t->shapes[i], segments, out) && take(&t->shapes[i], method, out))
			return MATCH_FULL;
	return out->allowed != 0 ? MATCH_PATH_ONLY : MATCH_NONE;
}

#include "orchestration/api/fields.h"

bool
field_text(struct fields *f, const char *name, const char *pointer, size_t max,
        BORROWED const char **out)
{
	const struct json_node *n = json_member(f->doc, f->object, name);
	AUTO(buf) struct buf b = BUF(max);
	const bool is_text = n != NULL && json_string(f->doc, n, &b);

	if (!b.starved && (!is_text || !buf_ok(&b) || b.len == 0)) {
		request_invalid(f->req, pointer, "must be a string of 1 to %zu bytes", max);
		return false;
	}
	*out = b.starved ? NULL : store_op_text(f->op, b.data, b.len);
	f->no_memory |= *out == NULL;
	return *out != NULL;
}

bool
field_int(struct fields *f, const char *name, const char *pointer, int64_t max, int64_t *out)
{
	int64_t n;

	if (!json_int64(f->doc, json_member(f->doc, f->object, name), &n) || n < 0 || n > max) {
		request_invalid(
		        f->req, pointer, "must be an integer from 0 to %lld", (long long)max);
		return false;
	}
	*out = n;
	return true;
}

bool
field_uuid(struct fields *f, const char *name, const char *pointer, struct uuid *out)
{
	const struct json_node *n = json_member(f->doc, f->object, name);
	AUTO(buf) struct buf b = BUF(UUID_TEXT);

	if (n != NULL && json_string(f->doc, n, &b) && buf_ok(&b) && uuid_parse(b.data, b.len, out))
		return true;
	if (b.starved)
		f->no_memory = true;
	else
		request_invalid(f->req, pointer, "must be a UUID");
	return false;
}

bool
field_array(struct fields *f, const char *name, const char *pointer, size_t max,
        BORROWED const struct json_node **out, size_t *count)
{
	const struct json_node *n = json_member(f->doc, f->object, name);

	*out = NULL;
	*count = 0;
	if (n == NULL)
		return true;
	if (json_kind(n) != JSON_ARRAY || json_count(n) > max) {
		request_invalid(f->req, pointer, "must be an array of at most %zu items", max);
		return false;
	}
	*out = n;
	*count = json_count(n);
	return true;
}

bool
field_texts(struct fields *f, const char *name, const char *pointer, size_t max,
        BORROWED const char *const **out)
{
	enum { TEXT_MAX = 512 };
	const struct json_node *array;
	const char **list;
	size_t count, i = 0;

	if (!field_array(f, name, pointer, max, &array, &count))
		return false;
	list = store_op_alloc(f->op, count + 1, sizeof(*list));
	if (list == NULL) {
		f->no_memory = true;
		return false;
	}
	for (const struct json_node *n = count > 0 ? json_first(f->doc, array) : NULL; n != NULL;
	        n = json_next(f->doc, n)) {
		AUTO(buf) struct buf b = BUF(TEXT_MAX);
		const bool is_text = json_string(f->doc, n, &b);

		if (!b.starved && (!is_text || !buf_ok(&b) || b.len == 0)) {
			request_invalid(
			        f->req, pointer, "must hold strings of 1 to %d bytes", TEXT_MAX);
			return false;
		}
		list[i] = b.starved ? NULL : store_op_text(f->op, b.data, b.len);
		f->no_memory |= list[i] == NULL;
		i++;
	}
	*out = list;
	return !f->no_memory;
}

bool
field_json(struct fields *f, const char *name, struct store_json *out)
{
	const struct json_node *n = json_member(f->doc, f->object, name);
	size_t len;

	*out = (struct store_json){0};
	if (n == NULL)
		return true;
	(void)json_raw(f->doc, n, &len);
	{
		AUTO(buf) struct buf b = BUF(len);

		json_compact(f->doc, n, &b);
		if (buf_ok(&b))
			*out = (struct store_json){store_op_text(f->op, b.data, b.len), b.len};
	}
	f->no_memory |= out->text == NULL;
	return out->text != NULL;
}

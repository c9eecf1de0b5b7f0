#include "worker/step.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"

/* The longest timeout a step may carry: a year. Beyond it the number is a mistake. */
enum { TIMEOUT_MAX_S = 366 * 86400 };

static bool
text(const struct json *doc, const struct json_node *node, const char *name, char **out,
        struct err *e)
{
	AUTO(buf) struct buf b = BUF(STEP_NAME_MAX);
	const bool is_text = json_string(doc, json_member(doc, node, name), &b);

	if (!b.starved && (!is_text || !buf_ok(&b)))
		return err_set(e, ERR_FORMAT, "a step without a usable %s", name);
	*out = buf_take_text(&b);
	return *out != NULL || err_set(e, ERR_NOMEM, "out of memory for a step's %s", name);
}

/* Of at most size - 1 bytes, which need no memory. */
static bool
fixed(const struct json *doc, const struct json_node *node, const char *name, char *out,
        size_t size, struct err *e)
{
	struct buf b = {.data = out, .cap = size - 1, .max = size - 1};

	if (!json_string(doc, json_member(doc, node, name), &b) || !buf_ok(&b) || b.len == 0)
		return err_set(e, ERR_FORMAT, "a step without a usable %s", name);
	out[b.len] = '\0';
	return true;
}

static bool
numbers(const struct json *doc, const struct json_node *node, struct step *s, struct err *e)
{
	const struct json_node *timeout = json_member(doc, node, "timeout_seconds");

	if (!json_int64(doc, json_member(doc, node, "attempt"), &s->attempt) || s->attempt < 0)
		return err_set(e, ERR_FORMAT, "a step without an attempt");
	if (!json_int64(doc, json_member(doc, node, "max_attempts"), &s->max_attempts))
		s->max_attempts = 0;
	if (timeout == NULL || json_kind(timeout) == JSON_NULL)
		return true;
	if (!json_int64(doc, timeout, &s->timeout_s) || s->timeout_s < 1 ||
	        s->timeout_s > TIMEOUT_MAX_S)
		return err_set(e, ERR_FORMAT, "a step with an impossible timeout_seconds");
	return true;
}

/* The frame, and where its input stands in it. The parts before it are compacted twice; their
 * length is what the position of the input is. */
static bool
frame(const struct json *doc, const struct json_node *node, struct step *s, struct err *e)
{
	AUTO(buf) struct buf whole = BUF(MIB(128));

	buf_char(&whole, '{');
	for (const struct json_node *n = json_first(doc, node); n != NULL; n = json_next(doc, n)) {
		if (whole.len > 1)
			buf_char(&whole, ',');
		json_compact(doc, json_name(doc, n), &whole);
		buf_char(&whole, ':');
		if (json_string_is(doc, json_name(doc, n), "input"))
			s->input_at = whole.len;
		json_compact(doc, n, &whole);
		if (s->input_at != 0 && s->input_len == 0)
			s->input_len = whole.len - s->input_at;
	}
	buf_char(&whole, '}');
	s->frame_len = whole.len;
	s->frame = buf_take_text(&whole);
	if (s->frame == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a step's frame");
	return true;
}

bool
step_parse(const struct json *doc, const struct json_node *node, OWNED struct step **out,
        struct err *e)
{
	AUTO(step) struct step *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a step");
	if (node == NULL || json_kind(node) != JSON_OBJECT)
		return err_set(e, ERR_FORMAT, "a step that is no object");
	if (!fixed(doc, node, "id", s->id, sizeof(s->id), e) ||
	        !fixed(doc, node, "step_uuid", s->uuid, sizeof(s->uuid), e) ||
	        !numbers(doc, node, s, e) || !text(doc, node, "handler", &s->handler, e) ||
	        !text(doc, node, "task", &s->task, e) ||
	        !text(doc, node, "namespace", &s->namespace, e) ||
	        !text(doc, node, "template", &s->template, e) ||
	        !text(doc, node, "step", &s->name, e) ||
	        !text(doc, node, "idempotency_key", &s->key, e) || !frame(doc, node, s, e))
		return false;
	*out = TAKE(s);
	return true;
}

void
step_free(struct step *s)
{
	if (s == NULL)
		return;
	free(s->handler);
	free(s->task);
	free(s->namespace);
	free(s->template);
	free(s->name);
	free(s->key);
	free(s->frame);
	free(s);
}

void
step_write(const struct step *s, int64_t deadline_wall_us, struct buf *out)
{
	char deadline[CLOCK_TEXT];

	clock_text(deadline_wall_us, deadline);
	buf_add(out, s->frame, s->frame_len - 1);
	buf_format(out, ",\"deadline\":\"%s\"}\n", deadline);
}

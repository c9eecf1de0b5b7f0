#include "worker/runner/frame.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/json_out.h"

static const struct {
	const char *name;
	enum frame_type type;
} types[] = {
        {"ready",      FRAME_READY     },
        {"progress",   FRAME_PROGRESS  },
        {"log",        FRAME_LOG       },
        {"result",     FRAME_RESULT    },
        {"error",      FRAME_ERROR     },
        {"checkpoint", FRAME_CHECKPOINT},
        {"wait",       FRAME_WAIT      },
        {"pong",       FRAME_PONG      },
};

bool
frame_parse(const char *line, size_t len, const struct json_limits *limits, struct frame *out,
        struct err *e)
{
	AUTO(json) struct json *doc = NULL;
	struct frame f = {0};
	const struct json_node *type;
	char *id;

	if (!json_parse(line, len, limits, &doc, e))
		return false;
	type = json_member(doc, json_root(doc), "type");
	if (type == NULL || json_kind(type) != JSON_STRING)
		return err_set(e, ERR_FORMAT, "no object with a type");
	for (size_t i = 0; i < COUNT(types); i++)
		if (json_string_is(doc, type, types[i].name))
			f.type = types[i].type;
	id = json_string_copy(doc, json_member(doc, json_root(doc), "id"), STEP_ID_MAX);
	if (id != NULL)
		memcpy(f.id, id, strlen(id) + 1);
	free(id);
	f.doc = TAKE(doc);
	*out = f;
	return true;
}

void
frame_clear(struct frame *f)
{
	json_free(f->doc);
	*f = (struct frame){0};
}

const struct json_node *
frame_member(const struct frame *f, const char *name)
{
	return json_member(f->doc, json_root(f->doc), name);
}

static struct json_out
begin(struct buf *out, const char *type)
{
	struct json_out w = json_out_on(out);

	json_open(&w, NULL, '{');
	json_put_text(&w, "type", type);
	return w;
}

static void
end(struct json_out *w)
{
	json_close(w, '}');
	buf_char(w->buf, '\n');
}

void
frame_hello(struct buf *out, const struct hello *h)
{
	struct json_out w = begin(out, "hello");

	json_put_int(&w, "protocol", HANDLER_PROTOCOL);
	json_put_text(&w, "worker", h->worker);
	json_open(&w, "limits", '{');
	json_put_int(&w, "frame", (int64_t)h->frame_bytes);
	json_close(&w, '}');
	json_put_int(&w, "heartbeat_ms", h->heartbeat_ms);
	end(&w);
}

void
frame_cancel(struct buf *out, const char *id, const char *reason, int64_t grace_ms)
{
	struct json_out w = begin(out, "cancel");

	json_put_text(&w, "id", id);
	json_put_text(&w, "reason", reason);
	json_put_int(&w, "grace_ms", grace_ms);
	end(&w);
}

void
frame_ping(struct buf *out, uint64_t n)
{
	struct json_out w = begin(out, "ping");

	json_put_int(&w, "n", (int64_t)n);
	end(&w);
}

void
frame_drain(struct buf *out)
{
	struct json_out w = begin(out, "drain");

	end(&w);
}

/*
 * The lines between worker and handler process (docs/handlers.md): one JSON object a line.
 *
 * To the handler: hello, step, cancel, ping, drain. From it: ready, progress, log, result, error,
 * pong, and checkpoint and wait, which are answered with NOT_SUPPORTED. Unknown types and members
 * are ignored, so either side may grow.
 */
#ifndef WORKER_RUNNER_FRAME_H
#define WORKER_RUNNER_FRAME_H

#include "shared/base/json.h"
#include "worker/step.h"

enum { HANDLER_PROTOCOL = 1 };

enum frame_type {
	FRAME_UNKNOWN = 0, /* a type of a later protocol */
	FRAME_READY,
	FRAME_PROGRESS,
	FRAME_LOG,
	FRAME_RESULT,
	FRAME_ERROR,
	FRAME_CHECKPOINT,
	FRAME_WAIT,
	FRAME_PONG,
};

/* One line from a handler. Borrows the line it was parsed from. */
struct frame {
	enum frame_type type;
	char id[STEP_ID_MAX + 1]; /* "" where the frame names no step */
	struct json *doc;
};

/* ERR_FORMAT or ERR_LIMIT: the line is not one strict JSON object with a type. */
MUST_CHECK bool frame_parse(const char *line, size_t len, const struct json_limits *limits,
        struct frame *out, struct err *e);
void frame_clear(struct frame *f);

/* A member of the frame, or NULL. */
BORROWED const struct json_node *frame_member(const struct frame *f, const char *name);

/* ---- lines to the handler, each with its newline; check buf_ok() ---- */
struct hello {
	const char *worker;
	size_t frame_bytes;
	int64_t heartbeat_ms;
};
void frame_hello(struct buf *out, const struct hello *h);
void frame_cancel(struct buf *out, const char *id, const char *reason, int64_t grace_ms);
void frame_ping(struct buf *out, uint64_t n);
void frame_drain(struct buf *out);

static inline void
auto_frame_(struct frame *f)
{
	frame_clear(f);
}

#endif

/*
 * One attempt of a step, as the orchestration handed it out in a poll's reply. Immutable.
 *
 * The frame is kept as its original tokens on one line, so that 64-bit integers in it survive and
 * no user text in it can look like a frame of its own.
 */
#ifndef WORKER_STEP_H
#define WORKER_STEP_H

#include "shared/base/json.h"
#include "shared/base/uuid.h"

enum {
	STEP_NAME_MAX = 512, /* bytes of each name in a frame */
	STEP_ID_MAX = 64,    /* "<step uuid>.<attempt>" */
};

struct step {
	char id[STEP_ID_MAX + 1]; /* names this attempt between worker and handler */
	char uuid[UUID_TEXT];     /* of the step, as it came */
	int64_t attempt, max_attempts;
	int64_t timeout_s; /* 0: the handler's own */
	char *handler;     /* the callable */
	char *task, *namespace, *template, *name, *key;
	char *frame;
	size_t frame_len;
	size_t input_at, input_len; /* the member "input" inside frame; length 0 without one */
};

/* ERR_FORMAT names the member that is missing or wrong. */
MUST_CHECK bool step_parse(const struct json *doc, const struct json_node *node,
        OWNED struct step **out, struct err *e);
void step_free(struct step *s); /* NULL is fine */

/* Appends the frame as a handler gets it: one line, with the deadline, ended by a newline. */
void step_write(const struct step *s, int64_t deadline_wall_us, struct buf *out);

AUTO_DEFINE(step, struct step, step_free)

#endif

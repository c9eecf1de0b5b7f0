/*
 * The step frame: what a worker's handler is given, one line of JSON (ecosystem 4.2, design 15).
 *
 * {"type":"step","id":"<step_uuid>.<attempt>","step_uuid":"...","task":"<task_uuid>",
 *  "namespace":"demo","template":"greeting@1.0.0","step":"greet","handler":"demo.greet","attempt":2,
 *  "max_attempts":3,"idempotency_key":"<task_uuid>/greet","timeout_seconds":30,"input":{...},
 *  "dependencies":{"prepare":{"result":...}},"config":{...},"checkpoint":null}
 *
 * input is the task's context and every result is its handler's, as original tokens without
 * insignificant white space; timeout_seconds is null when the template sets none; dependencies are
 * the direct parents in template order; config is the template's handler.initialization.
 * idempotency_key is the same for every attempt of the step.
 */
#ifndef ORCHESTRATION_ENGINE_FRAME_H
#define ORCHESTRATION_ENGINE_FRAME_H

#include "shared/base/buf.h"
#include "shared/base/uuid.h"
#include "shared/template/template.h"

#define FRAME_MAX MIB(8) /* no configuration allows larger ones */

struct frame_result {
	const char *json; /* compact; NULL or len 0: null */
	size_t len;
};

struct frame_input {
	struct uuid task;
	const struct template *plan;
	unsigned index; /* of the step in plan */
	int attempt;
	const char *context; /* compact JSON */
	size_t context_len;
	const struct frame_result *parents; /* one for each parent, in the plan's order */
};

/* Appends the frame, without a newline. Check buf_ok(out). */
void frame_write(const struct frame_input *in, struct buf *out);

#endif

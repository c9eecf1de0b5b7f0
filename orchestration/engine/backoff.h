/* How long a failed step waits (design 5). */
#ifndef ORCHESTRATION_ENGINE_BACKOFF_H
#define ORCHESTRATION_ENGINE_BACKOFF_H

#include <stdint.h>

#include "shared/template/template.h"

enum {
	BACKOFF_RETRY_AFTER_MAX_S = 3600,
	BACKOFF_JITTER_PERCENT = 15,
	BACKOFF_NO_JITTER = 15000, /* as `random`: exactly the plain delay */
};

/* The fields of a template's step that matter here. */
struct backoff {
	enum template_backoff kind;
	int64_t base_ms, max_ms;
};

/*
 * Milliseconds after failure number `failures` (1 is the first): none 0, linear b*n, exponential
 * b*2^(n-1), fibonacci b*F(n), capped at max_ms, then up to 15 % more or less by random (any 64
 * bits). retry_after_ms >= 0 is the handler's own wish and wins, capped at 3,600 s, without jitter.
 */
int64_t backoff_delay_ms(
        const struct backoff *b, int failures, int64_t retry_after_ms, uint64_t random);

#endif

/*
 * Tasks that stay: of demo/stored (templates/stored.yaml), whose steps no worker takes, created
 * over many connections as fast as the orchestration answers.
 */
#ifndef TESTS_FAULT_PREFILL_H
#define TESTS_FAULT_PREFILL_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/uuid.h"

struct prefill {
	char (*ids)[UUID_TEXT]; /* of what was acknowledged */
	const char **texts;     /* the same, as the checker's evidence wants them */
	size_t count, refused;  /* refused: with 503 */
	int took_ms;
};

/* Creates so many, or what can be done in so long. False: a connection broke or a reply was
 * neither 201 nor 503; why is on stderr. */
MUST_CHECK bool prefill_run(int port, size_t most, int within_ms, struct prefill *out);
void prefill_free(struct prefill *p);

static inline void
auto_prefill_(struct prefill *p)
{
	prefill_free(p);
}

#endif

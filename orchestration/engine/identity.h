/*
 * Names that the engine derives instead of storing.
 *
 * A task's id is a UUID of version 7 whose last ten bits are zero; the id of its step number i is
 * that plus i + 1. So a step's id alone leads to its task and its row, without an index on steps.
 *
 * A task's identity is SHA-256 over tenant, owner, template and the strategy's input; two tasks
 * with one identity are the same request made twice.
 */
#ifndef ORCHESTRATION_ENGINE_IDENTITY_H
#define ORCHESTRATION_ENGINE_IDENTITY_H

#include <stdint.h>

#include "shared/base/json.h"
#include "shared/base/uuid.h"
#include "shared/security/digest.h"
#include "shared/template/template.h"

enum { IDENTITY_STEPS_MAX = 1023 };

struct uuid identity_task_id(struct uuid fresh);
struct uuid identity_step_id(const struct uuid *task, unsigned index);
/* Splits a step's id; false if it can be no step's. */
bool identity_split(const struct uuid *step, struct uuid *task, unsigned *index);

/* The stable id of "the step of this name in this namespace", whatever task it is in. */
MUST_CHECK bool identity_named_step(const char *ns, const char *step, struct uuid *out);

/* SHA-256 of the canonical JSON of a context: the input of the strict strategy. Any thread. */
MUST_CHECK bool identity_context(const struct json *doc, const struct json_node *context,
        unsigned char out[DIGEST_BYTES], struct err *e);

enum identity_verdict {
	IDENTITY_UNDECIDED = 0, /* OpenSSL failed */
	IDENTITY_KEYED,         /* the digest is set: at most one such task may be open */
	IDENTITY_UNIQUE,        /* always_unique: no identity, no digest */
	IDENTITY_KEY_MISSING,   /* caller_provided without an idempotency key */
};

struct identity_input {
	enum template_identity strategy;
	const char *tenant, *owner, *ns, *name, *version;
	const char *idempotency_key; /* NULL: none. Given, it replaces the context (strict too) */
	const unsigned char *context_hash; /* of identity_context */
};

/* The identity of a request, or why it has none. machine is empty before and after. */
enum identity_verdict identity_of(
        struct digest *machine, const struct identity_input *in, unsigned char out[DIGEST_BYTES]);

#endif

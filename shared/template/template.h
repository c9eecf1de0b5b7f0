/*
 * A task template: the checked, immutable plan of one kind of task.
 *
 * It is read from YAML (template_parse) or from its own canonical JSON (template_from_json),
 * by the same rules: whatever is accepted has names within their limits, at least one step,
 * dependencies that exist and no cycle. Steps stand in an order in which every step comes after
 * its parents; the order of the file is kept where it is such an order already.
 * Plain data: read the fields. Every string is NUL-terminated UTF-8 and lives as long as the
 * template. Free-form parts are compact JSON text on one line.
 */
#ifndef SHARED_TEMPLATE_TEMPLATE_H
#define SHARED_TEMPLATE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/attr.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Limits: bytes of YAML, of text with aliases expanded, of a free-form part, of canonical JSON. */
#define TEMPLATE_BYTES_MAX MIB(1)
#define TEMPLATE_TEXT_MAX MIB(2)
#define TEMPLATE_PART_MAX KIB(256)
#define TEMPLATE_JSON_MAX MIB(16) /* no accepted template needs more */
enum { TEMPLATE_NODES_MAX = 20000, TEMPLATE_DEPTH_MAX = 32, TEMPLATE_ANCHORS_MAX = 256 };
enum { TEMPLATE_STEPS_MAX = 1000, TEMPLATE_EDGES_MAX = 10000, TEMPLATE_WARNINGS_MAX = 20 };

/* clang-format off */
enum template_identity {
	TEMPLATE_IDENTITY_STRICT, TEMPLATE_IDENTITY_CALLER_PROVIDED, TEMPLATE_IDENTITY_ALWAYS_UNIQUE
};
enum template_backoff {
	TEMPLATE_BACKOFF_NONE, TEMPLATE_BACKOFF_LINEAR, TEMPLATE_BACKOFF_EXPONENTIAL,
	TEMPLATE_BACKOFF_FIBONACCI
};
enum template_staleness {
	TEMPLATE_STALENESS_DLQ, TEMPLATE_STALENESS_ERROR, TEMPLATE_STALENESS_NONE
};
/* clang-format on */
enum template_step_type { TEMPLATE_STEP_STANDARD }; /* the other types are refused so far */

struct template_lifecycle {
	int max_duration_min, max_steps_in_process_min; /* each 0: not set */
	int max_waiting_for_dependencies_min, max_waiting_for_retry_min;
	enum template_staleness staleness_action;
	bool auto_fail_on_timeout, auto_dlq_on_timeout;
};

struct template_step {
	const char *name;
	const char *description; /* NULL: none */
	const char *callable, *method;
	const char *initialization;    /* a JSON object, "{}" when the file gives none */
	const char *system_dependency; /* NULL: none */
	const char *result_schema;     /* JSON, or NULL */
	enum template_step_type type;
	enum template_backoff backoff;
	bool retryable;
	int max_attempts; /* 0 to 100; the first attempt runs in any case */
	int backoff_base_ms, max_backoff_ms, timeout_s; /* timeout 0: not set */
	const unsigned *parents, *children; /* indexes into steps: smaller ones, larger ones */
	size_t parent_count, child_count;
};

struct template
{
	const char *name, *namespace_name, *version;
	const char *description;                    /* NULL: none */
	const char *metadata, *system_dependencies; /* JSON objects, or NULL */
	const char *input_schema;                   /* JSON, or NULL */
	const char *environments;                   /* a JSON object, or NULL; kept, not applied */
	enum template_identity identity;
	struct template_lifecycle lifecycle;
	const struct template_step *steps;
	size_t step_count, edge_count;
	struct arena *memory; /* owns everything above */
};

struct template_warning {
	unsigned line, column; /* both from 1 */
	char text[200];
};

/* What a reader of the file should know though it was accepted; ready when zeroed. */
struct template_report {
	size_t count, more; /* more: how many did not fit */
	struct template_warning warnings[TEMPLATE_WARNINGS_MAX];
};

/*
 * Reads one YAML document (YAML 1.2 core types; no tags, no merge keys). report may be NULL and is
 * set on failure too. ERR_FORMAT and ERR_LIMIT texts begin with "line 12, column 5: ".
 */
MUST_CHECK bool template_parse(const char *text, size_t len, OWNED struct template **out,
        struct template_report *report, struct err *e);

/* Reads what template_to_json wrote, with the same checks; warnings were the writer's business. */
MUST_CHECK bool template_from_json(
        const char *text, size_t len, OWNED struct template **out, struct err *e);

void template_free(struct template *t); /* NULL is fine */

/*
 * Appends the canonical JSON: one line, members in a fixed order, defaults spelled out. Templates
 * that mean the same give the same bytes, so its hash is the template's identity. Check buf_ok();
 * a buffer of TEMPLATE_JSON_MAX always suffices.
 */
void template_to_json(const struct template *t, struct buf *out);

/* The step of that name, or NULL. Its index is `step - t->steps`. */
BORROWED const struct template_step *template_find_step(const struct template *t, const char *name);

/* The words the template file uses for them. */
const char *template_identity_name(enum template_identity identity);
const char *template_backoff_name(enum template_backoff backoff);

AUTO_DEFINE(template, struct template, template_free)

#endif

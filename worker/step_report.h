/*
 * What became of one attempt: what a poll carries back to the orchestration.
 *
 * Code and message have room of their own, so that running out of memory can still be reported.
 */
#ifndef WORKER_STEP_REPORT_H
#define WORKER_STEP_REPORT_H

#include "shared/base/json_out.h"
#include "worker/step.h"

enum { REPORT_CODE_MAX = 63, REPORT_MESSAGE_MAX = 1023 };

enum outcome {
	OUTCOME_DROPPED =
	        0, /* nobody wants to hear of it: the attempt is no longer this worker's */
	OUTCOME_OK,
	OUTCOME_ERROR,
	OUTCOME_CANCELLED,
	OUTCOME_RELEASED, /* not tried to its end: goes back and burns no failure */
};

struct step_report {
	struct step_report *next;
	char step[UUID_TEXT];
	int64_t attempt;
	enum outcome outcome;
	struct buf result; /* compact JSON; with OK always, with CANCELLED perhaps */
	char code[REPORT_CODE_MAX + 1];
	char message[REPORT_MESSAGE_MAX + 1];
	bool retryable;
	int64_t retry_after_ms; /* 0: the template's backoff decides */
	struct buf log;         /* valid UTF-8 */
	int64_t ran_us;         /* 0: it never started */
};

MUST_CHECK bool step_report_new(
        const struct step *s, OWNED struct step_report **out, struct err *e);
void step_report_free(struct step_report *r); /* NULL is fine */

/* Makes it an error; texts too long are cut at a character. */
void step_report_error(
        struct step_report *r, const char *code, bool retryable, const char *fmt, ...) PRINTF(4, 5);

/* Writes it as an item of a poll's "results". Not for DROPPED. */
void step_report_write(const struct step_report *r, struct json_out *w);
/* About how many bytes that takes; at least the true number. */
size_t step_report_size(const struct step_report *r);

/* The word on the wire: "ok", "error" ... */
const char *outcome_name(enum outcome o);

AUTO_DEFINE(step_report, struct step_report, step_report_free)

#endif

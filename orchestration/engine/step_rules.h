/*
 * The rules: facts in, decisions out. No I/O, no clock, no memory; the store loads the facts,
 * writes the decision and may decide nothing itself (design 5, 6).
 *
 * Numbers that govern a step: `attempt` counts claims and fences late workers; `failures` counts
 * what handlers reported and is compared with max_attempts; `lease_losses` counts lost workers and
 * has its own bound, so that three crashes do not fail a healthy step; `settled` is the last
 * attempt whose outcome was accepted, so that a repeated report is known as one.
 */
#ifndef ORCHESTRATION_ENGINE_STEP_RULES_H
#define ORCHESTRATION_ENGINE_STEP_RULES_H

#include <stdint.h>

#include "orchestration/engine/backoff.h"
#include "orchestration/engine/state.h"

/* What is known about one step before a decision. */
struct step_facts {
	enum step_state state;
	int unmet; /* parents that are not yet satisfied */
	int attempt, failures, lease_losses, settled;
	int64_t session;  /* who claimed it last; 0: nobody */
	bool queued;      /* offered to workers now */
	int64_t retry_at; /* wall microseconds; 0: no timer */
};

/* What its template and its task's condition say about it. */
struct step_policy {
	bool retryable;
	bool blocked; /* its task has a failed step: nothing is offered to workers any more */
	int max_attempts, max_lease_losses;
	struct backoff backoff;
};

enum step_outcome {
	OUTCOME_NONE = 0,
	OUTCOME_OK,
	OUTCOME_ERROR,
	OUTCOME_CANCELLED,
	OUTCOME_RELEASED, /* handed back by the worker: burns nothing */
	OUTCOME_LOST,     /* the worker is gone: burns one of max_lease_losses */
	OUTCOME_UNHELD,   /* the worker never got it: burns nothing and may still be reported */
};

/* What a session reports about an attempt. */
struct step_report {
	int64_t session;
	int attempt;
	enum step_outcome outcome;
	bool retryable;         /* the handler's word on its error */
	int64_t retry_after_ms; /* < 0: none */
};

enum report_verdict {
	REPORT_STALE = 0, /* not the current attempt: nothing changes */
	REPORT_DUPLICATE, /* accepted before: nothing changes */
	REPORT_ACCEPTED,
	REPORT_ACCEPTED_LATE, /* the lease was lost but nobody took it: it starts again and ends */
	REPORT_NOTED,         /* the step was cancelled meanwhile: accepted, nothing changes */
};

/* A step's next facts, and the event that tells. EVENT_NONE: nothing to write. */
struct step_change {
	struct step_facts next;
	enum event_kind event;
	int64_t delay_ms; /* of a retry, else 0 */
};

struct moment {
	int64_t wall_us;
	uint64_t random;
};

/* The policy of a step of a template, in a task that is blocked or not. */
struct step_policy step_policy_of(const struct template_step *plan, bool blocked, int max_losses);

/* A new step: ready and queued when it has no parents. */
struct step_facts step_begin(int parents);

/* Could a worker have it now? */
bool step_is_ready(const struct step_facts *s);
/* Has it attempts left? True before the first failure, whatever the limit says. */
bool step_may_retry(const struct step_facts *s, const struct step_policy *p);

/* A session takes a queued step. False: it is not to be had. */
MUST_CHECK bool step_claim(const struct step_facts *s, int64_t session, struct step_change *out);

/* What a report means, and what follows; out is set only for the two ACCEPTED verdicts. */
enum report_verdict step_report(const struct step_facts *s, const struct step_report *r,
        const struct step_policy *p, struct moment now, struct step_change *out);

/* The store's own ending of an attempt: OUTCOME_LOST or OUTCOME_UNHELD. False: not in progress. */
MUST_CHECK bool step_give_back(const struct step_facts *s, enum step_outcome why,
        const struct step_policy *p, struct step_change *out);

/* A parent was satisfied. False: it does not wait for one. */
MUST_CHECK bool step_parent_done(
        const struct step_facts *s, const struct step_policy *p, struct step_change *out);

/* Its timer rang. False: it is not waiting for a retry, or it is held. */
MUST_CHECK bool step_retry_due(
        const struct step_facts *s, const struct step_policy *p, struct step_change *out);

/* Its task was cancelled. False: it is final already. */
MUST_CHECK bool step_cancel(const struct step_facts *s, struct step_change *out);

/* Its task is blocked: it is no longer offered, and its timer stops. False: nothing to change. */
MUST_CHECK bool step_hold(const struct step_facts *s, struct step_change *out);

#endif

#include "orchestration/engine/step_rules.h"

enum { US_PER_MS = 1000 };

struct step_policy
step_policy_of(const struct template_step *plan, bool blocked, int max_losses)
{
	return (struct step_policy){
	        .retryable = plan->retryable,
	        .blocked = blocked,
	        .max_attempts = plan->max_attempts,
	        .max_lease_losses = max_losses,
	        .backoff = {plan->backoff, plan->backoff_base_ms, plan->max_backoff_ms},
	};
}

struct step_facts
step_begin(int parents)
{
	return (struct step_facts){.state = STEP_PENDING, .unmet = parents, .queued = parents == 0};
}

bool
step_is_ready(const struct step_facts *s)
{
	return s->state == STEP_PENDING && s->unmet == 0 && s->queued;
}

bool
step_may_retry(const struct step_facts *s, const struct step_policy *p)
{
	return s->failures == 0 || (p->retryable && s->failures < p->max_attempts);
}

static void
change(struct step_change *out, const struct step_facts *s, enum step_state to,
        enum event_kind event)
{
	*out = (struct step_change){.next = *s, .event = event};
	out->next.state = to;
	out->next.queued = false;
	out->next.retry_at = 0;
}

/* Back to pending, to be claimed again unless the task is blocked. */
static void
offer_again(struct step_change *out, const struct step_facts *s, const struct step_policy *p,
        enum event_kind event)
{
	change(out, s, STEP_PENDING, event);
	out->next.queued = s->unmet == 0 && !p->blocked;
}

static void
lose(struct step_change *out, const struct step_facts *s, const struct step_policy *p)
{
	if (s->lease_losses + 1 >= p->max_lease_losses)
		change(out, s, STEP_ERROR, EVENT_STEP_FAILED);
	else
		offer_again(out, s, p, EVENT_STEP_LOST);
	out->next.lease_losses++;
}

static void
fail(struct step_change *out, const struct step_facts *s, const struct step_report *r,
        const struct step_policy *p, struct moment now)
{
	struct step_facts failed = *s;

	failed.failures++;
	if (!r->retryable || !step_may_retry(&failed, p)) {
		change(out, &failed, STEP_ERROR, EVENT_STEP_FAILED);
		return;
	}
	change(out, &failed, STEP_WAITING_FOR_RETRY, EVENT_STEP_RETRY_SCHEDULED);
	out->delay_ms =
	        backoff_delay_ms(&p->backoff, failed.failures, r->retry_after_ms, now.random);
	out->next.retry_at = p->blocked ? 0 : now.wall_us + out->delay_ms * US_PER_MS;
}

bool
step_claim(const struct step_facts *s, int64_t session, struct step_change *out)
{
	if (!step_is_ready(s) || session <= 0)
		return false;
	change(out, s, STEP_IN_PROGRESS, EVENT_STEP_STARTED);
	out->next.attempt++;
	out->next.session = session;
	return true;
}

/* Whose report is it, and is it news? */
static enum report_verdict
judge(const struct step_facts *s, const struct step_report *r)
{
	bool theirs = r->session == s->session && r->attempt == s->attempt;

	if (r->attempt <= 0 || r->session <= 0 || r->attempt > s->attempt)
		return REPORT_STALE;
	if (r->attempt == s->settled && (theirs || s->attempt > s->settled))
		return REPORT_DUPLICATE;
	if (!theirs)
		return REPORT_STALE;
	if (s->state == STEP_CANCELLED)
		return REPORT_NOTED;
	if (s->state == STEP_IN_PROGRESS)
		return REPORT_ACCEPTED;
	if (s->state != STEP_PENDING)
		return REPORT_STALE;
	return r->outcome == OUTCOME_OK || r->outcome == OUTCOME_ERROR ? REPORT_ACCEPTED_LATE
	                                                               : REPORT_NOTED;
}

enum report_verdict
step_report(const struct step_facts *s, const struct step_report *r, const struct step_policy *p,
        struct moment now, struct step_change *out)
{
	enum report_verdict verdict = judge(s, r);
	struct step_change next = {0};

	if (verdict != REPORT_ACCEPTED && verdict != REPORT_ACCEPTED_LATE)
		return verdict;
	switch (r->outcome) {
	case OUTCOME_OK:
		change(&next, s, STEP_COMPLETE, EVENT_STEP_COMPLETED);
		break;
	case OUTCOME_ERROR:
		fail(&next, s, r, p, now);
		break;
	case OUTCOME_RELEASED:
		offer_again(&next, s, p, EVENT_STEP_RELEASED);
		break;
	case OUTCOME_CANCELLED: /* nobody had asked for it: the attempt came to nothing */
		lose(&next, s, p);
		break;
	case OUTCOME_NONE:
	case OUTCOME_LOST:
	case OUTCOME_UNHELD: /* the store's own words, no worker's */
		return REPORT_STALE;
	}
	next.next.settled = r->attempt;
	*out = next;
	return verdict;
}

bool
step_give_back(const struct step_facts *s, enum step_outcome why, const struct step_policy *p,
        struct step_change *out)
{
	if (s->state != STEP_IN_PROGRESS || (why != OUTCOME_LOST && why != OUTCOME_UNHELD))
		return false;
	if (why == OUTCOME_LOST)
		lose(out, s, p);
	else
		offer_again(out, s, p, EVENT_STEP_RELEASED);
	return true;
}

bool
step_parent_done(const struct step_facts *s, const struct step_policy *p, struct step_change *out)
{
	if (s->state != STEP_PENDING || s->unmet <= 0)
		return false;
	*out = (struct step_change){.next = *s};
	out->next.unmet--;
	out->next.queued = out->next.unmet == 0 && !p->blocked;
	return true;
}

bool
step_retry_due(const struct step_facts *s, const struct step_policy *p, struct step_change *out)
{
	if (s->state != STEP_WAITING_FOR_RETRY || p->blocked)
		return false;
	offer_again(out, s, p, EVENT_STEP_RETRY_READY);
	return true;
}

bool
step_cancel(const struct step_facts *s, struct step_change *out)
{
	if (step_state_is_final(s->state))
		return false;
	change(out, s, STEP_CANCELLED, EVENT_STEP_CANCELLED);
	return true;
}

bool
step_hold(const struct step_facts *s, struct step_change *out)
{
	if (!s->queued && s->retry_at == 0)
		return false;
	change(out, s, s->state, EVENT_NONE);
	return true;
}

#include "orchestration/engine/task_rules.h"

static const enum event_kind events[TASK_STATE_END] = {
        [TASK_STEPS_IN_PROCESS] = EVENT_TASK_RESUMED,
        [TASK_WAITING_FOR_DEPENDENCIES] = EVENT_TASK_WAITING,
        [TASK_WAITING_FOR_RETRY] = EVENT_TASK_WAITING,
        [TASK_BLOCKED_BY_FAILURES] = EVENT_TASK_BLOCKED,
        [TASK_COMPLETE] = EVENT_TASK_COMPLETED,
};

static bool
is_live(const struct step_facts *s)
{
	return s->queued || s->state == STEP_IN_PROGRESS;
}

/* What one step adds to the sums. */
static void
add(struct task_facts *t, const struct step_facts *s, int sign)
{
	t->remaining += step_state_satisfies(s->state) ? 0 : sign;
	t->live += is_live(s) ? sign : 0;
	t->waiting += s->state == STEP_WAITING_FOR_RETRY ? sign : 0;
	t->failed += s->state == STEP_ERROR ? sign : 0;
}

/* The precedence of the states that sums can mean. */
static enum task_state
meaning(const struct task_facts *t)
{
	if (t->remaining == 0)
		return TASK_COMPLETE;
	if (t->live > 0)
		return TASK_STEPS_IN_PROCESS;
	if (t->failed > 0)
		return TASK_BLOCKED_BY_FAILURES;
	return t->waiting > 0 ? TASK_WAITING_FOR_RETRY : TASK_WAITING_FOR_DEPENDENCIES;
}

struct task_facts
task_begin(int steps, int roots)
{
	struct task_facts t = {.total = steps, .remaining = steps, .live = roots};

	t.state = meaning(&t);
	return t;
}

void
task_count(struct task_facts *t, const struct step_facts *before, const struct step_facts *after)
{
	add(t, before, -1);
	add(t, after, 1);
}

bool
task_is_blocked(const struct task_facts *t)
{
	return t->failed > 0 || task_state_is_final(t->state);
}

enum event_kind
task_evaluate(struct task_facts *t)
{
	enum task_state now = meaning(t);

	if (task_state_is_final(t->state) || now == t->state)
		return EVENT_NONE;
	t->state = now;
	return events[now];
}

bool
task_cancel(struct task_facts *t, enum event_kind *event)
{
	if (task_state_is_final(t->state))
		return false;
	t->state = TASK_CANCELLED;
	*event = EVENT_TASK_CANCELLED;
	return true;
}

#include "orchestration/engine/status.h"

#include <math.h>

#include "shared/base/attr.h"

static const struct {
	const char *name, *action;
} statuses[] = {
        [EXECUTION_UNKNOWN] = {"unknown",                  "none"               },
        [EXECUTION_HAS_READY_STEPS] = {"has_ready_steps",          "execute_ready_steps"},
        [EXECUTION_PROCESSING] = {"processing",               "wait_for_completion"},
        [EXECUTION_BLOCKED_BY_FAILURES] = {"blocked_by_failures",      "handle_failures"    },
        [EXECUTION_ALL_COMPLETE] = {"all_complete",             "finalize_task"      },
        [EXECUTION_WAITING_FOR_DEPENDENCIES] = {"waiting_for_dependencies",
                               "wait_for_dependencies"                          },
};

static bool
is_in_process(enum step_state s)
{
	return s == STEP_IN_PROGRESS || s == STEP_ENQUEUED ||
	       s == STEP_ENQUEUED_FOR_ORCHESTRATION ||
	       s == STEP_ENQUEUED_AS_ERROR_FOR_ORCHESTRATION;
}

void
step_counts_add(struct step_counts *c, enum step_state state, bool ready, int failures)
{
	c->total++;
	c->ready += ready;
	c->pending += state == STEP_PENDING;
	c->in_progress += state == STEP_IN_PROGRESS;
	c->in_process += is_in_process(state);
	c->completed += step_state_satisfies(state);
	c->failed += state == STEP_ERROR;
	c->waiting += state == STEP_WAITING_FOR_RETRY;
	c->cancelled += state == STEP_CANCELLED;
	if (state != STEP_ERROR && !step_state_is_final(state))
		c->failures += failures;
}

enum execution_status
execution_status_of(const struct step_counts *c)
{
	if (c->failed > 0)
		return EXECUTION_BLOCKED_BY_FAILURES;
	if (c->ready > 0)
		return EXECUTION_HAS_READY_STEPS;
	if (c->in_process > 0)
		return EXECUTION_PROCESSING;
	if (c->total > 0 && c->completed == c->total)
		return EXECUTION_ALL_COMPLETE;
	return EXECUTION_WAITING_FOR_DEPENDENCIES;
}

const char *
execution_status_name(enum execution_status s)
{
	return (size_t)s < COUNT(statuses) ? statuses[s].name : statuses[EXECUTION_UNKNOWN].name;
}

const char *
execution_status_action(enum execution_status s)
{
	return (size_t)s < COUNT(statuses) ? statuses[s].action
	                                   : statuses[EXECUTION_UNKNOWN].action;
}

const char *
health_status_of(const struct step_counts *c)
{
	if (c->failed > 0)
		return "blocked";
	if (c->total == 0)
		return "unknown";
	return c->failures > 0 ? "recovering" : "healthy";
}

double
completion_percentage_of(const struct step_counts *c)
{
	if (c->total == 0)
		return 0;
	return round((double)c->completed * 10000 / (double)c->total) / 100;
}

/*
 * What a task looks like from outside, computed from counts of its steps (tasker-rest 1.5, 3.3).
 */
#ifndef ORCHESTRATION_ENGINE_STATUS_H
#define ORCHESTRATION_ENGINE_STATUS_H

#include "orchestration/engine/state.h"

/* How many steps are in which condition. in_process covers all enqueued kinds as well. */
struct step_counts {
	int total, pending, in_progress, in_process, completed, failed, ready, waiting, cancelled;
	int failures; /* failed attempts of steps that have not failed for good */
};

enum execution_status {
	EXECUTION_UNKNOWN = 0,
	EXECUTION_HAS_READY_STEPS,
	EXECUTION_PROCESSING,
	EXECUTION_BLOCKED_BY_FAILURES,
	EXECUTION_ALL_COMPLETE,
	EXECUTION_WAITING_FOR_DEPENDENCIES,
};

/* Adds one step; ready: it could be claimed now. */
void step_counts_add(struct step_counts *c, enum step_state state, bool ready, int failures);

/* Precedence: a failed step, then ready, then in process, then all done, else waiting. */
enum execution_status execution_status_of(const struct step_counts *c);

const char *execution_status_name(enum execution_status s);   /* "has_ready_steps" */
const char *execution_status_action(enum execution_status s); /* "execute_ready_steps" */
const char *health_status_of(const struct step_counts *c);    /* "healthy", "recovering", ... */
double completion_percentage_of(const struct step_counts *c); /* two decimals; 0 without steps */

#endif

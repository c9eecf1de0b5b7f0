/*
 * The rules of a task, on sums over its steps that its row carries: facts in, decisions out.
 */
#ifndef ORCHESTRATION_ENGINE_TASK_RULES_H
#define ORCHESTRATION_ENGINE_TASK_RULES_H

#include "orchestration/engine/step_rules.h"

/* A task's sums, kept in its row so that no decision reads all steps. */
struct task_facts {
	enum task_state state;
	int total;
	int remaining; /* steps that are neither complete nor resolved */
	int live;      /* steps offered to workers or in progress */
	int waiting;   /* steps waiting for their retry */
	int failed;    /* steps in error */
};

/* A new task with so many steps, of which `roots` have no parents. */
struct task_facts task_begin(int steps, int roots);

/* Takes one step's change into the sums. */
void task_count(
        struct task_facts *t, const struct step_facts *before, const struct step_facts *after);

/* Must what is queued or waiting be held back now? True from the first permanent failure on. */
bool task_is_blocked(const struct task_facts *t);

/* The state these sums mean. The event is EVENT_NONE if the state stays. */
enum event_kind task_evaluate(struct task_facts *t);

/* False: it is final already. */
MUST_CHECK bool task_cancel(struct task_facts *t, enum event_kind *event);

#endif

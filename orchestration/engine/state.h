/*
 * The states of tasks and steps, and the edges between them (spec: Tasker's state machines).
 *
 * task_state.def and step_state.def are the only lists of states, edge.def the only list of edges.
 * A number is what the store keeps, a name is what the wire shows. Zero is no state.
 *
 * States that exist because upstream has queues (initializing, enqueuing_steps, enqueued, ...) are
 * passed through within one transaction and leave no row: an edge between two kept states is legal
 * when a path of upstream's edges through such states leads there.
 */
#ifndef ORCHESTRATION_ENGINE_STATE_H
#define ORCHESTRATION_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>

enum task_state {
	TASK_STATE_NONE = 0,
#define TASK_STATE(name, spelled, number, final, passing) TASK_##name = number,
#include "orchestration/engine/task_state.def"
#undef TASK_STATE
	TASK_STATE_END /* one more than the last number */
};

enum step_state {
	STEP_STATE_NONE = 0,
#define STEP_STATE(name, spelled, number, final, passing) STEP_##name = number,
#include "orchestration/engine/step_state.def"
#undef STEP_STATE
	STEP_STATE_END
};

enum event_kind {
	EVENT_NONE = 0,
#define EVENT(name, spelled, number, of_step) EVENT_##name = number,
#include "orchestration/engine/event.def"
#undef EVENT
	EVENT_KIND_END
};

/* "steps_in_process"; "unknown" for a number that is no state. */
const char *task_state_name(enum task_state s);
const char *step_state_name(enum step_state s);
const char *event_kind_name(enum event_kind k); /* "task.created" */

/* The state spelled exactly so; TASK_STATE_NONE or STEP_STATE_NONE if there is none. */
enum task_state task_state_parse(const char *text, size_t len);
enum step_state step_state_parse(const char *text, size_t len);

/* Nothing leaves a final state. */
bool task_state_is_final(enum task_state s);
bool step_state_is_final(enum step_state s);
bool event_kind_is_of_step(enum event_kind k);

/* Complete or resolved by hand: children may count it as done. */
bool step_state_satisfies(enum step_state s);

/* May this change happen in one transaction? From NONE only the state a new one begins with. */
bool task_edge_is_legal(enum task_state from, enum task_state to);
bool step_edge_is_legal(enum step_state from, enum step_state to);

#endif

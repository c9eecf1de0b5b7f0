#include "orchestration/engine/state.h"

#include <string.h>

#include "shared/base/attr.h"

struct state_row {
	const char *name;
	bool final, passing;
};

struct edge {
	int from, to;
};

static const struct state_row task_states[TASK_STATE_END] = {
#define TASK_STATE(name, spelled, number, final, passing) [number] = {spelled, final, passing},
#include "orchestration/engine/task_state.def"
#undef TASK_STATE
};

static const struct state_row step_states[STEP_STATE_END] = {
#define STEP_STATE(name, spelled, number, final, passing) [number] = {spelled, final, passing},
#include "orchestration/engine/step_state.def"
#undef STEP_STATE
};

static const struct edge task_edges[] = {
#define TASK_EDGE(from, to) {TASK_##from, TASK_##to},
#define STEP_EDGE(from, to)
#include "orchestration/engine/edge.def"
#undef TASK_EDGE
#undef STEP_EDGE
};

static const struct edge step_edges[] = {
#define TASK_EDGE(from, to)
#define STEP_EDGE(from, to) {STEP_##from, STEP_##to},
#include "orchestration/engine/edge.def"
#undef TASK_EDGE
#undef STEP_EDGE
};

static const struct {
	const char *name;
	bool of_step;
} events[EVENT_KIND_END] = {
#define EVENT(name, spelled, number, of_step) [number] = {spelled, of_step},
#include "orchestration/engine/event.def"
#undef EVENT
};

static const char *
name_of(const struct state_row *rows, size_t count, size_t number)
{
	return number < count && rows[number].name != NULL ? rows[number].name : "unknown";
}

static size_t
parse(const struct state_row *rows, size_t count, const char *text, size_t len)
{
	for (size_t i = 1; i < count; i++)
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, text, len) == 0)
			return i;
	return 0;
}

const char *
task_state_name(enum task_state s)
{
	return name_of(task_states, COUNT(task_states), (size_t)s);
}

const char *
step_state_name(enum step_state s)
{
	return name_of(step_states, COUNT(step_states), (size_t)s);
}

const char *
event_kind_name(enum event_kind k)
{
	return (size_t)k < COUNT(events) && events[k].name != NULL ? events[k].name : "unknown";
}

enum task_state
task_state_parse(const char *text, size_t len)
{
	return (enum task_state)parse(task_states, COUNT(task_states), text, len);
}

enum step_state
step_state_parse(const char *text, size_t len)
{
	return (enum step_state)parse(step_states, COUNT(step_states), text, len);
}

bool
task_state_is_final(enum task_state s)
{
	return (size_t)s < COUNT(task_states) && task_states[s].final;
}

bool
step_state_is_final(enum step_state s)
{
	return (size_t)s < COUNT(step_states) && step_states[s].final;
}

bool
event_kind_is_of_step(enum event_kind k)
{
	return (size_t)k < COUNT(events) && events[k].of_step;
}

bool
step_state_satisfies(enum step_state s)
{
	return s == STEP_COMPLETE || s == STEP_RESOLVED_MANUALLY;
}

/* The set of states one transaction can lead to from those in `from`, through passing ones. */
static unsigned
reachable(const struct state_row *rows, const struct edge *edges, size_t count, unsigned from)
{
	unsigned seen = 0, before;

	do {
		before = seen;
		for (size_t i = 0; i < count; i++) {
			unsigned bit = 1U << edges[i].from;

			if ((from & bit) != 0 || ((seen & bit) != 0 && rows[edges[i].from].passing))
				seen |= 1U << edges[i].to;
		}
	} while (seen != before);
	return seen;
}

bool
task_edge_is_legal(enum task_state from, enum task_state to)
{
	unsigned start = from == TASK_STATE_NONE ? 1U << TASK_PENDING : 1U << from;
	unsigned born = from == TASK_STATE_NONE ? start : 0;

	if (to == TASK_STATE_NONE || (size_t)to >= TASK_STATE_END || (size_t)from >= TASK_STATE_END)
		return false;
	return ((born | reachable(task_states, task_edges, COUNT(task_edges), start)) >> to & 1U) !=
	       0;
}

bool
step_edge_is_legal(enum step_state from, enum step_state to)
{
	unsigned start = 1U << from;

	if (to == STEP_STATE_NONE || (size_t)to >= STEP_STATE_END || (size_t)from >= STEP_STATE_END)
		return false;
	if (from == STEP_STATE_NONE)
		return to == STEP_PENDING;
	return (reachable(step_states, step_edges, COUNT(step_edges), start) >> to & 1U) != 0;
}

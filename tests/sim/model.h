/*
 * What a simulation remembers by itself: what it asked, what it was told, what workers did, and all
 * events in the order the store showed them. judge.c compares the store with it.
 */
#ifndef TESTS_SIM_MODEL_H
#define TESTS_SIM_MODEL_H

#include "orchestration/store/store_op.h"
#include "tests/sim/shapes.h"

enum {
	MODEL_TASKS_MAX = 64,
	MODEL_ATTEMPTS_MAX = 32, /* of a step; later ones are not remembered one by one */
	MODEL_SESSIONS_MAX = 256,
};

enum sent { SENT_OK = 1, SENT_ERROR = 2, SENT_CANCELLED = 4, SENT_RELEASED = 8 };

struct seen_attempt {
	int64_t session;
	int64_t proof; /* what its result says; 0: nobody executes it */
	unsigned sent; /* enum sent: what its worker has reported, answered or not */
	bool unlisted; /* a poll of its worker may have left it out */
};

struct seen_step {
	enum step_state state;
	int attempt, failures, losses;
	int64_t session, retry_at;
	int64_t settled_proof; /* told to the worker that it counts; 0: not */
	struct seen_attempt attempts[MODEL_ATTEMPTS_MAX];
};

struct seen_task {
	int shape, tenant, owner, content; /* of the request: they make its identity */
	bool acked, refused, created;      /* told so; told so; its first event was seen */
	bool cancel_acked;
	bool forgotten; /* ended so long ago that its request became another task */
	struct uuid id;
	int64_t row, seq, ended_at;
	enum task_state state;
	struct seen_step steps[SHAPE_STEPS_MAX];
};

struct seen_session {
	int64_t id;
	/* Monotonic: it was surely heard of then; and the same when the round began. */
	int64_t heard_at, heard_before;
	int64_t used_at; /* its last poll came then or later */
	size_t worker;   /* whose, by name */
	bool doubtful;   /* another boot may have taken its place */
};

struct model {
	struct seen_task tasks[MODEL_TASKS_MAX];
	size_t task_count;
	struct seen_session sessions[MODEL_SESSIONS_MAX];
	size_t session_count;
	int64_t position; /* of the last event seen */
	int64_t proofs;
	bool known_shapes[SHAPES]; /* acknowledged templates */
	int64_t task_totals[TASK_STATE_END], step_totals[STEP_STATE_END];
	unsigned touched[MODEL_TASKS_MAX]; /* the round in which its last event was seen */
};

/* The request whose task it is, or NULL. By row: 0 is none. */
struct seen_task *model_task(struct model *m, const struct uuid *id);
struct seen_task *model_task_of_row(struct model *m, int64_t row);
struct seen_session *model_session(struct model *m, int64_t id); /* NULL: told to nobody */
/* Attempt n of a step, or NULL if such are not remembered. */
struct seen_attempt *model_attempt(struct seen_step *s, int n);
/* The step that an id names, or NULL. */
struct seen_step *model_step(struct model *m, const struct uuid *step);

#endif

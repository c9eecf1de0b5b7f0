#include "tests/sim/model.h"

#include <string.h>

#include "orchestration/engine/identity.h"

struct seen_task *
model_task(struct model *m, const struct uuid *id)
{
	for (size_t i = 0; i < m->task_count; i++) {
		struct seen_task *t = &m->tasks[i];

		if ((t->acked || t->created) && memcmp(&t->id, id, sizeof(*id)) == 0)
			return t;
	}
	return NULL;
}

struct seen_task *
model_task_of_row(struct model *m, int64_t row)
{
	for (size_t i = 0; i < m->task_count; i++)
		if (m->tasks[i].created && m->tasks[i].row == row)
			return &m->tasks[i];
	return NULL;
}

struct seen_session *
model_session(struct model *m, int64_t id)
{
	for (size_t i = 0; i < m->session_count; i++)
		if (m->sessions[i].id == id)
			return &m->sessions[i];
	return NULL;
}

struct seen_attempt *
model_attempt(struct seen_step *s, int n)
{
	return n > 0 && n < MODEL_ATTEMPTS_MAX ? &s->attempts[n] : NULL;
}

struct seen_step *
model_step(struct model *m, const struct uuid *step)
{
	struct seen_task *t;
	struct uuid task;
	unsigned index;

	if (!identity_split(step, &task, &index) || index >= SHAPE_STEPS_MAX)
		return NULL;
	t = model_task(m, &task);
	return t != NULL ? &t->steps[index] : NULL;
}

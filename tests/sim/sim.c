#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/client.h"
#include "tests/sim/judge.h"
#include "tests/sim/worker.h"

enum {
	DEEDS_LEAST = 120,
	DEEDS_MOST = 320,
	CALM_ROUNDS = 600, /* by then every task has ended, or never will */
	MS = 1000,
};

static void
round_and_judge(struct world *w)
{
	if (w->broken[0] == '\0')
		world_run_round(w);
	if (w->broken[0] == '\0')
		judge_round(w);
}

/* ---- what happens ---- */

/* A long time passes rather while nobody waits in the queue. */
static void
pass_time(struct world *w)
{
	static const int64_t spans[] = {20 * MS, SIM_SECOND, 8 * SIM_SECOND, 45 * SIM_SECOND};
	int64_t span = spans[chance_below(&w->chance, COUNT(spans))];

	if (span > SIM_SECOND && w->queue.first != NULL && chance_of(&w->chance, 850))
		round_and_judge(w);
	world_advance(w, chance_between(&w->chance, 0, span));
}

/* The wall clock is set: an hour on, an hour or six years back, a little. */
static void
jump(struct world *w)
{
	static const int64_t hours[] = {1, -1, -52560, 24};
	int64_t by = hours[chance_below(&w->chance, COUNT(hours))] * 3600 * SIM_SECOND;

	if (chance_of(&w->chance, 500))
		by = chance_between(&w->chance, -40 * SIM_SECOND, 40 * SIM_SECOND);
	w->wall += by;
	world_log(w, "the wall clock jumps by %lld s", (long long)(by / SIM_SECOND));
}

static void
crash(struct world *w)
{
	switch (chance_below(&w->chance, 3)) {
	case 0:
		world_reboot(w);
		break;
	case 1:
		w->dying = true;
		break;
	default:
		if (!w->setup->plain)
			memory_fail_fsync(w->disk, chance_of(&w->chance, 500));
		break;
	}
	round_and_judge(w);
	if (w->broken[0] == '\0')
		judge_everything(w);
}

static void
request(struct world *w)
{
	unsigned n = chance_below(&w->chance, 100);

	if (w->queue.count >= QUEUE_MAX)
		return;
	if (n < 24)
		client_create(w);
	else if (n < 28)
		client_cancel(w);
	else if (n < 31)
		client_put_template(w, w->shapes[chance_below(&w->chance, SHAPES_USED)]);
	else
		worker_act(w);
}

static void
deed(struct world *w)
{
	unsigned n = chance_below(&w->chance, 1000);

	if (n < 550)
		request(w);
	else if (n < 690)
		pass_time(w);
	else if (n < 705)
		jump(w);
	else if (n < 717)
		crash(w);
	else if (n < 760)
		client_look(w);
	else
		round_and_judge(w);
}

/* ---- the calm ---- */

static bool
all_ended(const struct world *w)
{
	for (size_t i = 0; i < w->model.task_count; i++) {
		const struct seen_task *t = &w->model.tasks[i];

		if (!t->created)
			continue;
		if (!task_state_is_final(t->state) && t->state != TASK_BLOCKED_BY_FAILURES)
			return false;
	}
	return true;
}

/* Sleeps as the writer's thread would, and wakes when a request comes: at most a second. */
static void
sleep_as_told(struct world *w)
{
	int64_t idle = rounds_idle_us(w->rounds);

	if (idle < 0 || idle > SIM_SECOND)
		idle = SIM_SECOND;
	world_advance(w, idle > 0 ? idle : 1);
}

/* Those who wait for an answer have it by now. */
static void
check_answers(struct world *w)
{
	if (w->in_flight != 0)
		world_find(w, "%zu requests were never answered", w->in_flight);
}

static void
come_to_an_end(struct world *w)
{
	int rounds = 0;

	w->calm = true;
	w->dying = false;
	round_and_judge(w);
	worker_restart_all(w);
	world_log(w, "all is calm");
	/* Where the wall clock was set back, timers stand far ahead of it: it is set right. */
	while (w->model.task_count > 0 && !all_ended(w) && w->broken[0] == '\0' &&
	        rounds++ < CALM_ROUNDS) {
		int64_t due = 0;
		struct err e = {0};

		worker_serve(w);
		round_and_judge(w);
		sleep_as_told(w);
		if (w->ops.steps_next_due(w->viewer.db, &due, &e) &&
		        due > w->wall + 100 * SIM_SECOND)
			w->wall = due;
	}
	if (!all_ended(w))
		world_find(w, "a task never comes to an end");
	if (w->broken[0] != '\0')
		return;
	for (int i = 0; i < 40; i++) { /* parked polls end within wait_max */
		world_run_round(w);
		world_advance(w, SIM_SECOND);
	}
	check_answers(w);
	judge_everything(w);
}

static void
summarize(const struct world *w, struct sim_report *out)
{
	const struct model *m = &w->model;

	out->events = (size_t)m->position;
	out->rounds = w->round;
	out->seen = w->seen;
	memcpy(out->broken, w->broken, sizeof(out->broken));
	for (size_t i = 0; i < m->task_count; i++) {
		out->tasks += m->tasks[i].created;
		out->refused += m->tasks[i].refused;
		out->complete += m->tasks[i].state == TASK_COMPLETE;
		for (size_t n = 0; n < SHAPE_STEPS_MAX; n++)
			out->lost += (size_t)m->tasks[i].steps[n].losses;
	}
}

void
sim_run(const struct sim_setup *setup, struct sim_report *out)
{
	struct world *w = calloc(1, sizeof(*w));
	int64_t deeds;

	if (w == NULL)
		__builtin_trap();
	memset(out, 0, sizeof(*out));
	world_open(w, setup);
	for (size_t i = 0; i < SHAPES_USED; i++) {
		w->shapes[i] = chance_below(&w->chance, SHAPES);
		client_put_template(w, w->shapes[i]);
	}
	deeds = chance_between(&w->chance, DEEDS_LEAST, DEEDS_MOST);
	for (int64_t i = 0; i < deeds && w->broken[0] == '\0'; i++)
		deed(w);
	if (w->broken[0] == '\0')
		come_to_an_end(w);
	if (setup->log != NULL && w->broken[0] == '\0')
		judge_tell(w);
	summarize(w, out);
	world_close(w);
	free(w);
}

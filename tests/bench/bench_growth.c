/*
 * What a claim and a finish cost in a store that holds many tasks, with SQLite FULL.
 *
 *     bench_growth FOLDER fill TASKS     creates so many tasks of four steps, which wait there
 *     bench_growth FOLDER measure        prints "claim N" and "finish N", microseconds a step
 *
 * It measures ROUNDS times STEPS steps that a session claims and finishes, and takes the medians.
 * The steps taken are replaced by as many of new tasks, so a store can be measured again and again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "tests/bench/bench_client.h"
#include "tests/bench/bench_engine.h"

enum { FILL_BATCH = 1024, BATCH = 64, ROUNDS = 11, STEPS = 256, STEPS_A_TASK = 4 };

/* Creates so many tasks, whose contexts differ from those of any other run. */
static void
fill(int64_t tasks)
{
	const int64_t base = clock_mono_us() << 20; /* no run creates 2^20 tasks a microsecond */
	int64_t created = 0, under_way = 0;

	while (created < tasks || under_way > 0) {
		struct store_op *next;

		for (; under_way < FILL_BATCH && created < tasks; under_way++)
			engine_submit(engine_create_op(base + ++created));
		for (struct store_op *op = engine_take_all(); op != NULL; op = next, under_way--) {
			next = engine_next(op);
			engine_must(op->outcome == STORE_OK, op->text);
			store_op_free(op);
		}
	}
}

/* Submits op, which is the only one, and waits; adds the time to us. */
static struct store_op *
timed(struct store_op *op, double *us)
{
	const int64_t from = clock_mono_us();

	engine_submit(op);
	op = engine_take_all();
	*us += (double)(clock_mono_us() - from);
	engine_must(op->outcome == STORE_OK, op->text);
	return op;
}

/* STEPS steps claimed, and finished, ENGINE_SLOTS at a time; microseconds of each. */
static void
take(int64_t session, double *claim_us, double *finish_us)
{
	*claim_us = *finish_us = 0;
	for (int taken = 0; taken < STEPS; taken += ENGINE_SLOTS) {
		struct store_op *claim =
		        timed(engine_poll_op(session, ENGINE_SLOTS, NULL), claim_us);
		struct store_op *finish;

		engine_must(claim->out.poll.step_count == ENGINE_SLOTS, "too few steps are ready");
		finish = timed(engine_poll_op(session, 0, &claim->out.poll), finish_us);
		store_op_free(claim);
		store_op_free(finish);
	}
	*claim_us /= STEPS;
	*finish_us /= STEPS;
}

static void
measure(void)
{
	double claims[ROUNDS], finishes[ROUNDS];
	const int64_t session = engine_session(0);

	for (int i = 0; i < ROUNDS; i++) {
		take(session, &claims[i], &finishes[i]);
		fill(STEPS / STEPS_A_TASK);
	}
	qsort(claims, ROUNDS, sizeof(*claims), bench_ascending);
	qsort(finishes, ROUNDS, sizeof(*finishes), bench_ascending);
	(void)printf("claim %.2f\nfinish %.2f\n", bench_share(claims, ROUNDS, 0.5),
	        bench_share(finishes, ROUNDS, 0.5));
}

int
main(int argc, char **argv)
{
	const bool filling = argc == 4 && strcmp(argv[2], "fill") == 0;

	engine_must(filling || (argc == 3 && strcmp(argv[2], "measure") == 0),
	        "usage: bench_growth FOLDER fill TASKS | bench_growth FOLDER measure");
	engine_open(argv[1], filling ? FILL_BATCH : BATCH);
	if (filling)
		fill(strtoll(argv[3], NULL, 10));
	else
		measure();
	engine_close();
	return 0;
}

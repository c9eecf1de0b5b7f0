/*
 * bench_store FOLDER SECONDS [BATCH]: what the store does alone, without HTTP: tasks of four steps
 * in a row created, and their steps claimed and finished, with SQLite FULL. Prints "creates N" and
 * "steps N" a second. BATCH (64) operations share a commit, twice as many are under way.
 */
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/clock.h"
#include "tests/bench/bench_engine.h"

enum { BATCH = 64, SESSIONS = 4, AHEAD = 2 };

/* Creates for so long; returns how many a second. */
static double
create(int64_t us, int batch)
{
	int64_t start = clock_mono_us(), done = 0, number = 0;
	int under_way = 0;

	while (clock_mono_us() - start < us) {
		struct store_op *next;

		for (; under_way < batch * AHEAD; under_way++)
			engine_submit(engine_create_op(++number));
		for (struct store_op *op = engine_take_all(); op != NULL;
		        op = next, under_way--, done++) {
			next = engine_next(op);
			engine_must(op->outcome == STORE_OK, op->text);
			store_op_free(op);
		}
	}
	us = clock_mono_us() - start;
	for (struct store_op *next; under_way > 0;)
		for (struct store_op *op = engine_take_all(); op != NULL; op = next, under_way--) {
			next = engine_next(op);
			store_op_free(op);
		}
	return (double)done * US_PER_S / (double)us;
}

/* Steps claimed and finished a second, until the time is up or nothing is left. */
static double
finish(int64_t us)
{
	int64_t sessions[SESSIONS], start, done = 0;
	int under_way = 0;

	for (int i = 0; i < SESSIONS; i++)
		sessions[i] = engine_session(i);
	start = clock_mono_us();
	for (; under_way < SESSIONS; under_way++)
		engine_submit(engine_poll_op(sessions[under_way], ENGINE_SLOTS, NULL));
	while (under_way > 0) {
		struct store_op *next;

		for (struct store_op *op = engine_take_all(); op != NULL; op = next) {
			next = engine_next(op);
			engine_must(op->outcome == STORE_OK, op->text);
			done += (int64_t)op->in.poll.result_count;
			under_way--;
			if (op->out.poll.step_count > 0 && clock_mono_us() - start < us) {
				engine_submit(engine_poll_op(
				        op->in.poll.session, ENGINE_SLOTS, &op->out.poll));
				under_way++;
			}
			store_op_free(op);
		}
	}
	return (double)done * US_PER_S / (double)(clock_mono_us() - start);
}

int
main(int argc, char **argv)
{
	int64_t us;
	int batch;

	engine_must(argc >= 3, "usage: bench_store FOLDER SECONDS [BATCH]");
	us = (int64_t)(strtod(argv[2], NULL) * US_PER_S);
	batch = argc > 3 ? (int)strtol(argv[3], NULL, 10) : BATCH;
	engine_open(argv[1], batch);
	(void)printf("creates %.0f\n", create(us, batch));
	(void)printf("steps %.0f\n", finish(us));
	engine_close();
	return 0;
}

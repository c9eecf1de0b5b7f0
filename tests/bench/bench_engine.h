/*
 * A store alone, without HTTP: tasks of four steps in a row, and sessions that claim and finish
 * them. Operations are answered to one list, which the only caller's thread empties.
 */
#ifndef TESTS_BENCH_BENCH_ENGINE_H
#define TESTS_BENCH_BENCH_ENGINE_H

#include "orchestration/store/store.h"

enum { ENGINE_SLOTS = 64, US_PER_S = 1000000 };

/* Opens FOLDER/bare.db with SQLite FULL and so many operations a commit; puts the template there.
 * Ends the process with a word on stderr when anything fails, as do all below. */
void engine_open(const char *folder, int batch);
void engine_close(void);

/* Ends the process unless fine. */
void engine_must(bool fine, const char *what);

void engine_submit(struct store_op *op);

/* All that was answered, at least one: a list by engine_next(). The caller frees each. */
struct store_op *engine_take_all(void);
struct store_op *engine_next(struct store_op *op);

/* An operation that creates a task whose context holds this number. */
struct store_op *engine_create_op(int64_t number);

/* Opens the session of worker n; its id. */
int64_t engine_session(int n);

/* A poll of that session which asks for so many steps and reports everything that given (NULL:
 * nothing) holds as done. */
struct store_op *engine_poll_op(int64_t session, int free_slots, const struct poll_out *given);

#endif

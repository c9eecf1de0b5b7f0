/*
 * A store in a temporary folder, with clocks that only move when told, and operations that wait for
 * their answer. Tests talk in template and step names.
 */
#ifndef TESTS_UNIT_ORCHESTRATION_LAB_H
#define TESTS_UNIT_ORCHESTRATION_LAB_H

#include <pthread.h>
#include <stdatomic.h>

#include "orchestration/store/store.h"
#include "tests/unit/unit.h"

enum { LAB_SECOND = 1000000 };

struct lab {
	char folder[64], path[96], url[112];
	struct store_settings settings;
	struct store *store;
	atomic_llong wall, mono;
	atomic_int fault_after; /* the nth write statement from now on fails, once; 0: none */
	const char *fault_in;   /* this statement fails while set; NULL: none */
};

/* A fresh store; templates of the lab are not in it yet. */
void lab_open(struct lab *lab);
void lab_close(struct lab *lab); /* and removes the folder */
void lab_reopen(struct lab *lab);
void lab_advance(struct lab *lab, int64_t us); /* both clocks; wakes the store */

/* Submits op and waits for its answer; op stays the caller's. */
enum store_outcome lab_run(struct lab *lab, struct store_op *op);

/* The same, while the nth allocation fails. */
enum store_outcome lab_run_short_of_memory(struct lab *lab, struct store_op *op, unsigned nth);

/* An operation whose answer is awaited later: for polls that park. */
struct waiting {
	struct store_op *op;
	struct lab_gate *gate;
};
struct waiting lab_begin(struct lab *lab, struct store_op *op);
bool lab_is_answered(struct waiting *w);
void lab_await(struct waiting *w);
void lab_settle(struct lab *lab); /* until the writer has done all that was submitted before */

struct principal lab_caller(enum scope_kind scope, const char *tenant, const char *owner);

/* The operation that registers YAML; and to do it, asserting that it was taken. */
struct store_op *lab_template_op(const char *yaml);
void lab_template(struct lab *lab, const char *yaml);

/* A create operation for a template of namespace "demo", version "1.0.0". */
struct store_op *lab_create_op(const char *name, const char *context);
/* Creates and returns the id; asserts OK. Every call has another context. */
struct uuid lab_create(struct lab *lab, const char *name);

/* Registers a worker for namespace "demo" and all handlers "demo.*"; returns the session. */
int64_t lab_worker(struct lab *lab, const char *worker, const char *boot);

struct store_op *lab_poll_op(int64_t session, int free);
void lab_hold(struct store_op *poll, struct attempt_ref ref);
void lab_report(struct store_op *poll, struct attempt_ref ref, enum step_outcome outcome);

/* Polls once without waiting; returns the answered operation. */
struct store_op *lab_poll(struct lab *lab, int64_t session, int free);
/* Reports one outcome in a poll with no free slot; returns the verdict. */
enum report_verdict lab_finish(
        struct lab *lab, int64_t session, struct attempt_ref ref, enum step_outcome outcome);

/* The state of a task, and of its step by name. */
enum task_state lab_task_state(struct lab *lab, struct uuid task);
struct step_view lab_step(struct lab *lab, struct uuid task, const char *step);
/* One number from the database, read aside. */
int64_t lab_number(struct lab *lab, const char *sql);
/* Changes the database aside. */
void lab_write(struct lab *lab, const char *sql);
/* A text over all rows of all tables but sessions and totals: equal when nothing changed. */
char *lab_dump(struct lab *lab);
/* Asserts that `db check` finds nothing. */
void lab_check(struct lab *lab);

/* name: linear (a -> b), diamond (a -> b, c -> d), single (a; 3 attempts), fragile (1 attempt),
 * keyed (caller_provided), unique (always_unique), pair (a, b without edges) */
const char *lab_yaml(const char *name);

#endif

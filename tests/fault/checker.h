/*
 * The judge of a run: what clients were told, what handlers executed and what the database says
 * must fit together (security.md §5).
 *
 *   I1  what was acknowledged is there, once, and complete
 *   I2  each complete step was executed; an attempt at most once, after it was claimed, and of a
 *       step that is there; an attempt whose result does not count was lost or released; the stored
 *       result is that of the attempt that counts; no step began before its parents had ended
 *   I3  a task's transitions are numbered 1, 2, 3 ... and lead from each state to the next by legal
 *       edges, to the state that the row has; a step completes once
 *   I4  whoever ended an attempt held it: the same session and attempt that had started it last
 *
 * It reads the database itself, by its documented schema, and shares with the product only the
 * tables of states and edges.
 */
#ifndef TESTS_FAULT_CHECKER_H
#define TESTS_FAULT_CHECKER_H

#include "tests/fault/book.h"

enum invariant { INVARIANT_NONE, I1, I2, I3, I4, INVARIANT_END };

enum { FINDINGS_TEXT = 4096 };

struct findings {
	unsigned broken[INVARIANT_END]; /* how often each */
	char text[FINDINGS_TEXT];       /* the first of them, a line each */
	/* What was seen, to show that there was something to judge. */
	size_t tasks, steps, events, executions, lost, released, late, failed;
};

struct evidence {
	const char *dir, *file;  /* the database; no daemon need run */
	const struct book *book; /* NULL: nobody kept one, I2 is not judged */
	const char *const *ids;  /* of the tasks that clients know of */
	size_t id_count;
	const char *const
	        *open_ids; /* of tasks that nobody can have completed, and that are there */
	size_t open_count;
	bool no_others; /* these are all there are */
};

/* False: the database cannot be read; why is on stderr. */
MUST_CHECK bool checker_judge(const struct evidence *evidence, struct findings *out);
/* How often any invariant is broken. */
unsigned checker_broken(const struct findings *f);

#endif

/* What the answer to a poll tells the worker to do: what is done with, what to stop, what to start.
 */
#ifndef WORKER_HANDOUT_H
#define WORKER_HANDOUT_H

#include "worker/desk.h"
#include "worker/runner/attempt.h"

/* What the link needs of the runner; in tests a stand-in. All from the link's thread. */
struct link_runner {
	/* Takes the step on success. */
	bool (*offer)(struct step *step, void *arg, struct err *e);
	bool (*stop)(const char *step, int64_t attempt, enum stop why, void *arg);
	void (*release_all)(int64_t grace_us, void *arg);
	void (*callables)(struct buf *out, void *arg); /* JSON array */
	bool (*settled)(void *arg);
	void *arg;
};

/* In that order: results are settled first, so that their places are free for new steps. late: the
 * lease that the answer renews is about to end, so what it brings is given back and not begun. */
void handout_apply(const struct link_answer *a, struct desk *desk, const struct link_runner *runner,
        bool late);

#endif

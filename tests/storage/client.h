/*
 * A client and worker in one that remembers what the store told it, and what it only asked for.
 *
 * Acknowledged is what was answered OK. Anything else leaves open whether it happened, so the
 * client asks for it again later, as real ones do: a create is known by its context, a report by
 * its attempt. audit.h holds the store to all that.
 */
#ifndef TESTS_STORAGE_CLIENT_H
#define TESTS_STORAGE_CLIENT_H

#include "tests/storage/dice.h"
#include "tests/unit/orchestration/lab.h"

enum {
	CLIENT_TASKS_MAX = 160,
	CLIENT_TEMPLATES_MAX = 40,
	CLIENT_STEPS_MAX = 4,
	CLIENT_BURST_MAX = 8,
	CLIENT_PAD_MAX = 256 * 1024, /* what a context may be padded with */
};

enum claim_state {
	CLAIM_NONE,     /* the client knows nothing of the step */
	CLAIM_HELD,     /* it was given the attempt */
	CLAIM_REPORTED, /* it said that the step is complete, and had no answer */
	CLAIM_DONE,     /* the report was acknowledged */
};

struct known_step {
	enum claim_state state;
	struct attempt_ref ref;
};

struct known_task {
	const char *template;
	bool acked, cancel_asked, cancelled;
	struct uuid id; /* if acked */
	size_t pad;     /* bytes of its context beside what it needs */
	size_t step_count;
	struct known_step steps[CLIENT_STEPS_MAX];
};

struct client {
	struct lab *lab;
	struct dice dice;
	bool wild;       /* several creates at once, with contexts so large that checkpoints come */
	bool tells;      /* of each answer, on stderr: STORAGE_TELL=1 */
	int64_t session; /* 0: not registered */
	struct known_task tasks[CLIENT_TASKS_MAX];
	size_t task_count;
	bool templates[CLIENT_TEMPLATES_MAX]; /* acknowledged; see client_template() */
	size_t template_count;
	unsigned long asked, acked; /* operations that write */
	unsigned long failed_syncs; /* of the disk before this life of the store */
	char broken[400];           /* the first promise that was broken; "" while none is */
};

void client_init(struct client *c, struct lab *lab, uint64_t seed, bool wild);

/* A life of the store begins: to be said before it is opened. */
void client_begin_life(struct client *c);

enum client_deed {
	CLIENT_PREPARE, /* registers a template that tasks need, or the worker; if it must */
	CLIENT_TEMPLATE,
	CLIENT_CREATE,
	CLIENT_CREATE_MANY, /* at once, so that they share a transaction */
	CLIENT_CANCEL,
	CLIENT_LOOK,
	CLIENT_POLL,   /* claims, and reports some of what it holds */
	CLIENT_FINISH, /* reports all of it */
};

/* Asks for one thing, or for some at once, and notes the answer. */
void client_do(struct client *c, enum client_deed deed);
void client_act(struct client *c);            /* anything */
bool client_is_fatal(const struct client *c); /* does the store say so? */

/* Asks again for what is open, with a store that works: then all is acknowledged. */
void client_settle(struct client *c);

/* How a task's context and a step's result read: terminated, the caller's. */
OWNED char *client_context(const struct client *c, size_t task);
OWNED char *client_result(size_t task, size_t step);
/* The nth template. The first three are those that tasks are made of. */
void client_template(size_t n, char out[512]);
const char *client_template_name(size_t n, char out[32]);

/* Notes a broken promise, unless one is noted. */
PRINTF(2, 3) void client_complain(struct client *c, const char *fmt, ...);

#endif

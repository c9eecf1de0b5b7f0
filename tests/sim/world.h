/*
 * One simulated world: a store on a disk, clients and workers that use it, two clocks, and chance.
 *
 * Everything happens in one thread and in an order that the seed decides. Requests gather until a
 * round is run; rounds.h runs them as the writer's thread would. A crash is a process whose answers
 * reach nobody any more: from that moment every write fails, then the store is opened anew over
 * what was committed.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdio.h>

#include "orchestration/store/rounds.h"
#include "orchestration/store/view.h"
#include "tests/sim/backend_memory.h"
#include "tests/sim/chance.h"
#include "tests/sim/model.h"

enum {
	WORKERS = 3, /* by name; beside each of them a ghost, its last process, if that lives on */
	HELD_MAX = 16, /* steps one worker works on */
	QUEUE_MAX = 12,
	SHAPES_USED = 4, /* of a seed's tasks */
};

#define SIM_SECOND INT64_C(1000000)

struct sim_setup {
	uint64_t seed;
	const struct shapes *shapes;
	enum memory_flaw flaw;
	bool lease_by_wall; /* a broken store: the wall clock is passed for the monotonic one */
	const char *sqlite; /* the URL of an SQLite store instead of memory, or NULL */
	bool plain;         /* only faults that both can have: no fsync lies */
	struct buf *log;    /* what happens, a line each; NULL: nobody listens */
};

struct held_step {
	struct attempt_ref ref;
	int64_t proof, ready_at; /* when its handler is done; monotonic */
	enum step_outcome outcome;
	bool retryable;
	int64_t retry_after_ms;
};

struct sim_worker {
	unsigned process; /* which start of which worker; 0: there is none */
	int64_t session;  /* 0: none */
	bool away;        /* hears and says nothing */
	bool picky;       /* serves some handlers only */
	bool poll_lost;   /* its last poll was not answered: it asks the same again */
	int in_flight;
	unsigned secrets;         /* it has asked for: polls with an older one may be refused */
	struct store_op *polling; /* its newest poll in flight */
	struct uuid last_poll;
	struct held_step held[HELD_MAX];
	size_t held_count;
	struct held_step old; /* what it reported before */
};

/* How often things happened, to show that they do. */
struct sim_seen {
	unsigned verdicts[REPORT_NOTED + 1], outcomes[STORE_FORBIDDEN + 1], events[EVENT_KIND_END];
	unsigned crashes, lost_answers, repeats;
};

struct world {
	const struct sim_setup *setup;
	struct chance chance;
	struct store_settings settings;
	struct backend_ops ops;
	struct memory *disk;
	struct pulse pulse;
	struct rounds *rounds;
	struct viewer viewer;
	int64_t wall, mono, round_mono; /* round_mono: when this round began, or earlier */
	int64_t tick;              /* the clocks move so much when they are looked at, at most */
	struct op_list queue;      /* of the next round */
	bool dead, dying, booting; /* dying: from its next commit on */
	bool calm;                 /* no fault happens any more */
	unsigned full_permille, round;
	size_t in_flight;
	struct sim_seen seen;
	struct model model;
	struct sim_worker
	        workers[2 * WORKERS]; /* the second half: ghosts, whom nobody told to stop */
	unsigned processes;
	size_t shapes[SHAPES_USED];
	char broken[480]; /* the first thing that was wrong; "" */
};

/* What an operation was for; world_submit() copies it. */
struct purpose {
	void (*answered)(struct world *w, struct store_op *op, const struct purpose *p);
	void (*lost)(struct world *w, struct store_op *op, const struct purpose *p);
	size_t index;     /* of the request in the model, or of the worker's name */
	unsigned process; /* the worker's */
	unsigned secrets; /* and how many it had asked for */
	int64_t asked_at; /* monotonic; set when it is submitted */
	bool foreign;     /* the caller may not even see what it names */
};

void world_open(struct world *w, const struct sim_setup *setup);
void world_close(struct world *w);

/* Into the next round. Afterwards `answered` or `lost` (NULL: nobody minds) is called once. */
void world_submit(struct world *w, struct store_op *op, const struct purpose *p);
void world_run_round(struct world *w);
void world_reboot(struct world *w);              /* as after kill -9 */
void world_advance(struct world *w, int64_t us); /* both clocks */
/* Reads in a snapshot of its own. False: what broke is noted. */
bool world_read(struct world *w, struct store_op *op);

PRINTF(2, 3) void world_log(struct world *w, const char *fmt, ...);
/* Notes what is wrong; the first counts. */
PRINTF(2, 3) void world_find(struct world *w, const char *fmt, ...);
struct principal world_caller(int tenant, int owner, enum scope_kind scope);

#endif

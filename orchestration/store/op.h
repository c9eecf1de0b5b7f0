/*
 * The store's side of an operation: its memory, its place in a queue, and, if it is a poll, what it
 * is waiting with. An operation and its first kilobytes of memory are one allocation.
 */
#ifndef ORCHESTRATION_STORE_OP_H
#define ORCHESTRATION_STORE_OP_H

#include <stdatomic.h>

#include "orchestration/store/store.h"

struct ledger;
struct plan;
struct session;
struct op_chunk;
struct op_pin;

struct op_state {
	struct store_op *next, *prev; /* in a lane, or (both) among the waiting polls */
	int64_t deadline_us;          /* monotonic */
	size_t bytes;                 /* of its memory */
	struct op_chunk *chunks;
	char *free; /* unused memory of the newest chunk */
	size_t left;
	struct op_pin *pins;
	atomic_bool gone;      /* the poll's client is */
	struct ledger *ledger; /* where its answer counts, if it was a read */
	size_t held;           /* bytes, there */

	/* A poll's, while the writer has it. */
	struct session *session;
	size_t room;        /* steps it may still be given */
	size_t step_cap;    /* of out.poll.steps */
	size_t frame_bytes; /* of those it was given */
	int64_t due_us;     /* when it is answered anyway; monotonic */
	uint32_t number;    /* counts the session's polls */
	bool waiting;       /* in the list of waiting polls */
	bool replaced;      /* the session polled again, or ended */
	bool answer;        /* has something to say already */
};

struct op_list {
	struct store_op *first, *last;
	size_t count;
};

void op_list_add(struct op_list *l, struct store_op *op);
struct store_op *op_list_take(struct op_list *l); /* the first, or NULL */

/* Keeps the plan until the operation is freed. False: no memory. */
MUST_CHECK bool op_pin(struct store_op *op, struct plan *plan);

/* Ready to run once more: outputs and verdict are forgotten. */
void op_reset(struct store_op *op);

/* Sets the outcome and its text. */
void op_refuse(struct store_op *op, enum store_outcome outcome, const char *fmt, ...) PRINTF(3, 4);

/* Gives op back to its owner; nothing may touch it afterwards. */
void op_deliver(struct store_op *op);
/* All of l, in order; neighbours of one home wake it once. */
void op_deliver_all(struct op_list *l);

#endif

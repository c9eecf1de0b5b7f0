#include "orchestration/store/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orchestration/store/ledger.h"
#include "orchestration/store/plan.h"
#include "shared/base/secret.h"

enum { FIRST_BYTES = 2048, CHUNK_BYTES = 8192, ALIGN = 16 };

struct op_chunk {
	struct op_chunk *next;
	_Alignas(ALIGN) char bytes[];
};

struct op_pin {
	struct op_pin *next;
	struct plan *plan;
};

/* Operation, state and first memory in one piece. */
struct whole {
	struct store_op op; /* first, so that an op is its whole */
	struct op_state state;
	_Alignas(ALIGN) char bytes[FIRST_BYTES];
};

static const struct {
	const char *name;
} verbs[STORE_VERB__COUNT] = {
#define VERB(name, lane, what) {#name},
#include "orchestration/store/verb.def"
#undef VERB
};

static const char *const outcomes[] = {
        [STORE_UNDECIDED] = "undecided",
        [STORE_OK] = "ok",
        [STORE_NOT_FOUND] = "not_found",
        [STORE_CONFLICT] = "conflict",
        [STORE_INVALID] = "invalid",
        [STORE_STALE] = "stale",
        [STORE_BUSY] = "busy",
        [STORE_TIMEOUT] = "timeout",
        [STORE_FAULT] = "fault",
        [STORE_FORBIDDEN] = "forbidden",
};

static const char *const reports[] = {
        [REPORT_STALE] = "stale",
        [REPORT_DUPLICATE] = "duplicate",
        [REPORT_ACCEPTED] = "accepted",
        [REPORT_ACCEPTED_LATE] = "accepted",
        [REPORT_NOTED] = "accepted",
};

OWNED struct store_op *
store_op_new(enum store_verb verb)
{
	struct whole *w = malloc(sizeof(*w));

	if (w == NULL)
		return NULL;
	memset(w, 0, offsetof(struct whole, bytes));
	w->op.verb = verb;
	w->op.state = &w->state;
	w->state.free = w->bytes;
	w->state.left = sizeof(w->bytes);
	w->state.bytes = sizeof(*w);
	return &w->op;
}

void
store_op_free(struct store_op *op)
{
	struct op_chunk *next;

	if (op == NULL)
		return;
	for (struct op_pin *p = op->state->pins; p != NULL; p = p->next)
		plan_unref(p->plan);
	for (struct op_chunk *c = op->state->chunks; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	if (op->verb == STORE_WORKER_REGISTER)
		secret_wipe(&op->out.worker.secret, sizeof(op->out.worker.secret));
	if (op->state->ledger != NULL)
		ledger_release(op->state->ledger, op->state->held);
	free(op);
}

/* A fresh chunk; large pieces get one to themselves and leave the current one in use. */
static char *
grow(struct op_state *s, size_t bytes)
{
	size_t size = bytes > CHUNK_BYTES / 4 ? bytes : CHUNK_BYTES;
	struct op_chunk *c;

	if (s->bytes + size > STORE_OP_BYTES_MAX)
		return NULL;
	c = malloc(sizeof(*c) + size);
	if (c == NULL)
		return NULL;
	c->next = s->chunks;
	s->chunks = c;
	s->bytes += size;
	if (size == bytes)
		return c->bytes;
	s->free = c->bytes + bytes;
	s->left = size - bytes;
	return c->bytes;
}

static char *
take(struct op_state *s, size_t bytes)
{
	size_t whole = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	char *at = s->free;

	if (whole < bytes)
		return NULL;
	if (whole > s->left)
		return grow(s, whole);
	s->free += whole;
	s->left -= whole;
	return at;
}

BORROWED void *
store_op_alloc(struct store_op *op, size_t count, size_t size)
{
	size_t bytes;
	char *at;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	at = take(op->state, bytes > 0 ? bytes : 1);
	if (at != NULL)
		memset(at, 0, bytes);
	return at;
}

BORROWED char *
store_op_text(struct store_op *op, const char *text, size_t len)
{
	char *at = len < SIZE_MAX ? take(op->state, len + 1) : NULL;

	if (at == NULL)
		return NULL;
	if (len > 0)
		memcpy(at, text, len);
	at[len] = '\0';
	return at;
}

void
op_list_add(struct op_list *l, struct store_op *op)
{
	op->state->next = NULL;
	if (l->last != NULL)
		l->last->state->next = op;
	else
		l->first = op;
	l->last = op;
	l->count++;
}

struct store_op *
op_list_take(struct op_list *l)
{
	struct store_op *op = l->first;

	if (op == NULL)
		return NULL;
	l->first = op->state->next;
	if (l->first == NULL)
		l->last = NULL;
	l->count--;
	op->state->next = NULL;
	return op;
}

bool
op_pin(struct store_op *op, struct plan *plan)
{
	struct op_pin *pin;

	for (pin = op->state->pins; pin != NULL; pin = pin->next)
		if (pin->plan == plan)
			return true;
	pin = store_op_alloc(op, 1, sizeof(*pin));
	if (pin == NULL)
		return false;
	*pin = (struct op_pin){op->state->pins, plan_ref(plan)};
	op->state->pins = pin;
	return true;
}

void
op_reset(struct store_op *op)
{
	memset(&op->out, 0, sizeof(op->out));
	op->outcome = STORE_UNDECIDED;
	op->text[0] = '\0';
	op->state->room = 0;
	op->state->step_cap = 0;
	op->state->frame_bytes = 0;
	op->state->answer = false;
}

void
op_refuse(struct store_op *op, enum store_outcome outcome, const char *fmt, ...)
{
	va_list args;

	op->outcome = outcome;
	va_start(args, fmt);
	(void)vsnprintf(op->text, sizeof(op->text), fmt, args);
	va_end(args);
}

void
op_deliver(struct store_op *op)
{
	if (op->home != NULL)
		loop_post(op->home, &op->mail);
	else
		op->mail.deliver(&op->mail);
}

void
op_deliver_all(struct op_list *l)
{
	struct store_op *op;

	while ((op = op_list_take(l)) != NULL) {
		struct loop *home = op->home;
		struct mail *oldest = &op->mail, *newest = oldest;

		if (home == NULL) {
			op_deliver(op);
			continue;
		}
		while (l->first != NULL && l->first->home == home) {
			struct mail *next = &op_list_take(l)->mail;

			next->next = newest;
			newest = next;
		}
		loop_post_all(home, newest, oldest);
	}
}

const char *
store_verb_name(enum store_verb v)
{
	return (size_t)v < COUNT(verbs) ? verbs[v].name : "UNKNOWN";
}

const char *
store_outcome_name(enum store_outcome o)
{
	return (size_t)o < COUNT(outcomes) ? outcomes[o] : "undecided";
}

const char *
store_report_name(enum report_verdict v)
{
	return (size_t)v < COUNT(reports) ? reports[v] : "stale";
}

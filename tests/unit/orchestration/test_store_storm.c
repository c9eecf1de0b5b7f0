/*
 * A storm drawn from a seed: creates, polls, reports of every kind (current, repeated, stale,
 * foreign), cancels, lost workers, new boots, failing disks, restarts and jumps of time, in any
 * order. Afterwards the disk works, the workers behave, and every task must come to its end; the
 * check of the file proves I1 to I4 on the way. A failing seed is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/orchestration/lab.h"

enum { SEEDS = 24, STEPS = 220, WORKERS = 3, HANDS_MAX = 64, SETTLE_ROUNDS = 400 };

struct hand {
	int64_t session;
	struct attempt_ref ref;
};

struct storm {
	struct lab lab;
	uint64_t random;
	int64_t sessions[WORKERS];
	int boots[WORKERS];
	struct hand hands[HANDS_MAX]; /* attempts that were handed out, some of them long stale */
	size_t hand_count;
	struct uuid tasks[STEPS];
	size_t task_count;
};

static uint64_t
draw(struct storm *s, uint64_t below)
{
	s->random = s->random * 6364136223846793005U + 1442695040888963407U;
	return (s->random >> 33) % below;
}

static void
boot(struct storm *s, size_t worker)
{
	static const char *const namespaces[] = {"demo", NULL}, *const handlers[] = {
	                                                                "demo.*", NULL};
	AUTO(store_op) struct store_op *op = store_op_new(STORE_WORKER_REGISTER);
	char name[24], text[24];

	(void)snprintf(name, sizeof(name), "w%zu", worker);
	(void)snprintf(text, sizeof(text), "b%d", s->boots[worker]);
	op->in.worker = (struct worker_register_in){.worker = name,
	        .boot = text,
	        .slots = 4,
	        .namespaces = namespaces,
	        .handlers = handlers};
	if (lab_run(&s->lab, op) == STORE_OK)
		s->sessions[worker] = op->out.worker.session;
	else
		ck_assert_int_eq(op->outcome, STORE_FAULT);
}

static void
create(struct storm *s)
{
	static const char *const names[] = {"linear", "diamond", "single", "fragile", "pair"};
	char context[48];
	AUTO(store_op) struct store_op *op = NULL;

	(void)snprintf(context, sizeof(context), "{\"n\":%zu}", s->task_count);
	op = lab_create_op(names[draw(s, COUNT(names))], context);
	if (lab_run(&s->lab, op) == STORE_OK)
		s->tasks[s->task_count++] = op->out.task.id;
	else
		ck_assert_int_eq(op->outcome, STORE_FAULT);
}

static void
cancel(struct storm *s)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_CANCEL);

	if (s->task_count == 0)
		return;
	op->caller = lab_caller(SCOPE_ANY, "", "x");
	op->in.id.task = s->tasks[draw(s, s->task_count)];
	(void)lab_run(&s->lab, op);
	ck_assert(op->outcome == STORE_OK || op->outcome == STORE_INVALID ||
	          op->outcome == STORE_FAULT);
}

static void
remember(struct storm *s, int64_t session, const struct poll_out *out)
{
	for (size_t i = 0; i < out->step_count; i++) {
		size_t at =
		        s->hand_count < HANDS_MAX ? s->hand_count++ : (size_t)draw(s, HANDS_MAX);

		s->hands[at] = (struct hand){session, out->steps[i].ref};
	}
}

/* A poll that holds what was given to the session, reports some of it, and sometimes lies. */
static void
poll(struct storm *s, bool honest)
{
	static const enum step_outcome outcomes[] = {OUTCOME_OK, OUTCOME_OK, OUTCOME_OK,
	        OUTCOME_ERROR, OUTCOME_RELEASED, OUTCOME_CANCELLED};
	size_t worker = (size_t)draw(s, WORKERS);
	AUTO(store_op) struct store_op *op = lab_poll_op(s->sessions[worker], (int)draw(s, 5));

	for (size_t i = 0; i < s->hand_count; i++) {
		bool ours = s->hands[i].session == s->sessions[worker];

		if (!ours && (honest || draw(s, 20) != 0))
			continue;
		if (draw(s, honest ? 2 : 3) == 0)
			lab_report(op, s->hands[i].ref,
			        honest ? OUTCOME_OK : outcomes[draw(s, COUNT(outcomes))]);
		else if (honest || draw(s, 4) != 0)
			lab_hold(op, s->hands[i].ref);
	}
	(void)lab_run(&s->lab, op);
	ck_assert(op->outcome == STORE_OK || op->outcome == STORE_STALE ||
	          op->outcome == STORE_FAULT);
	if (op->outcome == STORE_STALE)
		boot(s, worker);
	if (op->outcome == STORE_OK)
		remember(s, s->sessions[worker], &op->out.poll);
}

static void
act(struct storm *s)
{
	switch (draw(s, 16)) {
	case 0:
	case 1:
	case 2:
		create(s);
		break;
	case 3:
		cancel(s);
		break;
	case 4: {
		size_t worker = (size_t)draw(s, WORKERS);

		s->boots[worker] += draw(s, 2) == 0;
		boot(s, worker);
		break;
	}
	case 5:
		lab_advance(&s->lab, (int64_t)draw(s, 40) * LAB_SECOND);
		break;
	case 6:
		atomic_store(&s->lab.fault_after, (int)draw(s, 12));
		break;
	case 7:
		if (draw(s, 4) == 0)
			lab_reopen(&s->lab);
		break;
	default:
		poll(s, false);
		break;
	}
}

static bool
all_ended(struct storm *s)
{
	return lab_number(&s->lab, "SELECT count(*) FROM tasks WHERE state NOT IN (8, 9, 11)") == 0;
}

/* What is still open belongs to honest workers now. */
static void
calm(struct storm *s)
{
	atomic_store(&s->lab.fault_after, 0);
	for (int round = 0; round < SETTLE_ROUNDS && !all_ended(s); round++) {
		for (int i = 0; i < 2 * WORKERS; i++)
			poll(s, true);
		lab_advance(&s->lab, 3LL * LAB_SECOND);
	}
}

START_TEST(every_storm_ends_with_all_promises_kept)
{
	static const char *const names[] = {"linear", "diamond", "single", "fragile", "pair"};
	struct storm s = {.random = (uint64_t)_i * 7919 + 1};

	lab_open(&s.lab);
	for (size_t i = 0; i < COUNT(names); i++)
		lab_template(&s.lab, lab_yaml(names[i]));
	for (size_t i = 0; i < WORKERS; i++)
		boot(&s, i);
	for (int i = 0; i < STEPS; i++)
		act(&s);
	lab_check(&s.lab);
	calm(&s);
	lab_check(&s.lab);
	ck_assert_msg(all_ended(&s), "seed %d", _i);
	ck_assert_int_eq(lab_number(&s.lab, "SELECT count(*) FROM tasks"), (int64_t)s.task_count);
	/* I2: a step that is complete was started at least once, and each start has its event. */
	ck_assert_int_eq(
	        lab_number(&s.lab, "SELECT count(*) FROM steps WHERE state = 8 AND attempt = 0"),
	        0);
	lab_close(&s.lab);
}
END_TEST

Suite *
store_storm_suite(void)
{
	Suite *s = suite_create("store storm");
	TCase *tc = tcase_create("storm");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, every_storm_ends_with_all_promises_kept, 0, SEEDS);
	suite_add_tcase(s, tc);
	return s;
}

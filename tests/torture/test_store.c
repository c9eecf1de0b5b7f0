/*
 * A task's way through the store, each operation with its nth allocation or call of the store's
 * threads failing: what was not acknowledged did not happen or is not half done, what was is there,
 * and the same operation, undisturbed, succeeds (F5, I1, ST1, ST3).
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/torture/sweep.h"
#include "tests/unit/orchestration/lab.h"

static struct lab lab;

/* What the next attempt works on, made ready undisturbed. */
static struct {
	int64_t session;
	struct uuid task;
	struct attempt_ref ref;
	unsigned acknowledged, created;
	enum store_outcome outcome;
} at;

static bool
answered(struct store_op *op, struct err *e)
{
	at.outcome = lab_run(&lab, op);
	return at.outcome == STORE_OK || err_set(e, ERR_IO, "outcome %d: %s", at.outcome, op->text);
}

/* ---- the operations ---- */

static bool
create(struct err *e)
{
	static unsigned number;
	AUTO(store_op) struct store_op *op = NULL;
	char context[32];

	(void)snprintf(context, sizeof(context), "{\"made\":%u}", ++number);
	op = lab_create_op("single", context);
	if (!answered(op, e))
		return false;
	at.acknowledged++;
	return true;
}

static bool
read_task(struct err *e)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_GET);

	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.id.task = at.task;
	return answered(op, e) &&
	       (op->out.task.step_count == 1 || err_set(e, ERR_INTERNAL, "the steps are missing"));
}

/* One step waits: with the answer it is ours. */
static bool
take_step(struct err *e)
{
	AUTO(store_op) struct store_op *op = lab_poll_op(at.session, 1);

	if (!answered(op, e))
		return false;
	if (op->out.poll.step_count != 1)
		return err_set(e, ERR_INTERNAL, "no step came");
	at.ref = op->out.poll.steps[0].ref;
	return true;
}

static bool
finish_step(struct err *e)
{
	AUTO(store_op) struct store_op *op = lab_poll_op(at.session, 0);

	lab_report(op, at.ref, OUTCOME_OK);
	if (!answered(op, e))
		return false;
	return op->out.poll.results[0].verdict != REPORT_STALE ||
	       err_set(e, ERR_INTERNAL, "the report is stale");
}

static bool
cancel(struct err *e)
{
	AUTO(store_op) struct store_op *op = store_op_new(STORE_TASK_CANCEL);

	op->caller = lab_caller(SCOPE_ANY, "", "");
	op->in.id.task = at.task;
	return answered(op, e);
}

static bool
register_worker(struct err *e)
{
	static const char *const namespaces[] = {"demo", NULL}, *const handlers[] = {
	                                                                "demo.*", NULL};
	static unsigned number;
	AUTO(store_op) struct store_op *op = store_op_new(STORE_WORKER_REGISTER);
	char boot[32];

	(void)snprintf(boot, sizeof(boot), "boot-%u", ++number);
	op->in.worker = (struct worker_register_in){.worker = "other",
	        .boot = boot,
	        .slots = 8,
	        .namespaces = namespaces,
	        .handlers = handlers};
	return answered(op, e);
}

/* ---- making ready ---- */

static void
new_task(void)
{
	at.task = lab_create(&lab, "single");
	at.created++;
}

static void
new_step(void)
{
	struct err e = {0};

	new_task();
	ck_assert_msg(take_step(&e), "%s", e.text);
}

static void
is_complete(void)
{
	ck_assert_int_eq(lab_task_state(&lab, at.task), TASK_COMPLETE);
}

static void
is_cancelled(void)
{
	ck_assert_int_eq(lab_task_state(&lab, at.task), TASK_CANCELLED);
}

/* The step taken is ended, so that the next attempt finds only its own. */
static void
is_taken(void)
{
	ck_assert_int_eq(lab_finish(&lab, at.session, at.ref, OUTCOME_OK), REPORT_ACCEPTED);
	is_complete();
}

static const struct {
	const char *name;
	bool (*run)(struct err *e);
	void (*ready)(void); /* NULL: nothing to make ready */
	void (*done)(void);  /* once it was done: is it? */
} operations[] = {
        {"store: create",   create,          NULL,     NULL        },
        {"store: read",     read_task,       new_task, NULL        },
        {"store: poll",     take_step,       new_task, is_taken    },
        {"store: finish",   finish_step,     new_step, is_complete },
        {"store: cancel",   cancel,          new_task, is_cancelled},
        {"store: register", register_worker, NULL,     NULL        }
};

static bool
attempt(void *arg, struct err *e)
{
	const int *which = arg;

	return operations[*which].run(e);
}

static void
judge(void *arg, bool done, unsigned nth)
{
	const int *which = arg;
	struct err e = {0};

	ck_assert_msg(
	        at.outcome == STORE_OK || at.outcome == STORE_FAULT || at.outcome == STORE_BUSY,
	        "%s: outcome %d after failure %u (%s)", operations[*which].name, at.outcome, nth,
	        fault_last());
	if (!done)
		ck_assert_msg(operations[*which].run(&e), "%s, again after failure %u (%s): %s",
		        operations[*which].name, nth, fault_last(), e.text);
	if (operations[*which].done != NULL)
		operations[*which].done();
	if (operations[*which].ready != NULL)
		operations[*which].ready();
}

START_TEST(an_operation_that_fails_in_the_middle_can_be_repeated_F5_I1_ST1)
{
	const struct sweep s = {.name = operations[_i].name,
	        .attempt = attempt,
	        .after = judge,
	        .arg = &_i,
	        .spare = 2, /* a connection opens its log when it first looks at it */
	        .most = 5000};

	fault_spare_this_thread(true);
	lab_open(&lab);
	lab_template(&lab, lab_yaml("single"));
	at.session = lab_worker(&lab, "w", "b");
	if (operations[_i].ready != NULL)
		operations[_i].ready();
	sweep_all(&s);
	ck_assert_int_ge(lab_number(&lab, "SELECT count(*) FROM tasks"),
	        (int64_t)(at.acknowledged + at.created));
	lab_check(&lab);
	lab_close(&lab);
}
END_TEST

Suite *
store_suite(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, an_operation_that_fails_in_the_middle_can_be_repeated_F5_I1_ST1, 0,
	        COUNT(operations));
	suite_add_tcase(s, tc);
	return s;
}

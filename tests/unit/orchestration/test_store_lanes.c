/* Lanes and batches: what goes first when more is queued than one transaction takes. */
#include <semaphore.h>
#include <string.h>

#include "tests/unit/orchestration/lab.h"

/* Stops the writer inside its first create, and looks at a poll when it begins the second. */
struct holder {
	sem_t entered, release;
	int creates;
	struct waiting *poll;
	bool poll_was_first;
};

static struct lab lab;
static struct holder holder;

static bool
hold(void *arg, const char *statement)
{
	struct holder *h = arg;

	if (strcmp(statement, "TASK_INSERT") != 0)
		return false;
	if (++h->creates == 1) {
		(void)sem_post(&h->entered);
		(void)sem_wait(&h->release);
	} else if (h->creates == 2) {
		h->poll_was_first = lab_is_answered(h->poll);
	}
	return false;
}

static void
set_up(void)
{
	memset(&holder, 0, sizeof(holder));
	(void)sem_init(&holder.entered, 0, 0);
	(void)sem_init(&holder.release, 0, 0);
	lab_open(&lab);
	lab_template(&lab, lab_yaml("single"));
	lab.settings.fault = hold;
	lab.settings.fault_arg = &holder;
	lab.settings.batch_ms = 0; /* a transaction takes one operation */
	lab_reopen(&lab);
}

static void
tear_down(void)
{
	lab_check(&lab);
	lab_close(&lab);
	(void)sem_destroy(&holder.entered);
	(void)sem_destroy(&holder.release);
}

static struct store_op *
registration(void)
{
	static const char *const none[] = {NULL};
	struct store_op *op = store_op_new(STORE_WORKER_REGISTER);

	op->in.worker = (struct worker_register_in){
	        .worker = "w3", .boot = "b", .slots = 4, .namespaces = none, .handlers = none};
	return op;
}

/* A registration has a transaction alone, so the batch before it holds the polls only. */
START_TEST(what_a_full_batch_leaves_is_still_before_the_lanes_behind_it)
{
	int64_t first = lab_worker(&lab, "w1", "b"), second = lab_worker(&lab, "w2", "b");
	struct store_op *ops[] = {lab_create_op("single", "{\"n\":1}"),
	        lab_create_op("single", "{\"n\":2}"), registration(), lab_poll_op(first, 0),
	        lab_poll_op(second, 0)};
	struct waiting waiting[COUNT(ops)];

	holder.poll = &waiting[4];
	waiting[0] = lab_begin(&lab, ops[0]);
	while (sem_wait(&holder.entered) != 0)
		continue;
	for (size_t i = 1; i < COUNT(ops); i++)
		waiting[i] = lab_begin(&lab, ops[i]);
	(void)sem_post(&holder.release);
	for (size_t i = 0; i < COUNT(ops); i++) {
		lab_await(&waiting[i]);
		ck_assert_int_eq(ops[i]->outcome, STORE_OK);
		store_op_free(ops[i]);
	}
	ck_assert_int_eq(holder.creates, 2);
	ck_assert(holder.poll_was_first);
}
END_TEST

Suite *
store_lanes_suite(void)
{
	Suite *s = suite_create("store lanes");
	TCase *tc = tcase_create("order");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_a_full_batch_leaves_is_still_before_the_lanes_behind_it);
	suite_add_tcase(s, tc);
	return s;
}

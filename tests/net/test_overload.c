/*
 * Design §12, overload: more creates than the store takes. Those that find no room are told so,
 * with a time to come again; those that were taken are there; and no step at work loses its lease
 * because creates wait. How much is still created is a figure, and tests/net/overload.c measures
 * it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fault/checker.h"
#include "tests/fault/rig.h"
#include "tests/net/offer.h"
#include "tests/net/siege.h"
#include "tests/unit/unit.h"

enum {
	TIMEOUT_S = 120,
	LANE = 64, /* half of it for creates */
	CLIENTS = 200,
	STEP_MS = 400, /* four of them: as long as the flood */
	TASKS = 4,
	COMPLETE_MS = 60000,
};

static uint64_t
tasks_in(const struct rig *rig, struct findings *f)
{
	const struct evidence all = {.dir = rig->pair.dir, .file = "tasker.db"};

	ck_assert(checker_judge(&all, f));
	ck_assert_msg(checker_broken(f) == 0, "%s", f->text);
	return f->tasks;
}

START_TEST(creates_beyond_capacity_are_503_and_no_lease_is_lost)
{
	char *admin = pair_admin(), *tasks[TASKS];
	struct offer_settings how = {.headers = admin,
	        .ns = "demo",
	        .name = "linear",
	        .connections = CLIENTS,
	        .seconds = 1.5};
	struct offered o;
	struct findings f;
	struct rig rig;

	siege_limit("TASKER_STORE_QUEUE_MAX", LANE);
	siege_limit("TASKER_ENGINE_LEASE_MS", 6000);
	siege_limit("TASKER_ENGINE_BEAT_MS", 500);
	ck_assert(rig_start(&rig, false));
	how.port = rig.pair.orchestration.port;
	for (size_t i = 0; i < TASKS; i++)
		ck_assert_ptr_nonnull(tasks[i] = rig_linear(&rig, STEP_MS));
	ck_assert(offer(&how, &o));
	(void)printf("net: overload: %llu created, %llu refused; p99 %.1f ms and %.1f ms\n",
	        (unsigned long long)o.created, (unsigned long long)o.refused,
	        (double)histogram_at(&o.created_us, 0.99) / 1000,
	        (double)histogram_at(&o.refused_us, 0.99) / 1000);
	(void)fflush(stdout);
	ck_assert_uint_gt(o.created, 0);
	ck_assert_uint_gt(o.refused, 0);
	ck_assert_uint_eq(o.failed, 0);
	ck_assert_uint_eq(o.without_retry_after, 0);
	for (size_t i = 0; i < TASKS; i++)
		ck_assert(pair_task_is(&rig.pair, tasks[i], "complete", COMPLETE_MS));
	ck_assert(rig_stop(&rig));
	ck_assert_uint_ge(tasks_in(&rig, &f), o.created + TASKS);
	ck_assert_uint_eq(f.lost, 0); /* what the end of the worker gave back is no loss */
	rig_remove(&rig);
	for (size_t i = 0; i < TASKS; i++)
		free(tasks[i]);
	free(admin);
}
END_TEST

Suite *
overload_suite(void)
{
	Suite *s = suite_create("overload");
	TCase *tc = tcase_create("creates");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL);
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, creates_beyond_capacity_are_503_and_no_lease_is_lost);
	suite_add_tcase(s, tc);
	return s;
}

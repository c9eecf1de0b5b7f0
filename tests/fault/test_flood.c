/* A flood of creates on every connection that is to be had, while a worker beats for long steps: no
 * lease is lost for it. FAULT_FLOOD_MS says how long it lasts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fault/checker.h"
#include "tests/fault/prefill.h"
#include "tests/fault/rig.h"
#include "tests/unit/unit.h"

enum {
	FLOOD_MS = 3000,
	FLOOD_MOST = 400000,
	TASKS = 8,                  /* the worker's slots */
	STEP_MS = 2 * RIG_LEASE_MS, /* many beats */
	BEGIN_MS = 15000,
	COMPLETE_MS = 60000,
	TIMEOUT_S = 180,
};

static struct rig rig;

static void
judge(const char *const *ids, const struct prefill *flood, struct findings *f)
{
	AUTO(book) struct book book = {.items = NULL};

	ck_assert(book_read(rig.pair.dir, RIG_BOOK, &book));
	ck_assert(checker_judge(&(struct evidence){.dir = rig.pair.dir,
	                                .file = "tasker.db",
	                                .book = &book,
	                                .ids = ids,
	                                .id_count = TASKS,
	                                .open_ids = flood->texts,
	                                .open_count = flood->count,
	                                .no_others = true},
	        f));
	ck_assert_msg(checker_broken(f) == 0, "folder %s:\n%s", rig.pair.dir, f->text);
}

START_TEST(no_lease_is_lost_under_a_flood_of_creates)
{
	const char *set = getenv("FAULT_FLOOD_MS");
	AUTO(prefill) struct prefill flood = {.count = 0};
	char *ids[TASKS], *log;
	struct findings f;

	ck_assert(rig_start(&rig, false));
	for (size_t i = 0; i < TASKS; i++) {
		ids[i] = rig_linear(&rig, STEP_MS);
		ck_assert_ptr_nonnull(ids[i]);
	}
	for (size_t i = 0; i < TASKS; i++)
		ck_assert(rig_begins(&rig, ids[i], "one", 1, BEGIN_MS));
	ck_assert(prefill_run(rig.pair.orchestration.port, FLOOD_MOST,
	        set != NULL && *set != '\0' ? (int)strtol(set, NULL, 10) : FLOOD_MS, &flood));
	for (size_t i = 0; i < TASKS; i++)
		ck_assert(pair_task_is(&rig.pair, ids[i], "complete", COMPLETE_MS));
	log = daemon_read(rig.pair.dir, "worker.log");
	ck_assert(rig_stop(&rig));
	ck_assert_int_eq(rig_check(&rig), 0);
	judge((const char *const *)ids, &flood, &f);
	(void)printf("flood: %zu tasks created and %zu refused in %d ms beside %d steps at work; "
	             "%zu leases lost, %zu given back\n",
	        flood.count, flood.refused, flood.took_ms, TASKS, f.lost, f.released);
	ck_assert_uint_eq(f.lost + f.released + f.late, 0);
	ck_assert_uint_eq(f.executions, 4 * TASKS);
	ck_assert_ptr_nonnull(log);
	ck_assert_ptr_null(strstr(log, "link.down"));
	ck_assert_ptr_null(strstr(log, "link.lease_ends"));
	free(log);
	for (size_t i = 0; i < TASKS; i++)
		free(ids[i]);
	rig_remove(&rig);
}
END_TEST

Suite *
flood_suite(void)
{
	Suite *s = suite_create("flood");
	TCase *tc = tcase_create("leases");

	tcase_add_unchecked_fixture(tc, token_maker_prepare, NULL); /* once, for all */
	tcase_set_timeout(tc, TIMEOUT_S);
	tcase_add_test(tc, no_lease_is_lost_under_a_flood_of_creates);
	suite_add_tcase(s, tc);
	return s;
}
